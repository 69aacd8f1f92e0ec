/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_internal.h
 * @brief What the files of the outbox share.
 *
 *   outbox.c         the calls, the policy
 *   outbox_list.c    the list: what waits, in order
 *   outbox_gap.c     what was given up
 *   outbox_reply.c   the lane of replies, which overtake events
 *   outbox_journal.c the notes
 *   outbox_rows.c    rows to be deleted
 *   outbox_disk*.c   the outbox's own thread, which alone uses the database
 *   outbox_away.c    when messages need not be written
 *   outbox_db*.c     the database
 *
 * One list in the order of putting, of entries (messages in memory) and ranges
 * (messages that are on disk only: neighbours of one boot with consecutive rows
 * and, where they are events, consecutive seqs; so a range is of a fixed size
 * and still says exactly what is in it):
 *
 *   [taken] [taken] [ready] [ready] [range 1000] [qos 0] [range 70000] [unwritten] [unwritten]
 *                    ^next           ^first_range                       ^unwritten
 *
 * In normal operation entries become ready at a commit, or are folded into a
 * range at once when enough are ready; when few are ready some of the first
 * range are read back.
 */
#ifndef CUEBUS_OUTBOX_INTERNAL_H
#define CUEBUS_OUTBOX_INTERNAL_H

#include <pthread.h>

#include "outbox.h"
#include "outbox_db.h"

struct outbox_boot {
	struct outbox_boot *next;
	char id[OUTBOX_BOOT_ID_SIZE];
};

struct outbox_node {
	struct outbox_node *before, *after;
	bool is_range;
};

struct outbox_entry {
	struct outbox_node node;
	struct outbox_message message;
	const struct outbox_boot *boot;
	size_t size;    /* of the allocation: what max_bytes counts */
	uint64_t row;   /* in the present database; 0: not there */
	bool taken;     /* in flight */
	bool was_taken; /* at some time */
	bool busy;      /* in the transaction that is being written */
	bool gone;      /* busy, but released or dropped: no longer in the list */
	struct outbox_entry *batch_next;
	uint64_t put_ns, group; /* see outbox_away.c; 0 otherwise */
	char bytes[];
};

struct outbox_range {
	struct outbox_node node;
	const struct outbox_boot *boot;
	struct outbox_db *db; /* the present one, or one that is only read any more */
	uint64_t row;         /* of the first */
	uint64_t seq;         /* of the first; 0: none of them is an event */
	uint64_t count;
	uint64_t bytes;
	bool busy; /* being read: freed by whoever reads it, even when nothing is left of it */
};

/* ---- gaps ---- */

/** Key of the gaps among the notes of the journal's table. */
#define OUTBOX_GAPS_KEY "gaps"
/** Events that announce a gap, and are not yet acknowledged. */
#define OUTBOX_GAP_NEWS 64U

struct outbox_gap_range {
	const struct outbox_boot *boot;
	uint64_t from_seq, to_seq, count;
	enum outbox_reason reason;
};

/**
 *   a range         | moves to  | when
 *   in `ranges`     | `news`    | it is taken, to be announced by an event
 *   in `news`       | `ranges`  | that event could not be emitted, or is given up in its turn
 *   in `news`       | -         | that event is acknowledged
 */
struct outbox_gaps {
	struct outbox_gap_range ranges[OUTBOX_GAPS_MAX]; /* a ring */
	size_t first, n;
	struct outbox_gap_news {
		struct outbox_gap_range range;
		uint64_t seq; /* of the event, of this boot; 0: none as yet, only in the last one */
	} news[OUTBOX_GAP_NEWS];
	size_t n_news;
	const struct outbox_boot *own; /* of the events in `news` */
	bool dirty;                    /* changed since it was put in words for the disk */
};

void outbox_gaps_add(struct outbox_gaps *gaps, const struct outbox_boot *boot, uint64_t from_seq,
                     uint64_t count, enum outbox_reason reason);
/** @param own the boot that is told as "". @return false: none, or too many are unacknowledged. */
bool outbox_gaps_take(struct outbox_gaps *gaps, const struct outbox_boot *own,
                      struct outbox_gap *ret_gap);
