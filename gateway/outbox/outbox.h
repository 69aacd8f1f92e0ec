/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox.h
 * @brief Store-and-forward between the loop (put) and the egress thread (take),
 *        on disk when there is a folder for it, else in memory.
 *
 * Events leave in the order in which they were put; replies (messages without a seq) overtake
 * events, see outbox_take_reply(). A message is gone only
 * when it was released. With a disk, a QoS 1 message can be taken only after
 * the transaction it is in was committed; so whatever anybody saw is on disk,
 * with all that came before it (but see OUTBOX_DISK_WHEN_AWAY). Messages of
 * QoS 0 are never written, but keep their place in the order.
 *
 * Where the disk fails the outbox goes on in memory, in the same order and
 * within the same bounds, and returns to the disk when that works again.
 *
 * Threads: put, group, journal, take_gap from the loop thread; take, release,
 * give_up, rewind and set_connected from the egress thread; stats from any. None of these
 * waits for the network or the disk. outbox_new(), outbox_flush() and
 * outbox_free() do wait for the disk.
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

/** Replies that wait to be sent: so many, so large, so long; beyond it the oldest are dropped. */
#define OUTBOX_REPLIES_MAX   10000U
#define OUTBOX_REPLIES_BYTES (16U * 1024U * 1024U)
#define OUTBOX_REPLY_AGE_NS  60000000000ULL
/** A reply waits so long for the events before it, then it overtakes them. */
#define OUTBOX_REPLY_PATIENCE_NS 50000000ULL

#define OUTBOX_BOOT_ID_SIZE 33U
#define OUTBOX_REASON_SIZE  192U

/** One message; `topic`, `payload` and `correlation` belong to the outbox
 *  and live until it is released. */
struct outbox_message {
	/** names it to release() and give_up(); from 1, never used again; not read by put */
	uint64_t id;
	uint64_t seq; /**< bus seq, 0 for what is no event (replies) */
	/** the boot that `seq` belongs to; not read by put; lives as long as the outbox */
	const char *boot_id;
	const char *topic;
	const void *payload;
	size_t payload_len;
	int qos;
	bool retain;
	const void *correlation; /**< MQTT 5 correlation data of a reply, or NULL */
	size_t correlation_len;
};

/** Why events were given up. */
enum outbox_reason {
	OUTBOX_REASON_FULL,
	OUTBOX_REASON_NO_MEMORY,
	OUTBOX_REASON_TOO_LARGE, /**< for the broker; see outbox_give_up() */
	OUTBOX_REASON_REFUSED,   /**< by the broker */
	OUTBOX_REASON_REJECTED,  /**< the broker ended the session for it, several times */
	OUTBOX_REASON_DISK,      /**< they were on disk and can't be read any more */
	/** The process was killed while it had unwritten ones in memory (OUTBOX_DISK_WHEN_AWAY).
	 *  Those of the range that have not arrived are lost, and only those. */
	OUTBOX_REASON_KILLED,
};

/**
 * Events (messages with a seq) given up: every seq from `from_seq` to `to_seq`,
 * `count` of them. Only when more than OUTBOX_GAPS_MAX ranges wait to be
 * fetched are some joined; then `count` is less than the range is long.
 */
struct outbox_gap {
	char boot_id[OUTBOX_BOOT_ID_SIZE]; /**< "" for this boot, else the earlier one */
	uint64_t from_seq, to_seq, count;
	enum outbox_reason reason;
};
#define OUTBOX_GAPS_MAX 1024U

struct outbox_stats {
	uint64_t events, bytes;    /**< messages waiting or in flight now; those on disk included */
	uint64_t replies;          /**< waiting in the lane of replies; not among `events` */
	uint64_t memory_events;    /**< of these, how many are in memory … */
	uint64_t memory_bytes;     /**< … and what they take there */
	uint64_t unwritten_events; /**< in memory, waiting for the disk: what a kill would lose */
	uint64_t peak_events;
	uint64_t put, released;
	uint64_t dropped;         /**< given up, messages that are no events included */
	uint64_t dropped_full;    /**< of these, those given up because the outbox was full */
	uint64_t dropped_memory;  /**< of those, the ones over max_memory_bytes */
	uint64_t dropped_replies; /**< of these, those that are no events; no gap names them */
	/** events given up that no event announces as yet: see outbox_take_gap() */
	uint64_t untold;
	uint64_t resent;   /**< taken again after outbox_rewind() */
	uint64_t restored; /**< of earlier boots, found on disk */
	uint64_t commits, syncs;
	uint64_t disk_failures; /**< times the disk failed */
	bool unread;            /**< what earlier boots left on disk has not been looked through */
	bool on_disk;           /**< what is put now will be on disk, unless `idle` */
	bool idle; /**< OUTBOX_DISK_WHEN_AWAY, and the broker acknowledges: nothing is written */
	char reason[OUTBOX_REASON_SIZE]; /**< why it will not, "" when it will */
};

