/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox.h
 * @brief Store-and-forward between the loop (put) and the egress thread (take), on disk when there
 *        is a folder for it, else in memory.
 *
 * Events leave in the order in which they were put; replies (messages without a seq) overtake
 * events, see outbox_take_reply(). A message is removed only when it is released. With a disk, a
 * QoS 1 message can be taken only after its transaction was committed, so every message that
 * anybody has seen is on disk, with all messages before it (but see OUTBOX_DISK_WHEN_AWAY).
 * Messages of QoS 0 are never written, but keep their place in the order.
 *
 * If the disk fails, the outbox continues in memory, in the same order and within the same bounds,
 * and returns to the disk when that works again.
 *
 * Threads: put, group, journal, take_gap from the loop thread; take, release, give_up, rewind and
 * set_connected from the egress thread; stats from any. None of these waits for the network or the
 * disk. outbox_new(), outbox_flush() and outbox_free() wait for the disk.
 */
#ifndef CUEBUS_OUTBOX_H
#define CUEBUS_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "outbox_types.h"

struct outbox;
struct state_lock;

/** Bounds of replies that wait to be sent, in number, bytes and time; beyond them the oldest are
 * dropped. */
#define OUTBOX_REPLIES_MAX   10000U
#define OUTBOX_REPLIES_BYTES (16U * 1024U * 1024U)
#define OUTBOX_REPLY_AGE_NS  60000000000ULL
/** A reply waits this long for the events before it, then overtakes them. */
#define OUTBOX_REPLY_PATIENCE_NS 50000000ULL

#define OUTBOX_BOOT_ID_SIZE 33U
#define OUTBOX_REASON_SIZE  192U

/** One message; `topic`, `payload` and `correlation` belong to the outbox and are valid until it is
 * released. */
struct outbox_message {
	/** id for release() and give_up(); from 1, never reused; not read by put */
	uint64_t id;
	uint64_t seq; /**< bus seq; 0 for a message that is not an event (replies) */
	/** boot of `seq`; not read by put; valid as long as the outbox */
	const char *boot_id;
	const char *topic;
	const void *payload;
	size_t payload_len;
	int qos;
	bool retain;
	const void *correlation; /**< MQTT 5 correlation data of a reply, or NULL */
	size_t correlation_len;
};

/** Why events were dropped. */
enum outbox_reason {
	OUTBOX_REASON_FULL,
	OUTBOX_REASON_NO_MEMORY,
	OUTBOX_REASON_TOO_LARGE, /**< too large for the broker; see outbox_give_up() */
	OUTBOX_REASON_REFUSED,   /**< the broker refused it */
	OUTBOX_REASON_REJECTED,  /**< the broker ended the session because of it, several times */
	OUTBOX_REASON_DISK,      /**< the events were on disk and can't be read any more */
	/** The process was killed while it had unwritten events in memory (OUTBOX_DISK_WHEN_AWAY).
	 * Exactly those events of the range are lost that have not arrived. */
	OUTBOX_REASON_KILLED,
};

/**
 * A range of dropped events (messages with a seq): every seq from `from_seq` to `to_seq`, `count`
 * of them. If more than OUTBOX_GAPS_MAX ranges wait to be taken, some are merged; then `count` is
 * less than the length of the range.
 */
struct outbox_gap {
	char boot_id[OUTBOX_BOOT_ID_SIZE]; /**< "" for this boot, else an earlier one */
	uint64_t from_seq, to_seq, count;
	enum outbox_reason reason;
};
#define OUTBOX_GAPS_MAX 1024U

struct outbox_stats {
	/** messages waiting or in flight now, including those on disk */
	uint64_t events, bytes;
	uint64_t replies;       /**< waiting in the lane of replies; not among `events` */
	uint64_t memory_events; /**< messages in memory … */
	uint64_t memory_bytes;  /**< … and their bytes */
	/** messages in memory that wait for the disk: a kill would lose them */
	uint64_t unwritten_events;
	uint64_t peak_events;
	uint64_t put, released;
	uint64_t dropped;         /**< messages dropped, including those that are not events */
	uint64_t dropped_full;    /**< messages dropped because the outbox was full */
	uint64_t dropped_memory;  /**< messages dropped because of max_memory_bytes */
	uint64_t dropped_replies; /**< dropped messages that are not events; no gap names them */
	/** dropped events not announced yet: see outbox_take_gap() */
	uint64_t untold;
	uint64_t resent;   /**< taken again after outbox_rewind() */
	uint64_t restored; /**< messages of earlier boots, restored from disk */
	uint64_t commits, syncs;
	uint64_t disk_failures; /**< times the disk failed */
	bool unread;            /**< messages of earlier boots on disk were not read yet */
	bool on_disk;           /**< new messages will be written to disk, unless `idle` */
	bool idle; /**< OUTBOX_DISK_WHEN_AWAY while the broker acknowledges: nothing is written */
	char reason[OUTBOX_REASON_SIZE]; /**< why they will not be written; "" if they will */
};

