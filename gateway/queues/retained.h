/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file retained.h
 * @brief The latest value of every retained topic, kept for the broker.
 *
 * Retained views are not a queue: while the broker is away only the latest value of each topic is
 * kept, and a restarted broker, which may have lost them, gets all of them again. The loop sets
 * values; the egress thread takes the changed ones, in the order of their first change.
 *
 * Threads: set and clear from the loop, take, done and mark_all from the egress thread, stats from
 * either.
 */
#ifndef CUEBUS_RETAINED_H
#define CUEBUS_RETAINED_H

#include <stddef.h>
#include <stdint.h>

struct retained;

/** A value to publish; owned by the taker, see retained_message_clear(). */
struct retained_message {
	char *topic;
	void *payload; /**< NULL with payload_len 0: clears the topic at the broker */
	size_t payload_len;
	int qos;
	uint64_t version; /**< for retained_done() */
};

struct retained_stats {
	uint64_t topics;    /**< kept now */
	uint64_t pending;   /**< changed and not yet taken */
	uint64_t coalesced; /**< values replaced before they were taken */
};

/** @param wake called (without the lock held) when a value changed. May
 *  be NULL. @return 0; -ENOMEM. */
int retained_new(void (*wake)(void *user), void *user, struct retained **ret_retained);
struct retained *retained_free(struct retained *retained);

/**
 * Set a topic's value; identical bytes have no effect. After a new connect topics are published in
 * the order in which they were first set.
 * @return 0; -ENOMEM (the old value stays).
 */
int retained_set(struct retained *retained, const char *topic, const void *payload, size_t len,
                 int qos);
/** Clear the topic at the broker (empty retained message), then remove it. No effect if unknown. */
void retained_clear(struct retained *retained, const char *topic);

/**
 * Clear a topic that is retained at the broker, unless it is one of those kept here. Any thread.
 * @return 1 it will be cleared; 0 it is kept here, or is being cleared already; -ENOMEM.
 */
int retained_clear_foreign(struct retained *retained, const char *topic);

/** Mark all values to be published again, on a new connection. @return their number; they are taken
 * before later changes. */
uint64_t retained_mark_all(struct retained *retained);
/** @return 0; -EAGAIN nothing changed; -ENOMEM. */
int retained_take(struct retained *retained, struct retained_message *ret_message);
/** The broker has acknowledged the value (or it was sent at QoS 0). */
void retained_done(struct retained *retained, const char *topic, uint64_t version);
void retained_message_clear(struct retained_message *message);

void retained_get_stats(struct retained *retained, struct retained_stats *ret_stats);

#endif