/** The range that was taken last is announced by the event @p seq; 0: by none, forget it. */
void outbox_gaps_told(struct outbox_gaps *gaps, uint64_t seq);
/** The range that was taken last could not be announced: it is the first to be taken again. */
void outbox_gaps_again(struct outbox_gaps *gaps);
/** Events in ranges that nothing announces: those that wait to be taken. */
uint64_t outbox_gaps_untold(const struct outbox_gaps *gaps);
/** The event @p seq of this boot is acknowledged. */
void outbox_gaps_arrived(struct outbox_gaps *gaps, uint64_t seq);
/** All ranges as text for the disk, without a NUL, the caller's to free; length 0 when there are
 * none. @return 0; -ENOMEM. */
int outbox_gaps_write(const struct outbox_gaps *gaps, char **ret_text, size_t *ret_len);
/** Add what outbox_gaps_write() wrote in an earlier boot; lines that it did not write are passed
 * over. Mutex held. */
void outbox_gaps_read(struct outbox *outbox, const char *text, size_t len);

/* ---- rows to be deleted ---- */

struct outbox_rows {
	struct outbox_row_range {
		uint64_t from, to;
	} * ranges;
	size_t n, size;
};

/** Without memory the row stays on disk, and is sent again after the next start. */
void outbox_rows_add(struct outbox_rows *rows, uint64_t from, uint64_t count);
void outbox_rows_add_all(struct outbox_rows *rows, const struct outbox_rows *others);
void outbox_rows_clear(struct outbox_rows *rows);

/* ---- journal ---- */

/** Buckets that need no memory of their own: enough for a quiet gateway. */
#define OUTBOX_JOURNAL_BUCKETS 1024U
/* Of changes that wait to be written, beside as much as the notes take. */
#define OUTBOX_OPS_BYTES (1024U * 1024U)

/** A change that is not yet committed. */
struct outbox_op {
	struct outbox_op *next;
	char key[OUTBOX_KEY_MAX + 1];
	bool remove;
	size_t len;
	char value[];
};

struct outbox_note {
	struct outbox_note *next;
	char key[OUTBOX_KEY_MAX + 1];
	bool was_there; /* of an earlier boot */
	size_t len;
	char *value;
};

struct outbox_journal {
	/* All that is noted; in `larger` when there is much of it. */
	struct outbox_note *buckets[OUTBOX_JOURNAL_BUCKETS];
	struct outbox_note **larger;
	size_t n_larger, n_notes;
	struct outbox_op *ops, **ops_tail;
	uint64_t note_bytes, op_bytes;
	bool rewrite; /* the file does not have what is noted: write all, instead of ops */
};

void outbox_journal_init(struct outbox_journal *journal);
void outbox_journal_clear(struct outbox_journal *journal);
/** What is to be written is forgotten; the notes stay. */
void outbox_journal_drop_ops(struct outbox_journal *journal);
/** Value NULL: remove. @param with_op also to be written. @return 0; -ENOMEM, nothing changed. */
int outbox_journal_set(struct outbox_journal *journal, const char *key, const void *value,
                       size_t len, bool with_op);
/** A note found on disk; one that is there already wins. */
int outbox_journal_found(struct outbox_journal *journal, const char *key, const void *value,
                         size_t len);
/** @return the note's value, valid until the next change, or NULL. */
const void *outbox_journal_get(struct outbox_journal *journal, const char *key, size_t *ret_len);
/** What is to be written, the caller's to free. With `rewrite`: all notes. @return 0; -ENOMEM. */
int outbox_journal_steal_ops(struct outbox_journal *journal, struct outbox_op **ret_ops);
void outbox_ops_free(struct outbox_op *ops);

/* ---- the disk ---- */

/*
 *   state  | a write or read fails          | its time to try again
 *   OK     | log, -> MEMORY                 | does not come
 *   MEMORY | later, with twice the patience | everything unwritten written: log, -> OK
 */
enum outbox_disk_state { OUTBOX_DISK_OK, OUTBOX_DISK_MEMORY };

