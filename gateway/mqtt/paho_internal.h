/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file paho_internal.h
 * @brief Private: shared by the files of one connection: paho_connect.c (addresses, failures),
 *        paho_connection.c (one attempt, send, close), paho_callbacks.c (input over MQTT 5),
 *        paho_input.c (input over 3.1.1).
 */
#ifndef CUEBUS_PAHO_INTERNAL_H
#define CUEBUS_PAHO_INTERNAL_H

#include <MQTTClient.h>
#include <pthread.h>
#include <stdatomic.h>

#include "broker_address.h"
#include "paho_connection.h"

/**
 * Whether a message that paho's thread delivers may be read. When paho connects with a clean start,
 * it empties its queue of messages after the CONNACK, and may be delivering one of them at the same
 * time, without its lock: that message is freed during the delivery. This happens with a broker
 * that publishes before any subscription. A message that is not read stays in the queue, if it
 * still exists, until the next packet comes.
 */
enum paho_handover {
	PAHO_CONNECTING, /* none */
	PAHO_SETTLING,   /* connected: only the next message may be a freed one */
	PAHO_OPEN        /* paho's thread has finished earlier deliveries */
};

struct paho_connection {
	MQTTClient handle;
	struct paho_callbacks callbacks;
	struct paho_broker broker;
	char address[BROKER_ADDRESS_SIZE];
	bool v5;
	bool was_connected;
	_Atomic enum paho_handover handover;
	int socket; /* duplicate of paho's, -1 if it was not found */
	pthread_mutex_t mutex;
	pthread_cond_t told_cond;
	bool told;   /* guarded by mutex: the broken connection was reported */
	bool closed; /* guarded by mutex: no callback any more */

	/* Closed before its report came, and kept until then; used by the caller's thread. */
	struct paho_connection *next_untold;
	uint64_t closed_ns;

	/* Only MQTT 3.1.1: tokens of the unacknowledged QoS 1 messages, in order. */
	int tokens[MQTT_WINDOW_MAX];
	unsigned n_tokens;
};

/**
 * Connect @p c, zeroed except for callbacks, version and socket, to one address. After a failure
 * only paho_close() may follow.
 * @return paho's code: 0, or a code for mqtt_reason_text().
 */
int paho_try_connect(struct paho_connection *c, const struct mqtt_settings *settings,
                     const struct paho_options *options, const struct broker_address *address,
                     const char *password);

/** Whether paho's thread, one for the whole process, has started. Call it only after
 * paho_try_connect(). */
bool paho_thread_runs(void);

/** Set the callbacks of MQTT 5 on a handle that is not connected. @return paho's code. */
int paho_set_callbacks(struct paho_connection *c);

/** Call the message callback. paho keeps @p message. */
void paho_pass_on(struct paho_connection *c, const char *topic, MQTTClient_message *message);

/** Call the lost callback, once. */
void paho_tell_lost(struct paho_connection *c, int reason);

#endif