struct outbox_config {
	uint64_t max_events, max_bytes; /**< bounds over all, in memory and on disk together */
	enum outbox_full full;
	/** Called when the egress thread may have work, from the loop's or the
	 *  outbox's own thread, not under the outbox's lock. May be NULL. */
	void (*wake)(void *user);
	void *user;
	/** Called with `room_user` from the thread that releases or the outbox's own, not under
	 *  the outbox's lock, when a range that waited for room can be taken (see
	 *  outbox_take_gap()). May be NULL. */
	void (*room)(void *user);
	void *room_user;

	/* Only with a disk: */
	/** Of max_bytes, what may be in memory and on no disk: while the disk is slow, hangs or
	 *  fails, and of QoS 0; 0: all. */
	uint64_t max_memory_bytes;
	const char *dir; /**< state_dir, made if it does not exist; NULL: memory only. Copied. */
	const char *boot_id; /**< of this boot. Copied. */
	enum outbox_sync sync;
	enum outbox_when when;
	struct log *log; /**< borrowed; NULL: say nothing */
	/** Held before the database is opened, and looked after; borrowed. NULL: nobody else can
	 *  have the folder. */
	struct state_lock *lock;
	/** Called from the outbox's own thread when what earlier boots noted is known (see
	 *  outbox_journal_is_known()). May be NULL. */
	void (*known)(void *user);
	void *known_user;
	/* For tests; 0 is the default. */
	uint64_t sync_interval_ns; /**< 50 ms */
	/** least time between two commits, except with `always`: 1 ms */
	uint64_t commit_interval_ns;
	uint64_t check_interval_ns; /**< between looks whether the file is still there: 2 s */
	/** back to a disk that failed: 1 s, doubling up to 60 s */
	uint64_t retry_min_ns, retry_max_ns;
	uint64_t open_wait_ns; /**< outbox_new() waits so long for the database: 5 s */
	uint64_t end_wait_ns;  /**< see outbox_stop(): 3 s */
	uint64_t stall_ns;     /**< no answer from the disk for so long: on without it; 5 s */
	/** OUTBOX_DISK_WHEN_AWAY: a message that waits for so long is written; 5 s */
	uint64_t patience_ns;
	uint64_t calm_ns; /**< … nothing is written again when none waits for so long; 1 s */
	unsigned memory_window;       /**< committed messages kept in memory as well: 1024 */
	uint64_t memory_window_bytes; /**< … unless there are more bytes in memory: 16 MiB */
};

/**
 * Waits for the disk, as far as to open the database, and no longer than
 * `open_wait_ns`. What earlier boots left comes first, in order. A disk that does
 * not work or answer is no failure of this function: the outbox begins in memory
 * (see stats).
 * @return 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int outbox_new(const struct outbox_config *config, struct outbox **ret_outbox);
/**
 * Write what is not yet written, close the files, end the thread. No other thread may use the
 * outbox any more, and only outbox_free() may follow.
 * @return 0; -ETIMEDOUT a call of the disk has not returned for `end_wait_ns`, nor for as long
 * after SQLite was told to end: the thread still uses the outbox and all that its config points
 * to, so the process has to be left with _exit().
 */
int outbox_stop(struct outbox *outbox);
/** As outbox_stop(); where that fails nothing is freed. NULL is allowed. @return NULL. */
struct outbox *outbox_free(struct outbox *outbox);

/**
 * Copy a message in (its `id` and `boot_id` are not read).
 * @return 0; -EMSGSIZE larger than the whole outbox; -ENOBUFS full, by the
 *         policy or because all are in flight; -ENOMEM. All three are counted
 *         as dropped and, where the message is an event, into a gap. A reply
 *         that finds it full goes to the lane of replies instead.
 */
int outbox_put(struct outbox *outbox, const struct outbox_message *message);

