/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file inbox.h
 * @brief The queue of messages from MQTT to the loop.
 *
 * paho's thread only copies a message in and wakes the loop. There are two lanes, emits and
 * commands, each first in, first out, and each bounded by messages and by bytes, so a flood of
 * emits leaves room for commands. A full lane refuses and counts the newest message. Messages are
 * taken in the order of arrival while few emits wait; with more than 32 waiting emits, commands are
 * taken first.
 *
 * Threads: inbox_put() from any, inbox_take() from the loop, stats from any.
 */
#ifndef CUEBUS_INBOX_H
#define CUEBUS_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inbox;

/** For inbox_put() all members are borrowed; a message of inbox_take() owns them. */
struct inbox_message {
	const char *topic;
	const void *payload;
	size_t payload_len;
	/** set by inbox_put(): beyond the payload limit; `payload` is NULL, payload_len the
	 * original length */
	bool oversized;
	int qos;
	bool retain;
	const char *response_topic; /**< MQTT 5, or NULL */
	const void *correlation;    /**< MQTT 5, or NULL */
	size_t correlation_len;
	bool has_expiry;
	uint32_t expiry_s;   /**< MQTT 5: seconds left when it arrived */
	uint64_t arrival_ns; /**< CLOCK_MONOTONIC */
};

struct inbox_stats {
	uint64_t received;      /**< taken in */
	uint64_t dropped;       /**< refused because a lane was full, or for lack of memory */
	uint64_t dropped_emits; /**< of these, emits */
	uint64_t messages;      /**< waiting now */
	uint64_t bytes;         /**< waiting now */
	uint64_t peak_messages;
};

/**
 * Create an inbox.
 * @param emits prefix of the topics of emits, e.g. "cuebus/1/porch/emit/"; copied. NULL: all
 *              messages are in the lane of the commands. @param max_messages, max_bytes of each
 *              lane.
 * @param max_payload a larger payload is not copied, see `oversized`.
 * @return 0; -EMFILE … of eventfd(2); -ENOMEM.
 */
int inbox_new(const char *emits, uint64_t max_messages, uint64_t max_bytes, uint64_t max_payload,
              struct inbox **ret_inbox);
struct inbox *inbox_free(struct inbox *inbox);

/** Readable while a message waits. Owned by the inbox. */
int inbox_fd(const struct inbox *inbox);

/** Copy a message in. @return 0; -ENOBUFS full; -ENOMEM. Both are counted as dropped. */
int inbox_put(struct inbox *inbox, const struct inbox_message *message);

/** Make inbox_fd() readable once, to wake the loop for other work. Any thread. */
void inbox_wake(struct inbox *inbox);

/** Whether no message waits. If so, resets inbox_wake(). */
bool inbox_is_empty(struct inbox *inbox);

/** Take the next message; free it with inbox_message_free(). NULL if there is none. */
struct inbox_message *inbox_take(struct inbox *inbox);
/** As inbox_take(), but only from the lane of commands. */
struct inbox_message *inbox_take_command(struct inbox *inbox);
struct inbox_message *inbox_message_free(struct inbox_message *message);

/** Set the limits for future messages (after a reload). */
void inbox_set_limits(struct inbox *inbox, uint64_t max_messages, uint64_t max_bytes,
                      uint64_t max_payload);
void inbox_get_stats(struct inbox *inbox, struct inbox_stats *ret_stats);

#endif