struct outbox_config {
	uint64_t max_events, max_bytes; /**< bounds over all, in memory and on disk together */
	enum outbox_full full;
	/** Called when the egress thread may have work, from the loop's or the
	 *  outbox's own thread, not under the outbox's lock. May be NULL. */
	void (*wake)(void *user);
	void *user;
	/** Called with `room_user` when a range that waited for room can be taken (see
	 * outbox_take_gap()), on the releasing thread or the outbox's own, without the outbox's
	 * lock. May be NULL. */
	void (*room)(void *user);
	void *room_user;

	/* Only with a disk: */
	/** Bytes of max_bytes that may be in memory but not on disk: while the disk is slow, hangs
	 * or fails, and for QoS 0; 0: all. */
	uint64_t max_memory_bytes;
	const char *dir; /**< state_dir, created if it does not exist; NULL: memory only. Copied. */
	const char *boot_id; /**< of this boot. Copied. */
	enum outbox_sync sync;
	enum outbox_when when;
	struct log *log; /**< borrowed; NULL: no log */
	/** Acquired before the database is opened, and checked later; borrowed. NULL: no other
	 * process can use the folder. */
	struct state_lock *lock;
	/** Called on the outbox's own thread when the notes of earlier boots are known (see
	 * outbox_journal_is_known()). May be NULL. */
	void (*known)(void *user);
	void *known_user;
	/* For tests; 0 is the default. */
	uint64_t sync_interval_ns; /**< 50 ms */
	/** minimum time between two commits, except with `always`: 1 ms */
	uint64_t commit_interval_ns;
	uint64_t check_interval_ns; /**< interval of checks that the file still exists: 2 s */
	/** delay before a failed disk is retried: 1 s, doubling up to 60 s */
	uint64_t retry_min_ns, retry_max_ns;
	uint64_t open_wait_ns; /**< how long outbox_new() waits for the database: 5 s */
	uint64_t end_wait_ns;  /**< see outbox_stop(): 3 s */
	/** continue without a disk that does not answer for this long: 5 s */
	uint64_t stall_ns;
	/** OUTBOX_DISK_WHEN_AWAY: a message that waits for this long is written; 5 s */
	uint64_t patience_ns;
	uint64_t calm_ns;       /**< … writing stops when no message waits for this long; 1 s */
	unsigned memory_window; /**< committed messages also kept in memory: 1024 */
	uint64_t memory_window_bytes; /**< … unless there are more bytes in memory: 16 MiB */
};

/**
 * Create an outbox. Waits for the disk only to open the database, and at most `open_wait_ns`.
 * Messages of earlier boots come first, in order. A disk that fails or does not answer is not an
 * error of this function: the outbox starts in memory (see stats).
 * @return 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int outbox_new(const struct outbox_config *config, struct outbox **ret_outbox);
/**
 * Write everything, close the files, end the thread. No other thread may use the outbox any more,
 * and only outbox_free() may follow.
 * @return 0; -ETIMEDOUT a call of the disk has not returned for `end_wait_ns`, nor for as long
 *         after SQLite was interrupted: the thread still uses the outbox and everything that its
 *         config points to, so end the process with _exit().
 */
int outbox_stop(struct outbox *outbox);
/** As outbox_stop(), then free everything; if the stop fails, nothing is freed. NULL is allowed.
 * @return NULL. */
struct outbox *outbox_free(struct outbox *outbox);

/**
 * Copy a message in (its `id` and `boot_id` are not read).
 * @return 0; -EMSGSIZE larger than the whole outbox; -ENOBUFS full, by the policy or because all
 *         messages are in flight; -ENOMEM. In all three cases the message is counted as dropped
 *         and, if it is an event, added to a gap. If the outbox is full, a reply goes to the lane
 *         of replies instead.
 */
int outbox_put(struct outbox *outbox, const struct outbox_message *message);