/**
 * What is put and noted in the journal between these two is committed in one
 * transaction: after a crash all of it is there, or nothing. Pairs may be
 * nested. Between them nothing is committed, so they must be close together
 * (one wake of the loop).
 */
void outbox_group_begin(struct outbox *outbox);
void outbox_group_end(struct outbox *outbox);

/* ---- the journal: small notes by key, in the same transactions ---- */

#define OUTBOX_KEY_MAX 64U

/**
 * Note @p value under @p key, in place of what was there. Is committed together
 * with the messages of the same group. Without a disk nothing is kept; when a
 * disk that failed works again, it gets what was noted meanwhile.
 * @param key 1 to OUTBOX_KEY_MAX bytes. Key and value are copied.
 * @return 0; -EINVAL; -ENOMEM.
 */
int outbox_journal_put(struct outbox *outbox, const char *key, const void *value, size_t len);
/** As outbox_journal_put(); that there is no such note is no error. */
int outbox_journal_remove(struct outbox *outbox, const char *key);
/** Whether a database was opened, so that what earlier boots noted is known; always without a
 *  disk. Any thread. */
bool outbox_journal_is_known(struct outbox *outbox);
/**
 * What earlier boots noted and did not remove, in the order of the keys, as it
 * was when the database was opened. Non-zero from @p visit stops and is returned.
 */
int outbox_journal_foreach(struct outbox *outbox,
                           int (*visit)(void *user, const char *key, const void *value, size_t len),
                           void *user);

/** As it is written in events and in notes; static. */
const char *outbox_reason_name(enum outbox_reason reason);
/**
 * The next range that was given up, to be announced by an event. Say with outbox_gap_told() or
 * outbox_gap_again() what became of it, before the next is taken. Until that event is acknowledged
 * the range is kept, on disk too, and taken again when the event is given up in its turn.
 * @return true if there was one; false also while too many such events are unacknowledged.
 */
bool outbox_take_gap(struct outbox *outbox, struct outbox_gap *ret_gap);
/** Whether an event that announces a gap fits and pushes no other out: a tenth is free, with
 *  @p more such events that were emitted and not put yet. */
bool outbox_has_room(struct outbox *outbox, uint64_t more);
/** The event @p seq announces the range that was taken last; 0: none ever will, forget it. */
void outbox_gap_told(struct outbox *outbox, uint64_t seq);
/** The range that was taken last could not be announced now. */
void outbox_gap_again(struct outbox *outbox);

/** Next message not yet taken; stays in flight until released or rewound.
 *  @return 0; -EAGAIN none (yet). */
int outbox_take(struct outbox *outbox, struct outbox_message *ret_message);
/** The same for up to @p max messages. @return how many; 0 none (yet). */
size_t outbox_take_some(struct outbox *outbox, struct outbox_message *ret_messages, size_t max);
/** The same for the lane of messages that are no events (replies): they wait for the events before
 *  them for a moment only, but for the disk as these do. @return 0; -EAGAIN none (yet). */
int outbox_take_reply(struct outbox *outbox, struct outbox_message *ret_message);
/** Done with (acknowledged, or sent at QoS 0). @return 0; -ENOENT. */
int outbox_release(struct outbox *outbox, uint64_t id);
/** The same for @p n of them; those that are not there are passed over. */
void outbox_release_some(struct outbox *outbox, const uint64_t *ids, size_t n);
/** It can't be sent, now or ever: as release, and counted into a gap. @return 0; -ENOENT. */
int outbox_give_up(struct outbox *outbox, uint64_t id, enum outbox_reason reason);
/** After a broken connection: all taken and not released are to be taken again, in order. */
void outbox_rewind(struct outbox *outbox);

/** Whether there is a broker that takes messages; at first there is
 *  none. For OUTBOX_DISK_WHEN_AWAY. */
void outbox_set_connected(struct outbox *outbox, bool connected);

/** The process is about to end: from now on a disk that does not answer is gone on without after
 *  @p stall_ns, so that there is time left to say so. Any thread. */
void outbox_hurry(struct outbox *outbox, uint64_t stall_ns);

/** Wait until all that was put is on disk. @return 0; -ETIMEDOUT, also where a call of the disk has
 * hung since the start; -EIO it is in memory only. */
int outbox_flush(struct outbox *outbox, uint64_t timeout_ns);

void outbox_get_stats(struct outbox *outbox, struct outbox_stats *ret_stats);

/** @return the version of SQLite that is loaded; static. Thread: any. */
const char *outbox_library_version(void);

#endif
