/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and notes in the outbox's database. */
#include <cuebus/fnv.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "outbox_db_internal.h"

#define FLAG_QOS    3
#define FLAG_RETAIN 4

/* ---- checksums: SQLite itself does not notice a flipped bit in a value ---- */

/** Include the length, so that no byte can move from one value to its neighbour. */
static uint64_t add_value(uint64_t hash, const void *bytes, size_t len)
{
	uint64_t length = len;

	hash = cue_fnv(hash, &length, sizeof(length));
	return cue_fnv(hash, bytes, len);
}

static int64_t message_flags(const struct outbox_message *m)
{
	return (m->qos & FLAG_QOS) | (m->retain ? FLAG_RETAIN : 0);
}

static int64_t message_checksum(uint64_t row, const struct outbox_message *m)
{
	int64_t flags = message_flags(m);
	uint64_t hash = cue_fnv(CUE_FNV_BEGIN, &row, sizeof(row));

	hash = cue_fnv(hash, &m->seq, sizeof(m->seq));
	hash = cue_fnv(hash, &flags, sizeof(flags));
	hash = add_value(hash, m->boot_id, strlen(m->boot_id));
	hash = add_value(hash, m->topic, strlen(m->topic));
	hash = add_value(hash, m->payload, m->payload_len);
	if (m->correlation)
		hash = add_value(hash, m->correlation, m->correlation_len);
	return (int64_t)hash;
}

static int64_t note_checksum(const char *key, const void *value, size_t len)
{
	return (int64_t)add_value(add_value(CUE_FNV_BEGIN, key, strlen(key)), value, len);
}

/* ---- messages ---- */

/** Bind a blob, also an empty one: SQLite would bind a NULL pointer as NULL. */
static int bind_blob(sqlite3_stmt *s, int index, const void *bytes, size_t len)
{
	return len ? sqlite3_bind_blob64(s, index, bytes, len, SQLITE_STATIC)
	           : sqlite3_bind_zeroblob(s, index, 0);
}

int outbox_db_put(struct outbox_db *db, uint64_t row, const struct outbox_message *m)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_PUT, &s);
	int code;

	if (r < 0)
		return r;
	code = sqlite3_bind_int64(s, 1, (int64_t)row);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(s, 2, m->boot_id, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(s, 3, (int64_t)m->seq);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(s, 4, message_flags(m));
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(s, 5, m->topic, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = bind_blob(s, 6, m->payload, m->payload_len);
	if (code == SQLITE_OK && m->correlation)
		code = bind_blob(s, 7, m->correlation, m->correlation_len);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(s, 8, message_checksum(row, m));
	if (code != SQLITE_OK) {
		sqlite3_clear_bindings(s);
		return outbox_db_fail(db, code);
	}
	return outbox_db_run(db, s);
}

int outbox_db_delete(struct outbox_db *db, uint64_t from_row, uint64_t to_row)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_DELETE, &s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 1, (int64_t)from_row);
	sqlite3_bind_int64(s, 2, (int64_t)to_row);
	return outbox_db_run(db, s);
}

int outbox_db_last_row(struct outbox_db *db, uint64_t *ret_row)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_LAST, &s);
	int code;

	if (r < 0)
		return r;
	code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		*ret_row = (uint64_t)sqlite3_column_int64(s, 0);
	else
		r = outbox_db_fail(db, code);
	sqlite3_reset(s);
	return r;
}

static int damaged(struct outbox_db *db, const char *what)
{
	db->row_damaged = true;
	snprintf(db->error, sizeof(db->error), "%s is damaged (wrong checksum)", what);
	return -EBADMSG;
}

static const char *column_text(sqlite3_stmt *s, int column)
{
	const void *text = sqlite3_column_text(s, column);

	return text ? text : "";
}

/** Read the current row; its pointers belong to the statement. @return whether its checksum is
 * right. */
