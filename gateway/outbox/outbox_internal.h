/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_internal.h
 * @brief Private: shared by the files of the outbox.
 *
 *   outbox.c         the public functions, the policy
 *   outbox_list.c    the list of waiting messages, in order
 *   outbox_gap.c     ranges of dropped events
 *   outbox_reply.c   the lane of replies, which overtake events
 *   outbox_room.c    room for the news of gaps
 *   outbox_notes.c   the calls of the journal
 *   outbox_journal.c the notes
 *   outbox_rows.c    rows to be deleted
 *   outbox_disk*.c   the outbox's own thread, the only user of the database
 *   outbox_away.c    when messages need not be written
 *   outbox_db*.c     the database
 *
 * One list in the order of putting, of entries (messages in memory) and ranges (messages only on
 * disk: adjacent messages of one boot with consecutive rows and, if they are events, consecutive
 * seqs; so a range has a fixed size but still describes its contents exactly):
 *
 *   [taken] [taken] [ready] [ready] [range 1000] [qos 0] [range 70000] [unwritten] [unwritten]
 *                    ^next           ^first_range                       ^unwritten
 *
 * In normal operation entries become ready at a commit. If enough are ready, further entries are
 * folded into a range; if few are ready, some messages of the first range are read back.
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
	size_t size;    /* of the allocation; counts for max_bytes */
	uint64_t row;   /* row in the current database; 0: none */
	bool taken;     /* in flight */
	bool was_taken; /* taken at least once */
	bool busy;      /* in the transaction being written */
	bool gone;      /* busy, but released or dropped: no longer in the list */
	struct outbox_entry *batch_next;
	uint64_t put_ns, group; /* see outbox_away.c; 0 otherwise */
	char bytes[];
};

struct outbox_range {
	struct outbox_node node;
	const struct outbox_boot *boot;
	struct outbox_db *db; /* the current database, or an old one open for reading */
	uint64_t row;         /* of the first */
	uint64_t seq;         /* of the first; 0: none of them is an event */
	uint64_t count;
	uint64_t bytes;
	bool busy; /* being read: only the reader may free it, even if it is empty */
};

/* ---- gaps ---- */

/** Key of the gaps among the notes of the journal's table. */
#define OUTBOX_GAPS_KEY "gaps"
/** Unacknowledged events that announce a gap. */
#define OUTBOX_GAP_NEWS 64U

struct outbox_gap_range {
	const struct outbox_boot *boot;
	uint64_t from_seq, to_seq, count;
	enum outbox_reason reason;
};

/**
 *   a range         | moves to  | when
 *   in `ranges`     | `news`    | it is taken, to be announced by an event
 *   in `news`       | `ranges`  | that event could not be emitted, or is dropped too
 *   in `news`       | -         | that event is acknowledged
 */
struct outbox_gaps {
	struct outbox_gap_range ranges[OUTBOX_GAPS_MAX]; /* a ring */
	size_t first, n;
	struct outbox_gap_news {
		struct outbox_gap_range range;
		/* of the event, of this boot; 0: not announced yet, only in the last element */
		uint64_t seq;
	} news[OUTBOX_GAP_NEWS];
	size_t n_news;
	const struct outbox_boot *own; /* of the events in `news` */
	bool dirty;                    /* changed since it was last written as text */
};

void outbox_gaps_add(struct outbox_gaps *gaps, const struct outbox_boot *boot, uint64_t from_seq,
                     uint64_t count, enum outbox_reason reason);
/** @param own the boot that is reported as "". @return false: none, or too many are
 *            unacknowledged. */
bool outbox_gaps_take(struct outbox_gaps *gaps, const struct outbox_boot *own,
                      struct outbox_gap *ret_gap);
/** The event @p seq announces the range taken last; 0: none will, drop the range. */
void outbox_gaps_told(struct outbox_gaps *gaps, uint64_t seq);
/** The range taken last could not be announced: it is the next one to be taken. */
void outbox_gaps_again(struct outbox_gaps *gaps);
/** Number of events in ranges that wait to be taken. */
uint64_t outbox_gaps_untold(const struct outbox_gaps *gaps);
/** The event @p seq of this boot is acknowledged. */
void outbox_gaps_arrived(struct outbox_gaps *gaps, uint64_t seq);
/** Write all ranges as text for the disk, without a NUL; the caller frees it. Length 0 if there are
 * none. @return 0; -ENOMEM. */
int outbox_gaps_write(const struct outbox_gaps *gaps, char **ret_text, size_t *ret_len);
/** Add the ranges of outbox_gaps_write() of an earlier boot; invalid lines are skipped. Mutex
 * held. */
void outbox_gaps_read(struct outbox *outbox, const char *text, size_t len);