#define OUTBOX_SOURCES_MAX 4U

struct outbox_disk {
	char *dir, *path;
	struct state_lock *lock;
	void (*known_call)(void *user);
	void *known_user;
	enum outbox_sync sync;
	struct log *log;
	uint64_t sync_interval_ns, commit_interval_ns, check_interval_ns;
	uint64_t retry_min_ns, retry_max_ns, open_wait_ns, stall_ns, end_wait_ns;
	unsigned window;
	uint64_t window_bytes;
	pthread_t thread;
	bool started;
	atomic_bool halt;    /* SQLite is to end what it does: nobody waits for it any more */
	pthread_cond_t work; /* for the outbox's thread */
	/* for who waits in outbox_flush(), outbox_stop() or outbox_disk_new() */
	pthread_cond_t done;

	/* The outbox's thread's own (`db` is changed under the mutex): */
	struct outbox_db *db;      /* NULL: none could be opened */
	bool adopted;              /* what was in it at its opening is in the list */
	struct outbox_db *salvage; /* a damaged one that has yet to be looked through */
	struct outbox_db
	        *sources[OUTBOX_SOURCES_MAX]; /* damaged or removed ones that ranges lie in */
	uint64_t last_row;
	uint64_t last_commit_ns, next_check_ns;
	uint64_t retry_ns, patience_ns, read_retry_ns;
	bool damaged;   /* the file must be set aside before the next one is made */
	bool was_ok;    /* has been in state OK */
	bool committed; /* since the last read */
	unsigned stuck; /* ways back in a row that ended in a read which the disk refused … */
	uint64_t stuck_since_ns;  /* … since */
	bool unreadable;          /* … for too long: what it refuses is given up */
	unsigned unread;          /* reads of ranges that failed in a row … */
	uint64_t unread_since_ns; /* … since */
	unsigned doubts;          /* times the file was called damaged and found sound … */
	uint64_t doubted_ns;      /* … last */
	unsigned no_memory;       /* failures with -ENOMEM in a row; the outbox's own thread's */
	bool warned_links;
	int last_failure;

	/* Under the outbox's mutex: */
	enum outbox_disk_state state;
	char reason[OUTBOX_REASON_SIZE];
	bool quit, flush, ended;
	bool tried; /* to open the database, for the first time */
	bool known; /* the notes of earlier boots are */
	bool lazy;  /* the thread sleeps, longer than a put may wait */
	bool idle;  /* … and has no deletion to see to either */
	bool writing;
	bool adopting; /* what earlier boots left is not in the list yet: nothing may be taken */
	bool unsynced;
	uint64_t sync_at_ns, deletes_since_ns;
	uint64_t call_since_ns; /* the disk is being waited for since; 0: it is not */
	bool stalled;           /* … so long that it is gone on without */
};

/** @return 0; -ENOMEM; -EAGAIN. */
int outbox_disk_new(struct outbox *outbox, const struct outbox_config *config);
/** Ends the thread, when all is written. @return 0; -ETIMEDOUT as outbox_stop(). */
int outbox_disk_end(struct outbox *outbox);
/** After outbox_disk_end(). */
void outbox_disk_free(struct outbox *outbox);
/** Mutex held. There is something to write, or to read. */
void outbox_disk_wake(struct outbox *outbox);
/** Mutex held. Whether messages are taken although they are not on disk. */
bool outbox_disk_is_out(struct outbox *outbox);

/* ---- for the files of the outbox's thread; mutex held, given up while the disk works ---- */

void outbox_disk_call_begin(struct outbox *outbox);
void outbox_disk_call_end(struct outbox *outbox);
void outbox_disk_tell_egress(struct outbox *outbox);
/** Ranges that waited for room can be announced. */
void outbox_disk_tell_room(struct outbox *outbox);
/** Whether there are too few ready entries, and a range to read more from. */
bool outbox_disk_is_refill_due(const struct outbox *outbox);
/** Into state MEMORY, or longer in it. @param what the failure in words. */
void outbox_disk_fail(struct outbox *outbox, int error, const char *what);
/**
 * Whether @p error, of a read, comes from what is in the file, and not from a disk that may read it
 * later. SQLite answers a damaged file with "out of memory" too, and a bad sector is never read:
 * after some tries in a row (of -EIO, and a minute) either is taken for damage, for nothing behind
 * it could be sent else. The outbox's own thread only.
 */
