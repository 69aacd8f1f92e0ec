/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox.h
 * @brief Store-and-forward between the loop (put) and the egress thread (take).
 *
 * Kept narrow on purpose: the memory implementation is outbox_memory.c, one on
 * disk takes its place behind the same calls. Messages leave in the order in
 * which they were put. A message is gone only when it was released.
 *
 * Threads: outbox_put() from the loop thread; take, release, give_up and rewind
 * from the egress thread; stats from either. Nothing here waits for the network or
 * the disk.
 */
#ifndef CUEBUS_OUTBOX_H
#define CUEBUS_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox;

/** Events (messages with a seq) given up: the lowest and the highest seq, and
 *  how many. After a rewind there may be others between them that were not. */
struct outbox_gap {
	uint64_t from_seq, to_seq, count;
	bool out_of_memory;  /**< one of them for lack of memory … */
	bool broker_refused; /**< … or by outbox_give_up(); neither: the outbox was full */
	bool only_news;      /**< all of them told of earlier gaps, which are counted in again */
};

/** One message; `topic` and `payload` belong to the outbox and live until it is released. */
struct outbox_message {
	uint64_t id;       /**< outbox's own order, from 1 */
	uint64_t seq;      /**< bus seq, 0 for what is no event (replies, retained state) */
	const char *topic;
	const void *payload;
	size_t payload_len;
	int qos;
	bool retain;
	const void *correlation; /**< MQTT 5 correlation data of a reply, or NULL */
	size_t correlation_len;
	struct outbox_gap gap;   /**< what this message tells of; count 0: nothing */
};

struct outbox_stats {
	uint64_t events, bytes;             /**< waiting or in flight now */
	uint64_t peak_events;
	uint64_t put, released;
	uint64_t dropped; /**< given up, messages that are no events included */
	uint64_t resent;  /**< taken again after outbox_rewind() */
};

/**
 * @param max_events, max_bytes bounds; when full the oldest message never
 *        taken is dropped (if there is none, the oldest that was taken before
 *        a rewind) and, where it is an event, counted into the gap.
 * @param wake called from outbox_put() when the egress thread may have work;
 *        not under the outbox's lock. May be NULL.
 * @return 0; -ENOMEM.
 */
int outbox_memory_new(uint64_t max_events, uint64_t max_bytes, void (*wake)(void *user), void *user,
                      struct outbox **ret_outbox);
struct outbox *outbox_free(struct outbox *outbox);

/**
 * Copy a message in (its `id` is not read).
 * @return 0; -EMSGSIZE larger than the whole outbox; -ENOBUFS full of messages
 *         in flight; -ENOMEM. All three are counted as dropped and, where the
 *         message is an event, into the gap.
 */
int outbox_put(struct outbox *outbox, const struct outbox_message *message);

/** What was given up since the last call, for gateway.gap. @return true if there is any. Loop thread. */
bool outbox_take_gap(struct outbox *outbox, struct outbox_gap *ret_gap);

/** Count @p other into @p gap (`only_news` is left alone). */
void outbox_merge_gap(struct outbox_gap *gap, const struct outbox_gap *other);

/** Next message not yet taken; stays in flight until released or rewound. @return 0; -EAGAIN none. */
int outbox_take(struct outbox *outbox, struct outbox_message *ret_message);
/** Done with (acknowledged, or sent at QoS 0). @return 0; -ENOENT. */
int outbox_release(struct outbox *outbox, uint64_t id);
/**
 * Done with, but it will never arrive: the broker does not take it. Counted as
 * dropped and, where it is an event, into the gap. @return 0; -ENOENT.
 */
int outbox_give_up(struct outbox *outbox, uint64_t id);
/** After a broken connection: all taken and not released are to be taken again, in order. */
void outbox_rewind(struct outbox *outbox);

void outbox_get_stats(struct outbox *outbox, struct outbox_stats *ret_stats);

#endif
