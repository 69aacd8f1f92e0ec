/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file paho_connection.h
 * @brief One MQTT session on paho's synchronous client. Nothing else calls paho.
 *
 * A connection is used for one session and thrown away: after a break a new
 * handle is made (clean start, no persistence), because paho's own memory of a
 * broken session is what loses and corrupts messages. All calls are made from
 * one thread. The callbacks should only copy and may not call back into this
 * file. Over MQTT 5 they come on paho's threads; over 3.1.1 there are none, and
 * they come from within paho_handle_input() and paho_wait_input().
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
	const struct paho_will *will; /**< NULL: none */
	int timeout_s;
	int keepalive_s;
};

struct paho_broker {
	/** QoS 1 messages it takes unacknowledged; 65,535 if it did not say */
	unsigned receive_maximum;
	uint32_t maximum_packet; /**< 0: it did not say */
	int keepalive_s; /**< Server Keep Alive, which paho 1.3.12 ignores; 0: it did not say */
	int max_qos;     /**< 0 to 2 */
	bool retain;     /**< takes retained messages */
	bool wildcards;  /**< takes subscriptions with wildcards */
};

/* Room for a sentence about each address. */
#define PAHO_ERROR_SIZE 1800U

/**
 * Connect to the first address of the broker's name that works, in the
 * system's order. Blocks for DNS, up to `timeout_s` for each address, and
 * when none works some seconds for each to find out why.
 * @param callbacks copied; `user` must outlive the connection.
 * @param ret_answer on failure the broker's answer to the connect, see mqtt_reason.h; 0: none.
 *                   May be NULL.
 * @param error PAHO_ERROR_SIZE bytes; on failure one sentence.
 * @return 0; -EHOSTUNREACH the name can't be resolved; -ECONNREFUSED not reached or refused;
 *         -ENODATA reached, no answer to the connect; -EPROTO TLS failed; -EACCES the broker
 *         refused name, password or right; -EIO the password can't be read; -ENOMEM. With several
 *         addresses -EACCES before -EPROTO before -ECONNREFUSED before -ENODATA.
 */
int paho_connect(const struct mqtt_settings *settings, const struct paho_callbacks *callbacks,
                 const struct paho_options *options, struct paho_connection **ret_connection,
                 int *ret_answer, char *error);

/**
 * Remove from the environment what libpaho takes for a proxy: up to 1.3.12 `http_proxy` and
 * `https_proxy`, later where `PAHO_C_CLIENT_USE_HTTP_PROXY` is TRUE. A connection goes to the
 * broker's address, with every version and whatever the process was started with. To be called
 * once, while the process has one thread.
 */
void paho_ignore_proxies(void);

const struct paho_broker *paho_get_broker(const struct paho_connection *connection);

/** The address that it is connected to, numeric. Owned by the connection. */
const char *paho_get_address(const struct paho_connection *connection);

/**
 * A duplicate of the connection's socket, or -1. Owned by the caller, so that
 * another thread can shutdown(2) it when a paho call hangs, without a race
 * with paho closing its own.
 */
int paho_dup_socket(const struct paho_connection *connection);

struct paho_subscription {
	const char *filter;
	int qos; /**< at most; each publisher is served at its own */
	/* MQTT 5 only; with 3.1.1 one's own messages come too, what is retained always comes, with
	 * the retain flag, and what is published later comes without it. */
	bool no_local;      /**< nothing that was published under this client id, retained or not */
	bool with_retained; /**< have what is retained now sent, with the retain flag */
	bool as_published;  /**< keep the retain flag of what is published later */
};

/**
 * Blocks until the broker has answered.
 * @param error PAHO_ERROR_SIZE bytes; on failure one sentence.
 * @return 0; -ENOTCONN no answer; -EACCES the broker refused it.
 */
int paho_subscribe(struct paho_connection *connection, const struct paho_subscription *subscription,
                   char *error);

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
 * Hand to the socket; blocks while the socket is full.
 * @param ret_token of a QoS 1 message, for the acknowledged callback.
 * @return 0 (also where the connection broke while a QoS 1 message was sent); -ENOTCONN it was
 *         broken before; -EPIPE it broke while a QoS 0 message was sent; -EMSGSIZE over what the
 *         broker takes; -EINVAL the topic is not UTF-8; -EBUSY over MQTT_WINDOW_MAX are
 *         unacknowledged; -ENOMEM.
 */
int paho_publish(struct paho_connection *connection, const struct paho_message *message,
                 int *ret_token);

/**
 * Several messages in a row: from @p on they leave together, full packets at once, and the last of
 * them when it is off again. To be ended before the caller waits for anything.
 */
void paho_gather(struct paho_connection *connection, bool on);

bool paho_is_connected(struct paho_connection *connection);

/** Whether what arrives is handled without the caller (MQTT 5), or only in the next two calls. */
bool paho_has_own_thread(const struct paho_connection *connection);

/** Handle what has arrived, keepalive included; to be called every second at least. Without
 *  effect where paho has its own thread. */
void paho_handle_input(struct paho_connection *connection);

/**
 * Wait for input, or for @p wake_fd to be readable, and handle the input. For a connection
 * without its own thread. May come back earlier.
 * @param wake_fd the caller's, not read from; -1: none.
 */
void paho_wait_input(struct paho_connection *connection, int wake_fd, uint64_t timeout_ns);

/**
 * End the session (a regular DISCONNECT if it is still connected, so no will)
 * and free everything. No callback comes afterwards. @return NULL.
 */
struct paho_connection *paho_close(struct paho_connection *connection);

/** @return the version of paho that is loaded, as paho names it; static. Thread: any. */
const char *paho_version(void);

#endif