bool outbox_disk_is_damage(const struct outbox_disk *disk, int error);
/** A read of what waits succeeded; failed. The outbox's own thread only. */
void outbox_disk_has_read(struct outbox_disk *disk);
void outbox_disk_has_not_read(struct outbox_disk *disk);
/** Open the database, setting a damaged one aside. Without the mutex. @return 0 or negative errno,
 * text in @p error. */
int outbox_disk_prepare(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE]);
/** It is time to try: all on disk, and into state OK, or outbox_disk_fail(). */
void outbox_disk_return(struct outbox *outbox);
/** One transaction of at most @p limit messages and half of max_memory_bytes. @return 1 more are to
 *  be written; 0; negative errno. */
int outbox_disk_write(struct outbox *outbox, unsigned limit, bool probe);
/** Ranges for all rows in @p db. @param tolerant as many as can be read. @return 0; negative errno.
 */
int outbox_disk_adopt(struct outbox *outbox, struct outbox_db *db, bool tolerant);
/** Some of @p range into memory. @param tolerant what can't be read is given up. @return 0;
 * negative errno. */
int outbox_disk_load(struct outbox *outbox, struct outbox_range *range, bool tolerant);

/* ---- outbox.disk when_away: outbox_away.c; mutex held ---- */

struct outbox_away {
	bool wanted;
	bool connected;
	bool memory;  /* phase MEMORY */
	bool marking; /* a mark is in the transaction that is being written */
	uint64_t patience_ns, calm_ns;
	uint64_t not_before_ns;    /* no phase MEMORY before this time */
	uint64_t last_seq;         /* the highest put */
	uint64_t reserved_to;      /* in the committed mark … */
	uint64_t next_reserved_to; /* … and in the one being written */
	uint64_t reserve, marked_ns;
	uint64_t group; /* number of the open group, or of the next */
	/* oldest group with notes that wait, that are being written; 0: none */
	uint64_t noted, noting;
};

void outbox_away_init(struct outbox *outbox, const struct outbox_config *config);
/** Whether a durable entry may be sent although it is not written. */
bool outbox_away_is_takeable(const struct outbox *outbox, const struct outbox_entry *entry);
/** @p entry is being put. */
void outbox_away_put(struct outbox *outbox, struct outbox_entry *entry);
/** Something is noted in the journal. */
void outbox_away_note(struct outbox *outbox);
/** The outermost group ended. @return whether messages can be taken now. */
bool outbox_away_group_end(struct outbox *outbox);
bool outbox_away_is_mark_due(const struct outbox *outbox);
/** Whether so much waits in phase MEMORY that it has to be left. */
bool outbox_away_is_crowded(const struct outbox *outbox);

/* For the outbox's thread: */

/** Leave phase MEMORY where that is due. @return when it will be at the earliest. */
uint64_t outbox_away_step(struct outbox *outbox, uint64_t now_ns);
void outbox_away_leave(struct outbox *outbox);
/** A transaction begins, is committed (@return whether messages can be taken now), has failed. */
void outbox_away_begin(struct outbox *outbox);
bool outbox_away_committed(struct outbox *outbox);
void outbox_away_failed(struct outbox *outbox);
/** The journal on disk has been read: name what a killed boot had in memory. */
void outbox_away_found(struct outbox *outbox);

/* ---- the lane of replies: outbox_reply.c; mutex held ---- */

struct outbox_replies {
	struct outbox_node *head, *tail, *next; /* up to `next` in flight */
	uint64_t n, bytes;
};

/** @p entry is in no list; it becomes the lane's. */
void outbox_reply_add(struct outbox *outbox, struct outbox_entry *entry);
/** One in flight is done with. @return whether it was one of the lane's. */
bool outbox_reply_done(struct outbox *outbox, uint64_t id, bool dropped);
void outbox_reply_free(struct outbox *outbox);