/* ---- rows to be deleted ---- */

struct outbox_rows {
	struct outbox_row_range {
		uint64_t from, to;
	} * ranges;
	size_t n, size;
};

/** Add rows. Without memory a row stays on disk and is sent again after the next start. */
void outbox_rows_add(struct outbox_rows *rows, uint64_t from, uint64_t count);
void outbox_rows_add_all(struct outbox_rows *rows, const struct outbox_rows *others);
void outbox_rows_clear(struct outbox_rows *rows);

/* ---- journal ---- */

/** Buckets without separate allocation: enough for a quiet gateway. */
#define OUTBOX_JOURNAL_BUCKETS 1024U
/* Bytes of changes that may wait to be written, in addition to the bytes of the notes. */
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
	bool was_there; /* note of an earlier boot */
	size_t len;
	char *value;
};

struct outbox_journal {
	/* All notes; in `larger` if there are many. */
	struct outbox_note *buckets[OUTBOX_JOURNAL_BUCKETS];
	struct outbox_note **larger;
	size_t n_larger, n_notes;
	struct outbox_op *ops, **ops_tail;
	uint64_t note_bytes, op_bytes;
	bool rewrite; /* the file lacks notes: write all of them instead of ops */
};

void outbox_journal_init(struct outbox_journal *journal);
void outbox_journal_clear(struct outbox_journal *journal);
/** Discard pending changes; the notes stay. */
void outbox_journal_drop_ops(struct outbox_journal *journal);
/** Set a note; value NULL: remove it. @param with_op also write it. @return 0; -ENOMEM, nothing
 * changed. */
int outbox_journal_set(struct outbox_journal *journal, const char *key, const void *value,
                       size_t len, bool with_op);
/** Add a note found on disk, unless there is one already. */
int outbox_journal_found(struct outbox_journal *journal, const char *key, const void *value,
                         size_t len);
/** @return the note's value, valid until the next change, or NULL. */
const void *outbox_journal_get(struct outbox_journal *journal, const char *key, size_t *ret_len);
/** Copy the notes of earlier boots, because a visitor may change the journal; the caller frees them
 *  with outbox_ops_free(). @return 0; -ENOMEM. */
int outbox_journal_copy_found(struct outbox_journal *journal, struct outbox_op **ret_list,
                              size_t *ret_n);
/** Take the pending changes, or with `rewrite` all notes; the caller frees them. @return 0;
 * -ENOMEM. */
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
	atomic_bool halt;    /* interrupt SQLite: nobody waits for it any more */
	pthread_cond_t work; /* for the outbox's thread */
	/* for outbox_flush(), outbox_stop() and outbox_disk_new() */
	pthread_cond_t done;

	/* The outbox's thread's own (`db` is changed under the mutex): */
	struct outbox_db *db;      /* NULL: none could be opened */
	bool adopted;              /* its messages at the opening are in the list */
	struct outbox_db *salvage; /* a damaged file that must still be read */
	struct outbox_db *sources[OUTBOX_SOURCES_MAX]; /* damaged or removed files with ranges */
	uint64_t last_row;
	uint64_t last_commit_ns, next_check_ns;
	uint64_t retry_ns, patience_ns, read_retry_ns;
	bool damaged;             /* the file must be renamed before the next one is created */
	bool was_ok;              /* was in state OK before */
	bool committed;           /* committed since the last read */
	unsigned stuck;           /* returns in a row that ended in a refused read … */
	uint64_t stuck_since_ns;  /* … since */
	bool unreadable;          /* … for too long: refused data is given up */
	unsigned unread;          /* failed reads of ranges in a row … */
	uint64_t unread_since_ns; /* … since */
	unsigned doubts;          /* times the file was reported as damaged but found sound … */
	uint64_t doubted_ns;      /* … time of the last one */
	/* failures with -ENOMEM in a row; used by the outbox's own thread */
	unsigned no_memory;
	bool warned_links;
	int last_failure;

	/* Under the outbox's mutex: */
	enum outbox_disk_state state;
	char reason[OUTBOX_REASON_SIZE];
	bool quit, flush, ended;
	bool tried; /* opening the database was tried once */
	bool known; /* the notes of earlier boots are known */
	bool lazy;  /* the thread sleeps, longer than a put may wait */
	bool idle;  /* … and has no deletion to write either */
	bool writing;
	bool adopting; /* messages of earlier boots are not in the list yet: nothing may be taken */
	bool unsynced;
	uint64_t sync_at_ns, deletes_since_ns;
	uint64_t call_since_ns; /* start of the running call of the disk; 0: none */
	bool stalled;           /* waited too long; continue without the disk */
};

