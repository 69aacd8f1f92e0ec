/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file paho_internal.h
 * @brief What the files of one connection share: paho_connect.c (addresses, failures),
 *        paho_connection.c (one attempt, send, close), paho_callbacks.c (input over
 *        MQTT 5), paho_input.c (input over 3.1.1).
 */
#ifndef CUEBUS_PAHO_INTERNAL_H
#define CUEBUS_PAHO_INTERNAL_H

#include <MQTTClient.h>
#include <pthread.h>
#include <stdatomic.h>

#include "broker_address.h"
#include "paho_connection.h"

/**
 * Whether a message that paho's thread hands over may be looked at. Connecting for a clean start,
 * paho empties its queue of messages when the CONNACK has come, and may just be handing one of
 * them over, without its lock: that one is freed under our hands. Seen with a
 * broker that publishes before it is asked to. One that is not looked at stays in the queue, if it
 * is still there, until the next packet comes.
 */
enum paho_handover {
	PAHO_CONNECTING, /* none */
	PAHO_SETTLING,   /* connected: only the next may be one that was freed */
	PAHO_OPEN        /* its thread has been seen to come round */
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
	bool told;   /* guarded by mutex: the news of the break has come */
	bool closed; /* guarded by mutex: no callback any more */

	/* Closed before its news came, and kept until then; of the caller's thread. */
	struct paho_connection *next_untold;
	uint64_t closed_ns;

	/* Only MQTT 3.1.1: of the QoS 1 messages that are not acknowledged, in order. */
	int tokens[MQTT_WINDOW_MAX];
	unsigned n_tokens;
};

/**
 * Connect @p c, zeroed but for callbacks, version and socket, to one address. On failure it is
 * of use for paho_close() only.
 * @return paho's code: 0, or what mqtt_reason_text() takes.
 */
int paho_try_connect(struct paho_connection *c, const struct mqtt_settings *settings,
                     const struct paho_options *options, const struct broker_address *address,
                     const char *password);

/** Whether paho's thread, one for the whole process, has begun. After paho_try_connect() only. */
bool paho_thread_runs(void);

/** Set those of MQTT 5, on a handle that is not connected. @return paho's code. */
int paho_set_callbacks(struct paho_connection *c);

/** Tell the message callback. @p message stays paho's. */
void paho_pass_on(struct paho_connection *c, const char *topic, MQTTClient_message *message);

/** Tell the lost callback, once. */
void paho_tell_lost(struct paho_connection *c, int reason);

#endif
