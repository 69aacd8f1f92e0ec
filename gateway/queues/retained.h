/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file retained.h
 * @brief The latest value of every retained topic, kept for the broker.
 *
 * Retained views are no queue: while the broker is away only the latest value
 * of each topic is kept, and a restarted broker, which has forgotten them all,
 * gets every one again. The loop sets values; the egress thread takes those
 * that changed, in the order in which they first changed.
 *
 * Threads: set and clear from the loop, take, done and mark_all from the
 * egress thread, stats from either.
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
	uint64_t coalesced; /**< values that were replaced before they were taken */
};

/** @param wake called (without the lock held) when a value changed. May
 *  be NULL. @return 0; -ENOMEM. */
int retained_new(void (*wake)(void *user), void *user, struct retained **ret_retained);
struct retained *retained_free(struct retained *retained);

/**
 * Set a topic's value; the same bytes again change nothing. Topics are
 * published after a new connect in the order in which they were first set.
 * @return 0; -ENOMEM (the value before stays).
 */
int retained_set(struct retained *retained, const char *topic, const void *payload, size_t len,
                 int qos);
/** Have the topic cleared at the broker (empty retained message), then
 *  forget it. Unknown: nothing. */
void retained_clear(struct retained *retained, const char *topic);

/**
 * Have a topic that is retained at the broker cleared there, unless it is one of those kept here.
 * Any thread.
 * @return 1 it will be; 0 it is kept here, or is being cleared; -ENOMEM.
 */
int retained_clear_foreign(struct retained *retained, const char *topic);

/** Everything is to be published again: a new connection. @return how many that is; these are
 *  taken before what changes from now on. */
uint64_t retained_mark_all(struct retained *retained);
/** @return 0; -EAGAIN nothing changed; -ENOMEM. */
int retained_take(struct retained *retained, struct retained_message *ret_message);
/** The broker has it (or it was sent at QoS 0). */
void retained_done(struct retained *retained, const char *topic, uint64_t version);
void retained_message_clear(struct retained_message *message);

void retained_get_stats(struct retained *retained, struct retained_stats *ret_stats);

#endif