/** @return 0; -ENOMEM; -EAGAIN. */
int outbox_disk_new(struct outbox *outbox, const struct outbox_config *config);
/** End the thread after everything is written. @return 0; -ETIMEDOUT as outbox_stop(). */
int outbox_disk_end(struct outbox *outbox);
/** After outbox_disk_end(). */
void outbox_disk_free(struct outbox *outbox);
/** There is something to write or to read. Mutex held. */
void outbox_disk_wake(struct outbox *outbox);
/** Whether messages may be taken although they are not on disk. Mutex held. */
bool outbox_disk_is_out(struct outbox *outbox);

/* ---- for the files of the outbox's thread; mutex held, released during calls of the disk ---- */

void outbox_disk_call_begin(struct outbox *outbox);
void outbox_disk_call_end(struct outbox *outbox);
void outbox_disk_tell_egress(struct outbox *outbox);
/** Report that ranges that waited for room can be announced. */
void outbox_disk_tell_room(struct outbox *outbox);
/** Log once that the disk does not answer. */
void outbox_disk_tell_stalled(struct outbox *outbox);
/** Whether there is anything to write, deletions aside. */
bool outbox_disk_has_puts(const struct outbox *outbox);
/** Whether too few entries are ready and a range has more. */
bool outbox_disk_is_refill_due(const struct outbox *outbox);
/** Enter state MEMORY, or stay in it longer. @param what text of the failure. */
void outbox_disk_fail(struct outbox *outbox, int error, const char *what);
/**
 * Whether the @p error of a read means damage, and not a disk that may read the data later. SQLite
 * also reports "out of memory" for a damaged file, and a bad sector is never readable: after some
 * tries in a row (for -EIO also a minute) both count as damage, because otherwise nothing behind
 * the place could be sent. The outbox's own thread only.
 */
bool outbox_disk_is_damage(const struct outbox_disk *disk, int error);
/** Record that a read of waiting messages succeeded or failed. The outbox's own thread only. */
void outbox_disk_has_read(struct outbox_disk *disk);
void outbox_disk_has_not_read(struct outbox_disk *disk);
/** Open the database, renaming a damaged one. Without the mutex. @return 0 or negative errno, text
 * in @p error. */
int outbox_disk_prepare(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE]);
/** Handle damage found at opening or reading, for which outbox_disk_fail() was not called. */
void outbox_disk_found_damaged(struct outbox *outbox);
/** Acquire the lock before writing to the folder. Without the mutex.
 *  @return 0 or negative errno, text in @p error. */
int outbox_disk_hold_lock(const struct outbox_disk *disk, char error[OUTBOX_DB_ERROR_SIZE]);
/** Switch to another database, only if the folder exists: without it there is no place for a new
 *  file, and the old one may return with it. Without the mutex. @return as above. */
int outbox_disk_leave_if_gone(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE]);
/**
 * Count a return that ended in @p error. If the disk refused pages repeatedly for retry_max_ns, the
 * file counts as damaged: with a bad sector it can never be opened, read completely, or emptied.
 */
bool outbox_disk_is_unreadable(struct outbox_disk *disk, int error, bool refused);
/** Try to return to the disk: write everything and enter state OK, or call outbox_disk_fail(). */
void outbox_disk_return(struct outbox *outbox);
/** Write one transaction of at most @p limit messages and half of max_memory_bytes. @return 1 more
 * must be written; 0; negative errno. */
int outbox_disk_write(struct outbox *outbox, unsigned limit, bool probe);
/** Add ranges for all rows in @p db. @param tolerant skip unreadable rows. @return 0; negative
 * errno. */
int outbox_disk_adopt(struct outbox *outbox, struct outbox_db *db, bool tolerant);
/** Read some messages of @p range into memory. @param tolerant drop unreadable ones. @return 0;
 * negative errno. */
int outbox_disk_load(struct outbox *outbox, struct outbox_range *range, bool tolerant);

/* ---- outbox.disk when_away: outbox_away.c; mutex held ---- */

struct outbox_away {
	bool wanted;
	bool connected;
	bool memory;  /* phase MEMORY */
	bool marking; /* a mark is in the transaction being written */
	uint64_t patience_ns, calm_ns;
	uint64_t not_before_ns;    /* no phase MEMORY before this time */
	uint64_t last_seq;         /* highest seq put */
	uint64_t reserved_to;      /* reserved number in the committed mark … */
	uint64_t next_reserved_to; /* … and in the one being written */
	uint64_t reserve, marked_ns;
	uint64_t group; /* number of the open group, or of the next */
	/* oldest group whose notes wait, and whose notes are being written; 0: none */
	uint64_t noted, noting;
};