struct outbox {
	uint64_t max_events, max_bytes;
	uint64_t max_memory_bytes; /* max_bytes without a disk */
	void (*room)(void *user);
	void *room_user;
	enum outbox_full full;
	void (*wake)(void *user);
	void *user;
	struct outbox_disk *disk;  /* NULL: memory only */
	pthread_mutex_t mutex;     /* guards everything below */
	struct outbox_boot *boots; /* the last in this list is this one */
	const struct outbox_boot *own;
	struct outbox_node *head, *tail, *next;
	struct outbox_range *first_range; /* none before `next` */
	struct outbox_node *unwritten;    /* see outbox_first_unwritten() */
	unsigned held;                    /* groups that are open */
	unsigned ready;                   /* entries that are on disk and not taken */
	uint64_t memory_only_bytes;       /* of the entries in the list without a row */
	uint64_t last_id;
	struct outbox_gaps gaps;
	struct outbox_rows deletes;
	struct outbox_journal journal;
	struct outbox_away away;
	struct outbox_replies replies;
	struct outbox_stats stats;
};

/* ---- the list; mutex held, unless said otherwise ---- */

static inline struct outbox_entry *outbox_as_entry(struct outbox_node *node)
{
	return (struct outbox_entry *)node; /* the node is its first member */
}

static inline struct outbox_range *outbox_as_range(struct outbox_node *node)
{
	return (struct outbox_range *)node;
}

/** Whether it is written to disk. */
static inline bool outbox_is_durable(const struct outbox *outbox, const struct outbox_entry *entry)
{
	return outbox->disk && entry->message.qos > 0;
}

/** Any thread, no mutex. @return NULL without memory. */
struct outbox_entry *outbox_entry_new(const struct outbox_message *message,
                                      const struct outbox_boot *boot);
/** The bytes that an entry with @p content bytes takes. */
uint64_t outbox_entry_size(uint64_t content);

/** Intern. @return NULL without memory. */
const struct outbox_boot *outbox_boot(struct outbox *outbox, const char *id);

/** @p where NULL: at the end. */
void outbox_insert(struct outbox *outbox, struct outbox_node *node, struct outbox_node *where);
/** Take out of the list; not freed, not counted. */
void outbox_unlink(struct outbox *outbox, struct outbox_node *node);
/** Count in or out. */
void outbox_count_entry(struct outbox *outbox, const struct outbox_entry *entry, bool in);
void outbox_count_range(struct outbox *outbox, uint64_t count, uint64_t bytes, bool in);

/** Whether a range waits that can be announced now. */
bool outbox_is_gap_due(const struct outbox *outbox);

/** Out of the list, off the disk, freed; a busy one by the outbox's thread, later. */
void outbox_remove_entry(struct outbox *outbox, struct outbox_entry *entry);
/** Give up the message that would be taken next. @return false: there is none. */
bool outbox_drop_next(struct outbox *outbox, enum outbox_reason reason);
/** Give up the oldest that is on no disk and was never sent; a reply goes to the lane of replies
 * instead, which has bounds of its own. @return false: there is none. */
bool outbox_drop_from_memory(struct outbox *outbox, enum outbox_reason reason);
/** The first of a range left it, having been read or dropped. @return the bytes it counted. */
uint64_t outbox_range_pop(struct outbox_range *range);
/** Where nothing is left of it, and nobody reads it: out of the list, freed. */
void outbox_range_drop_if_empty(struct outbox *outbox, struct outbox_range *range);

/** From @p node on the first durable entry without a row, or the first range that lies in another
 * database than @p db. */
struct outbox_node *outbox_first_unwritten(const struct outbox *outbox, struct outbox_node *node,
                                           const struct outbox_db *db);

/**
 * Keep a committed entry on disk only. @return the same list with a range in
 * its place; without memory the entry stays.
 */
void outbox_fold(struct outbox *outbox, struct outbox_entry *entry, struct outbox_db *db);

#endif