static bool get_row(sqlite3_stmt *s, struct outbox_message *ret_message)
{
	int64_t flags = sqlite3_column_int64(s, 3);

	/* A blob's bytes first, then its length: SQLite's rule. */
	*ret_message = (struct outbox_message){
		.seq = (uint64_t)sqlite3_column_int64(s, 2),
		.boot_id = column_text(s, 1),
		.topic = column_text(s, 4),
		.payload = sqlite3_column_blob(s, 5),
		.payload_len = (size_t)sqlite3_column_bytes(s, 5),
		.qos = (int)(flags & FLAG_QOS),
		.retain = flags & FLAG_RETAIN,
		.correlation = sqlite3_column_blob(s, 6),
		.correlation_len = (size_t)sqlite3_column_bytes(s, 6),
	};
	if (sqlite3_column_type(s, 6) != SQLITE_NULL && !ret_message->correlation)
		ret_message->correlation = "";
	return sqlite3_column_int64(s, 7) ==
	       message_checksum((uint64_t)sqlite3_column_int64(s, 0), ret_message);
}

static int read_row(struct outbox_db *db, sqlite3_stmt *s, outbox_db_row_fn visit, void *user)
{
	struct outbox_message m;
	int r;

	if (!get_row(s, &m))
		return damaged(db, "a message");
	r = visit(user, (uint64_t)sqlite3_column_int64(s, 0), &m);
	return r == -EBADMSG ? damaged(db, "a message") : r;
}

int outbox_db_read(struct outbox_db *db, uint64_t from_row, uint64_t to_row, outbox_db_row_fn visit,
                   void *user)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_READ, &s);
	int code = SQLITE_DONE;

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 1, (int64_t)from_row);
	sqlite3_bind_int64(s, 2, (int64_t)to_row);
	while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW)
		r = read_row(db, s, visit, user);
	if (r == 0 && code != SQLITE_DONE)
		r = outbox_db_fail(db, code);
	sqlite3_reset(s);
	return r;
}

int outbox_db_scan(struct outbox_db *db, bool backwards,
                   int (*visit)(void *user, const struct outbox_db_outline *outline), void *user)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, backwards ? DB_SCAN_BACK : DB_SCAN, &s);
	int code = SQLITE_DONE;

	if (r < 0)
		return r;
	while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct outbox_db_outline outline = { .row = (uint64_t)sqlite3_column_int64(s, 0) };
		struct outbox_message m;

		outline.checks = get_row(s, &m);
		outline.seq = m.seq;
		outline.boot_id = m.boot_id;
		outline.content = strlen(m.topic) + 1 + m.payload_len + m.correlation_len;
		r = visit(user, &outline);
		if (r == -EBADMSG)
			damaged(db, "a message");
	}
	if (r == 0 && code != SQLITE_DONE)
		r = outbox_db_fail(db, code);
	sqlite3_reset(s);
	return r;
}

/* ---- notes ---- */

int outbox_db_note(struct outbox_db *db, const char *key, const void *value, size_t len)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_NOTE, &s);

	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	bind_blob(s, 2, value, len);
	sqlite3_bind_int64(s, 3, note_checksum(key, value, len));
	return outbox_db_run(db, s);
}

int outbox_db_forget(struct outbox_db *db, const char *key)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_FORGET, &s);

	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	return outbox_db_run(db, s);
}

int outbox_db_forget_all(struct outbox_db *db)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_FORGET_ALL, &s);

	return r < 0 ? r : outbox_db_run(db, s);
}

int outbox_db_notes(struct outbox_db *db,
                    int (*visit)(void *user, const char *key, const void *value, size_t len),
                    void *user)
{
	sqlite3_stmt *s;
	int r = outbox_db_statement(db, DB_NOTES, &s);
	int code = SQLITE_DONE;

	if (r < 0)
		return r;
	while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
		const char *key = column_text(s, 0);
		const void *value = sqlite3_column_blob(s, 1);
		size_t len = (size_t)sqlite3_column_bytes(s, 1);

		if (sqlite3_column_int64(s, 2) != note_checksum(key, value, len))
			r = damaged(db, "a note of the journal");
		else
			r = visit(user, key, value, len);
	}
	if (r == 0 && code != SQLITE_DONE)
		r = outbox_db_fail(db, code);
	sqlite3_reset(s);
	return r;
}