/**
 * Messages and notes between these two calls are committed in one transaction: after a crash all of
 * them exist, or none. Pairs may be nested. Nothing is committed between them, so they must be
 * close together (one wake-up of the loop).
 */
void outbox_group_begin(struct outbox *outbox);
void outbox_group_end(struct outbox *outbox);

/* ---- the journal: small notes by key, in the same transactions ---- */

#define OUTBOX_KEY_MAX 64U

/**
 * Note @p value under @p key, replacing an earlier value. It is committed together with the
 * messages of the same group. Without a disk nothing is kept. When a failed disk works again, notes
 * of the meantime are written.
 * @param key 1 to OUTBOX_KEY_MAX bytes. Key and value are copied.
 * @return 0; -EINVAL; -ENOMEM.
 */
int outbox_journal_put(struct outbox *outbox, const char *key, const void *value, size_t len);
/** Remove a note, as outbox_journal_put(). A missing note is not an error. */
int outbox_journal_remove(struct outbox *outbox, const char *key);
/** Whether the notes of earlier boots are known because a database was opened; always true without
 * a disk. Any thread. */
bool outbox_journal_is_known(struct outbox *outbox);
/**
 * Visit the notes of earlier boots, in the order of the keys, as they were when the database was
 * opened. A non-zero result of @p visit stops and is returned.
 */
int outbox_journal_foreach(struct outbox *outbox,
                           int (*visit)(void *user, const char *key, const void *value, size_t len),
                           void *user);

/** The reason's name in events and notes; static. */
const char *outbox_reason_name(enum outbox_reason reason);
/**
 * Take the next range of dropped events, to announce it by an event. Then call outbox_gap_told() or
 * outbox_gap_again() before taking another one. The range is kept, also on disk, until that event
 * is acknowledged, and taken again if the event is dropped in turn.
 * @return whether there was one; false also while too many such events are unacknowledged.
 */
bool outbox_take_gap(struct outbox *outbox, struct outbox_gap *ret_gap);
/** Whether an event that announces a gap fits without pushing out another: a tenth is free,
 * counting @p more such events that were emitted but not put yet. */
bool outbox_has_room(struct outbox *outbox, uint64_t more);
/** The event @p seq announces the range taken last; 0: no event will, drop the range. */
void outbox_gap_told(struct outbox *outbox, uint64_t seq);
/** The range taken last could not be announced now; keep it. */
void outbox_gap_again(struct outbox *outbox);

/** Take the next message; it is in flight until it is released or rewound. @return 0; -EAGAIN none
 * (yet). */
int outbox_take(struct outbox *outbox, struct outbox_message *ret_message);
/** Take up to @p max messages. @return their number; 0 none (yet). */
size_t outbox_take_some(struct outbox *outbox, struct outbox_message *ret_messages, size_t max);
/** Take the next message that is not an event (a reply). Replies wait only briefly for the events
 * before them, but for the disk like events. @return 0; -EAGAIN none (yet). */
int outbox_take_reply(struct outbox *outbox, struct outbox_message *ret_message);
/** Remove a message that was acknowledged, or sent at QoS 0. @return 0; -ENOENT. */
int outbox_release(struct outbox *outbox, uint64_t id);
/** Release @p n messages; unknown ids are ignored. */
void outbox_release_some(struct outbox *outbox, const uint64_t *ids, size_t n);
/** Drop a message that can never be sent, and add it to a gap. @return 0; -ENOENT. */
int outbox_give_up(struct outbox *outbox, uint64_t id, enum outbox_reason reason);
/** Make all taken and unreleased messages available again, in order, after a broken connection. */
void outbox_rewind(struct outbox *outbox);

/** Set whether a broker accepts messages; initially false. For OUTBOX_DISK_WHEN_AWAY. */
void outbox_set_connected(struct outbox *outbox, bool connected);

/** The process will end soon: from now on continue without a disk that does not answer for @p
 * stall_ns, so that there is time to log it. Any thread. */
void outbox_hurry(struct outbox *outbox, uint64_t stall_ns);

/** Wait until all messages are on disk. @return 0; -ETIMEDOUT, also if a call of the disk has hung
 * since the start; -EIO the outbox is in memory only. */
int outbox_flush(struct outbox *outbox, uint64_t timeout_ns);

void outbox_get_stats(struct outbox *outbox, struct outbox_stats *ret_stats);

/** @return the version of SQLite that is loaded; static. Thread: any. */
const char *outbox_library_version(void);

#endif