void outbox_away_init(struct outbox *outbox, const struct outbox_config *config);
/** Whether a durable entry may be sent unwritten. */
bool outbox_away_is_takeable(const struct outbox *outbox, const struct outbox_entry *entry);
/** @p entry is being put. */
void outbox_away_put(struct outbox *outbox, struct outbox_entry *entry);
/** A note was made in the journal. */
void outbox_away_note(struct outbox *outbox);
/** The outermost group ended. @return whether messages can be taken now. */
bool outbox_away_group_end(struct outbox *outbox);
bool outbox_away_is_mark_due(const struct outbox *outbox);
/** Whether so many messages wait that phase MEMORY must end. */
bool outbox_away_is_crowded(const struct outbox *outbox);

/* For the outbox's thread: */

/** Leave phase MEMORY if that is due. @return the earliest time at which it will be due. */
uint64_t outbox_away_step(struct outbox *outbox, uint64_t now_ns);
void outbox_away_leave(struct outbox *outbox);
/** A transaction begins, was committed (@return whether messages can be taken now), or has
 * failed. */
void outbox_away_begin(struct outbox *outbox);
bool outbox_away_committed(struct outbox *outbox);
void outbox_away_failed(struct outbox *outbox);
/** Call after reading the journal from disk: name the events that a killed boot had in memory. */
void outbox_away_found(struct outbox *outbox);

/* ---- the lane of replies: outbox_reply.c; mutex held ---- */

struct outbox_replies {
	struct outbox_node *head, *tail, *next; /* up to `next` in flight */
	uint64_t n, bytes;
};

/** Add an entry that is in no list; the lane owns it. */
void outbox_reply_add(struct outbox *outbox, struct outbox_entry *entry);
/** Remove a reply in flight. @return whether it was in the lane. */
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
	struct outbox_boot *boots; /* all boots; the last one is the current boot */
	const struct outbox_boot *own;
	struct outbox_node *head, *tail, *next;
	struct outbox_range *first_range; /* none before `next` */
	struct outbox_node *unwritten;    /* see outbox_first_unwritten() */
	unsigned held;                    /* groups that are open */
	unsigned ready;                   /* entries on disk and not taken */
	uint64_t memory_only_bytes;       /* bytes of the entries in the list without a row */
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

/** Whether the entry is to be written to disk. */
static inline bool outbox_is_durable(const struct outbox *outbox, const struct outbox_entry *entry)
{
	return outbox->disk && entry->message.qos > 0;
}

/** Any thread, no mutex. @return NULL without memory. */
struct outbox_entry *outbox_entry_new(const struct outbox_message *message,
                                      const struct outbox_boot *boot);
/** Size of an entry with @p content bytes. */
uint64_t outbox_entry_size(uint64_t content);

/** Intern. @return NULL without memory. */
const struct outbox_boot *outbox_boot(struct outbox *outbox, const char *id);

/** Insert before @p where; NULL: at the end. */
void outbox_insert(struct outbox *outbox, struct outbox_node *node, struct outbox_node *where);
/** Remove from the list, without freeing or counting. */
void outbox_unlink(struct outbox *outbox, struct outbox_node *node);
/** Count in or out. */
void outbox_count_entry(struct outbox *outbox, const struct outbox_entry *entry, bool in);
void outbox_count_range(struct outbox *outbox, uint64_t count, uint64_t bytes, bool in);

/** Whether a waiting range can be announced now. */
bool outbox_is_gap_due(const struct outbox *outbox);

/** Remove an entry from list and disk and free it; the outbox's thread frees a busy one later. */
void outbox_remove_entry(struct outbox *outbox, struct outbox_entry *entry);
/** Drop the message that would be taken next. @return false: there is none. */
bool outbox_drop_next(struct outbox *outbox, enum outbox_reason reason);
/** Drop the oldest message that is not on disk and was never sent. A reply moves to the lane of
 * replies instead, which has its own bounds. @return false: there is none. */
bool outbox_drop_from_memory(struct outbox *outbox, enum outbox_reason reason);
/** Remove the first message of a range, which was read or dropped. @return its bytes. */
uint64_t outbox_range_pop(struct outbox_range *range);
/** Remove and free the range if it is empty and nobody reads it. */
void outbox_range_drop_if_empty(struct outbox *outbox, struct outbox_range *range);

/** From @p node on, the first durable entry without a row, or the first range in another database
 * than @p db. */
struct outbox_node *outbox_first_unwritten(const struct outbox *outbox, struct outbox_node *node,
                                           const struct outbox_db *db);

/**
 * Keep a committed entry only on disk: replace it in the list by a range. Without memory the entry
 * stays.
 */
void outbox_fold(struct outbox *outbox, struct outbox_entry *entry, struct outbox_db *db);

#endif
