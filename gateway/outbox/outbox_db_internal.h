/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_db_internal.h
 * @brief Private: shared by outbox_db.c (the file) and outbox_db_rows.c (its contents).
 */
#ifndef CUEBUS_OUTBOX_DB_INTERNAL_H
#define CUEBUS_OUTBOX_DB_INTERNAL_H

#include <sqlite3.h>
#include <sys/stat.h>

#include "outbox_db.h"

enum outbox_db_statement {
	DB_BEGIN,
	DB_COMMIT,
	DB_PUT,
	DB_DELETE,
	DB_READ,
	DB_LAST,
	DB_SCAN,
	DB_SCAN_BACK,
	DB_NOTE,
	DB_FORGET,
	DB_FORGET_ALL,
	DB_NOTES,
	DB_STATEMENTS
};

struct outbox_db {
	char *path;
	sqlite3 *sqlite;
	sqlite3_stmt *statements[DB_STATEMENTS]; /* prepared when first needed */
	struct stat identity;
	struct stat log_identity; /* st_ino 0: not known */
	char error[OUTBOX_DB_ERROR_SIZE];
	bool row_damaged; /* a row or a note has a bad checksum */
};

/** Store the error text. @return the negative errno for @p code. */
int outbox_db_fail(struct outbox_db *db, int code);

int outbox_db_statement(struct outbox_db *db, enum outbox_db_statement which, sqlite3_stmt **ret);

/** Run a statement without rows to its end, and reset it. */
int outbox_db_run(struct outbox_db *db, sqlite3_stmt *statement);

#endif
