/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file paho_connection.h
 * @brief One MQTT session on paho's synchronous client. Nothing else calls paho.
 *
 * A connection is used for one session and discarded: after a broken connection a new handle is
 * created (clean start, no persistence), because paho loses and corrupts messages if it keeps the
 * state of a broken session. Make all calls from one thread. Callbacks should only copy and must
 * not call back into this file. Over MQTT 5 they run on paho's threads; over 3.1.1 paho has no
 * thread, and they run inside paho_handle_input() and paho_wait_input().
 */
#ifndef CUEBUS_PAHO_CONNECTION_H
#define CUEBUS_PAHO_CONNECTION_H

#include "inbox.h"
#include "mqtt_settings.h"

struct paho_connection;

/** MQTT 5: another client connected with our client id. */
#define PAHO_SESSION_TAKEN_OVER 0x8E

struct paho_callbacks {
	/** A message arrived; borrowed for the call. */
	void (*message)(void *user, const struct inbox_message *message);
	/** A QoS 1 message was acknowledged. @p reason 0 or an MQTT 5 reason code (from 0x80 on:
	 *  refused). May come before paho_publish() returns. */
	void (*acknowledged)(void *user, int token, int reason);
	/** The connection broke, once. @p reason MQTT 5 reason code of the
	 *  broker's DISCONNECT, or -1. */
	void (*lost)(void *user, int reason);
	void *user;
};

struct paho_will {
	const char *topic;
	const char *payload;
	int qos;
	bool retain;
};

struct paho_options {
	const struct paho_callbacks *callbacks; /**< copied; `user` must outlive the connection */
	const struct paho_will *will;           /**< NULL: none */
	int timeout_s;
	int keepalive_s;
};

struct paho_broker {
	/** unacknowledged QoS 1 messages that it accepts; 65,535 if not stated */
	unsigned receive_maximum;
	uint32_t maximum_packet; /**< 0: not stated */
	int keepalive_s;         /**< Server Keep Alive, which paho 1.3.12 ignores; 0: not stated */
	int max_qos;             /**< 0 to 2 */
	bool retain;             /**< accepts retained messages */
	bool wildcards;          /**< accepts subscriptions with wildcards */
};

/* Size for a sentence about each address. */
#define PAHO_ERROR_SIZE 1800U

/**
 * Connect to the first working address of the broker's name, in the system's order. Blocks for DNS,
 * up to `timeout_s` for each address, and if none works some seconds for each to find the reason.
 * @param ret_answer on failure the broker's answer to the connect, see mqtt_reason.h; 0: none. May
 *                   be NULL.
 * @param error on failure one sentence.
 * @return 0; -EHOSTUNREACH the name can't be resolved; -ECONNREFUSED not reached or refused;
 *         -ENODATA reached, no answer to the connect; -EPROTO TLS failed; -EACCES the broker
 *         refused name, password or right; -EIO the password can't be read; -ENOMEM. With several
 *         addresses -EACCES before -EPROTO before -ECONNREFUSED before -ENODATA.
 */
int paho_connect(const struct mqtt_settings *settings, const struct paho_options *options,
                 struct paho_connection **ret_connection, int *ret_answer,
                 char error[PAHO_ERROR_SIZE]);

/**
 * Remove the proxy variables of libpaho from the environment: `http_proxy` and `https_proxy`, which
 * it uses up to 1.3.12, and later if `PAHO_C_CLIENT_USE_HTTP_PROXY` is TRUE. Connections then
 * always go to the broker's address. Call it once, while the process has one thread.
 */
void paho_ignore_proxies(void);

const struct paho_broker *paho_get_broker(const struct paho_connection *connection);

/** Numeric address of the peer. Owned by the connection. */
const char *paho_get_address(const struct paho_connection *connection);

/**
 * A duplicate of the connection's socket, or -1. Owned by the caller: another thread can
 * shutdown(2) it when a paho call hangs, without a race with paho closing its own.
 */
int paho_dup_socket(const struct paho_connection *connection);

struct paho_subscription {
	const char *filter;
	int qos; /**< maximum QoS; each message has its publisher's QoS up to this */
	/* MQTT 5 only. With 3.1.1 the client's own messages come too, retained messages always
	 * come, with the retain flag, and later messages come without it. */
	bool no_local;      /**< no messages published under this client id, retained or not */
	bool with_retained; /**< send currently retained messages, with the retain flag */
	bool as_published;  /**< keep the retain flag of later messages */
};

/**
 * Blocks until the broker has answered.
 * @param error on failure one sentence.
 * @return 0; -ENOTCONN no answer; -EACCES the broker refused it.
 */
int paho_subscribe(struct paho_connection *connection, const struct paho_subscription *subscription,
                   char error[PAHO_ERROR_SIZE]);

/** Blocks until the broker has answered. @return 0; -ENOTCONN. A refusal counts as done. */
int paho_unsubscribe(struct paho_connection *connection, const char *filter);

struct paho_message {
	const char *topic;
	const void *payload;
	size_t payload_len;
	int qos; /**< 0 or 1 */
	bool retain;
	const void *correlation; /**< MQTT 5 only; NULL: none */
	size_t correlation_len;
};

/**
 * Write a message to the socket; blocks while the socket is full.
 * @param ret_token of a QoS 1 message, for the acknowledged callback.
 * @return 0 (also if the connection broke while a QoS 1 message was sent); -ENOTCONN the connection
 *         was broken before; -EPIPE it broke while a QoS 0 message was sent; -EMSGSIZE larger than
 *         the broker accepts; -EINVAL the topic is not UTF-8; -EBUSY more than MQTT_WINDOW_MAX are
 *         unacknowledged; -ENOMEM.
 */
int paho_publish(struct paho_connection *connection, const struct paho_message *message,
                 int *ret_token);

/**
 * Gather several messages into packets: while @p on, full packets are sent at once, and the rest
 * when it is switched off. Switch it off before waiting for anything.
 */
void paho_gather(struct paho_connection *connection, bool on);

bool paho_is_connected(struct paho_connection *connection);

/** Whether input is handled on paho's own thread (MQTT 5), or only in the next two functions. */
bool paho_has_own_thread(const struct paho_connection *connection);

/** Handle received packets and keepalive; call it at least every second. No effect if paho has its
 * own thread. */
void paho_handle_input(struct paho_connection *connection);

/**
 * Wait for input, or for @p wake_fd to be readable, and handle the input. For a connection without
 * its own thread. May return earlier.
 * @param wake_fd the caller's, not read from; -1: none.
 */
void paho_wait_input(struct paho_connection *connection, int wake_fd, uint64_t timeout_ns);

/**
 * End the session (with a regular DISCONNECT if it is still connected, so without the will) and
 * free everything. No callback is called afterwards. @return NULL.
 */
struct paho_connection *paho_close(struct paho_connection *connection);

/** @return the version of paho that is loaded, as paho names it; static. Thread: any. */
const char *paho_version(void);

#endif
