/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_db.h
 * @brief The SQLite file behind the outbox: rows, transactions, notes.
 *
 * WAL, locked exclusively by this process (which also keeps SQLite from mapping a shared index
 * file, so a full disk is an error and not a SIGBUS). Each row has a checksum: a damaged row is
 * -EBADMSG.
 *
 * Thread: one at a time. Functions return 0 or
 *   -EBADMSG         the file is damaged, or is not an outbox;
 *   -EPROTONOSUPPORT it was written by a newer version;
 *   -EBUSY           another process uses it;
 *   -ENOSPC, -EROFS, -EACCES, -ENOENT, -EIO;
 *   -ENOMEM.
 */
#ifndef CUEBUS_OUTBOX_DB_H
#define CUEBUS_OUTBOX_DB_H

#include <stdatomic.h>

#include "outbox.h"

struct outbox_db;

/** Size of an error text: SQLite's, with the file name. */
#define OUTBOX_DB_ERROR_SIZE OUTBOX_REASON_SIZE

struct outbox_db_options {
	enum outbox_sync sync;
	bool salvage; /**< open a possibly damaged file for reading only; nothing is changed */
	/** NULL, or a flag that any thread may set once: running calls end soon, and all calls fail
	 * with -EIO. It must be valid as long as the database. */
	atomic_bool *halt;
};

/** Open or create the file. @p error gets a text on failure. A file whose schema is not exactly
 * ours counts as damaged. */
int outbox_db_open(const char *path, const struct outbox_db_options *options,
                   struct outbox_db **ret_db, char error[OUTBOX_DB_ERROR_SIZE]);
/** @param keep leave the files as they are: no checkpoint. NULL is allowed. @return NULL. */
struct outbox_db *outbox_db_close(struct outbox_db *db, bool keep);

/** Text of the last failure; valid until the next call. */
const char *outbox_db_error(const struct outbox_db *db);

/** Check that the file and its log are still in place. @return 0; -ENOENT no file; -ESTALE another
 * file; -ENODATA the log is missing; the errno of the check. */
int outbox_db_check_place(const struct outbox_db *db);

/**
 * Check whether the file is sound although SQLite reported damage. Reads the whole file, which is
 * slow.
 * @return 1 sound; 0 damaged; -EIO it can't be read now; -ENOMEM; -EINTR the outbox ends.
 */
int outbox_db_is_sound(struct outbox_db *db);

/** The highest row number; 0: none. */
int outbox_db_last_row(struct outbox_db *db, uint64_t *ret_row);

/* ---- writing: begin, changes, commit; rollback after any failure ---- */

int outbox_db_begin(struct outbox_db *db);
int outbox_db_commit(struct outbox_db *db);
void outbox_db_rollback(struct outbox_db *db);
int outbox_db_put(struct outbox_db *db, uint64_t row, const struct outbox_message *message);
int outbox_db_delete(struct outbox_db *db, uint64_t from_row, uint64_t to_row);
int outbox_db_note(struct outbox_db *db, const char *key, const void *value, size_t len);
int outbox_db_forget(struct outbox_db *db, const char *key);
int outbox_db_forget_all(struct outbox_db *db);
/** Try a change, to check that the file is writable. */
int outbox_db_probe(struct outbox_db *db);

/** Restart the log, if possible: on a full disk it can't grow. */
void outbox_db_make_room(struct outbox_db *db);

/** Flush commits: they survive a power cut when this returns. */
int outbox_db_sync(struct outbox_db *db);

/* ---- reading; a non-zero return of a visitor stops and is returned ---- */

typedef int (*outbox_db_row_fn)(void *user, uint64_t row, const struct outbox_message *message);

/** Rows from @p from_row to @p to_row, in order. */
int outbox_db_read(struct outbox_db *db, uint64_t from_row, uint64_t to_row, outbox_db_row_fn visit,
                   void *user);

struct outbox_db_outline {
	uint64_t row, seq;
	const char *boot_id; /**< valid during the call */
	uint64_t content;    /**< bytes of topic (with its end), payload and correlation */
	bool checks;         /**< false: damaged; do not trust any member */
};
/**
 * Visit the outlines of all rows, in order, or (@p backwards) from the last to the first, with the
 * result of their checksum. All pages are read.
 */
int outbox_db_scan(struct outbox_db *db, bool backwards,
                   int (*visit)(void *user, const struct outbox_db_outline *outline), void *user);

int outbox_db_notes(struct outbox_db *db,
                    int (*visit)(void *user, const char *key, const void *value, size_t len),
                    void *user);

#endif
