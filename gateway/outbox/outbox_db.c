/* SPDX-License-Identifier: Apache-2.0 */
/* The file itself: open, transactions, sync. For rows and notes see outbox_db_rows.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outbox_db_internal.h"
#include "outbox_vfs.h"

#define APPLICATION_ID "1131763010" /* 'CuEB' */
#define FORMAT_VERSION 1
#define BUSY_MS        1000
#define MAX_PATH_LEN   4000U
/* More than an event with all its quotes takes, and more than its note. */
#define ROW_BYTES_MAX (64 * 1024 * 1024)
/** Steps of SQLite's virtual machine between two checks of `halt`. */
#define HALT_STEPS 10000

/* As sqlite_master keeps them. */
#define MESSAGES_SQL                                                                               \
	"CREATE TABLE messages(id INTEGER PRIMARY KEY,boot_id TEXT NOT NULL,"                      \
	"seq INTEGER NOT NULL,flags INTEGER NOT NULL,topic TEXT NOT NULL,"                         \
	"payload BLOB NOT NULL,correlation BLOB,checksum INTEGER NOT NULL)"
#define JOURNAL_SQL                                                                                \
	"CREATE TABLE journal(key TEXT PRIMARY KEY NOT NULL,"                                      \
	"value BLOB NOT NULL,checksum INTEGER NOT NULL) WITHOUT ROWID"
#define IS_OURS                                                                                    \
	"(type='table' AND (name='messages' AND sql IS '" MESSAGES_SQL "' OR "                     \
	"name='journal' AND sql IS '" JOURNAL_SQL "'))"

static const char *const statements[] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_COMMIT] = "COMMIT",
	[DB_PUT] = "INSERT INTO messages(id,boot_id,seq,flags,topic,payload,correlation,checksum) "
	           "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
	[DB_DELETE] = "DELETE FROM messages WHERE id BETWEEN ?1 AND ?2",
	[DB_READ] = "SELECT id,boot_id,seq,flags,topic,payload,correlation,checksum FROM messages "
	            "WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	[DB_LAST] = "SELECT max(id) FROM messages",
	[DB_SCAN] = "SELECT id,boot_id,seq,flags,topic,payload,correlation,checksum FROM messages "
	            "ORDER BY id",
	[DB_SCAN_BACK] = "SELECT id,boot_id,seq,flags,topic,payload,correlation,checksum "
	                 "FROM messages ORDER BY id DESC",
	[DB_NOTE] = "INSERT OR REPLACE INTO journal(key,value,checksum) VALUES(?1,?2,?3)",
	[DB_FORGET] = "DELETE FROM journal WHERE key=?1",
	[DB_FORGET_ALL] = "DELETE FROM journal",
	[DB_NOTES] = "SELECT key,value,checksum FROM journal ORDER BY key",
};

/* A file that ends before what its own pages say was cut: the disk refused nothing. */
static bool is_cut(sqlite3 *sqlite, int code)
{
	return (code & 0xff) == SQLITE_IOERR && sqlite &&
	       sqlite3_extended_errcode(sqlite) == SQLITE_IOERR_SHORT_READ;
}

/* What the system said of this failure; 0: nothing. SQLite keeps the number of an earlier one. */
static int system_error(sqlite3 *sqlite, int code)
{
	if (!sqlite || is_cut(sqlite, code) ||
	    ((code & 0xff) != SQLITE_IOERR && (code & 0xff) != SQLITE_CANTOPEN))
		return 0;
	return sqlite3_system_errno(sqlite);
}

static int error_number(sqlite3 *sqlite, int code)
{
	int system;

	if (is_cut(sqlite, code))
		return -EBADMSG;
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* our statements are correct, so a table or column is missing */
	case SQLITE_TOOBIG:
		return -EBADMSG;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	default:
		system = system_error(sqlite, code);
		return (code & 0xff) == SQLITE_CANTOPEN && system > 0 ? -system : -EIO;
	}
}

int outbox_db_fail(struct outbox_db *db, int code)
{
	int system = system_error(db->sqlite, code);
	int r = error_number(db->sqlite, code);
	const char *text =
	        is_cut(db->sqlite, code) ? "the file was cut short" : sqlite3_errmsg(db->sqlite);

	db->row_damaged |= code == SQLITE_TOOBIG;
	snprintf(db->error, sizeof(db->error), "%s%s%s%s", text, system > 0 ? " (" : "",
	         system > 0 ? strerrordesc_np(system) : "", system > 0 ? ")" : "");
	return r;
}

const char *outbox_db_error(const struct outbox_db *db)
{
	return db->error;
}

static int execute(struct outbox_db *db, const char *sql)
{
	int code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : outbox_db_fail(db, code);
}

/** First column of the first row, as a number. */
static int query_number(struct outbox_db *db, const char *sql, int64_t *ret_value)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	if (code == SQLITE_ROW)
		return 0;
	return outbox_db_fail(db, code == SQLITE_DONE ? SQLITE_CORRUPT : code);
}

int outbox_db_statement(struct outbox_db *db, enum outbox_db_statement which, sqlite3_stmt **ret)
{
	int code = SQLITE_OK;

	if (!db->statements[which])
		code = sqlite3_prepare_v3(db->sqlite, statements[which], -1,
		                          SQLITE_PREPARE_PERSISTENT, &db->statements[which], NULL);
	if (code != SQLITE_OK)
		return outbox_db_fail(db, code);
	*ret = db->statements[which];
	return 0;
}

int outbox_db_run(struct outbox_db *db, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	int r = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : outbox_db_fail(db, code);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return r;
}

static int run(struct outbox_db *db, enum outbox_db_statement which)
{
	sqlite3_stmt *statement = NULL;
	int r = outbox_db_statement(db, which, &statement);

	return r < 0 ? r : outbox_db_run(db, statement);
}

/* ---- open ---- */

/** Create the file for its owner only: events may be private. SQLite gives its other files the same
 * mode. */
static int make_file(struct outbox_db *db)
{
	int fd = open(db->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
	              0600);

	if (fd < 0) {
		int error = errno;

		snprintf(db->error, sizeof(db->error), "%s", strerrordesc_np(error));
		return -error;
	}
	close(fd);
	return 0;
}

static int set_up(struct outbox_db *db, enum outbox_sync sync)
{
	static const char *const levels[] = {
		[OUTBOX_SYNC_ALWAYS] = "PRAGMA synchronous=FULL",
		[OUTBOX_SYNC_BATCH] = "PRAGMA synchronous=NORMAL",
		[OUTBOX_SYNC_NEVER] = "PRAGMA synchronous=OFF",
	};
	int r = execute(db, "PRAGMA locking_mode=EXCLUSIVE;"
	                    "PRAGMA cell_size_check=ON;"
	                    "PRAGMA temp_store=MEMORY;"
	                    "PRAGMA journal_mode=WAL;"
	                    "PRAGMA journal_size_limit=4194304");

	return r < 0 ? r : execute(db, levels[sync]);
}

static int foreign(struct outbox_db *db)
{
	snprintf(db->error, sizeof(db->error), "has tables, views or triggers of another program");
	return -EBADMSG;
}

/**
 * Check that the file has exactly our two tables: a view in place of a table could be endless, and
 * a trigger, an index or a computed column would run code when we read and write.
 */
static int check_schema(struct outbox_db *db)
{
	int64_t all = 0, ours = 0;
	int r = query_number(db, "SELECT count(*) FROM sqlite_master", &all);

	if (r >= 0)
		r = query_number(db, "SELECT count(*) FROM sqlite_master WHERE " IS_OURS, &ours);
	return r >= 0 && (all != 2 || ours != 2) ? foreign(db) : r;
}

static int check_format(struct outbox_db *db)
{
	int64_t version = 0, tables = 0;
	int r = query_number(db, "PRAGMA user_version", &version);

	if (r >= 0)
		r = query_number(db, "SELECT count(*) FROM sqlite_master", &tables);
	if (r < 0)
		return r;
	if (version == 0 && tables == 0)
		return execute(db, "BEGIN IMMEDIATE;" MESSAGES_SQL ";" JOURNAL_SQL ";"
		                   "PRAGMA application_id=" APPLICATION_ID ";"
		                   "PRAGMA user_version=1;"
		                   "COMMIT");
	if (version > FORMAT_VERSION) {
		snprintf(db->error, sizeof(db->error),
		         "made by a newer version of cuebus (format %lld)", (long long)version);
		return -EPROTONOSUPPORT;
	}
	if (version != FORMAT_VERSION) {
		snprintf(db->error, sizeof(db->error), "not a database of cuebus");
		return -EBADMSG;
	}
	return check_schema(db);
}

/** Whether the file is smaller than when it was opened. The outbox itself never shrinks it. */
static bool has_shrunk(struct outbox_db *db)
{
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;

	return sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
	               SQLITE_OK &&
	       file && file->pMethods && file->pMethods->xFileSize(file, &size) == SQLITE_OK &&
	       size < db->identity.st_size;
}

int outbox_db_is_sound(struct outbox_db *db)
{
	uint64_t refused = outbox_vfs_refused_reads();
	sqlite3_stmt *statement = NULL;
	int code, r;

	/* The check reads every page, and would evict pages that are only in memory. */
	if (db->row_damaged || has_shrunk(db))
		return 0;
	code = sqlite3_prepare_v2(db->sqlite, "PRAGMA integrity_check(1)", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		r = strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
	else
		r = (code & 0xff) == SQLITE_INTERRUPT ? -EINTR
		    : (code & 0xff) == SQLITE_NOMEM   ? -ENOMEM
		                                      : 0;
	sqlite3_finalize(statement);
	/* The check also reports pages that the disk refused to read. */
	return outbox_vfs_refused_reads() == refused ? r : -EIO;
}

static int is_halted(void *user)
{
	return atomic_load((const atomic_bool *)user);
}

/** Treat the contents of a damaged file as data only, never as code, and bound their size. */
static void distrust(struct outbox_db *db, atomic_bool *halt)
{
	sqlite3_limit(db->sqlite, SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	if (halt)
		sqlite3_progress_handler(db->sqlite, HALT_STEPS, is_halted, halt);
}

/** Open a possibly damaged file for reading only, with only our tables. */
static int open_salvage(struct outbox_db *db)
{
	int64_t others = 0;
	int r;

	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	r = execute(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA query_only=ON");
	if (r >= 0)
		r = query_number(db,
		                 "SELECT count(*) FROM sqlite_master "
		                 "WHERE lower(name) IN ('messages','journal') AND NOT " IS_OURS,
		                 &others);
	return r >= 0 && others > 0 ? foreign(db) : r;
}

static int stat_log(const struct outbox_db *db, struct stat *ret_st)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s-wal", db->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return stat(path, ret_st) < 0 ? -errno : 0;
}

static int open_file(struct outbox_db *db, const struct outbox_db_options *options)
{
	int code, r;

	if (!options->salvage) {
		r = make_file(db);
		if (r < 0)
			return r;
	}
	/* Open for writing even for a salvage: otherwise a WAL can't be read. */
	code = sqlite3_open_v2(db->path, &db->sqlite,
	                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	                       outbox_vfs_name());
	if (!db->sqlite)
		return -ENOMEM;
	if (code != SQLITE_OK)
		return outbox_db_fail(db, code);
	sqlite3_busy_timeout(db->sqlite, BUSY_MS);
	distrust(db, options->halt);
	if (options->salvage)
		return open_salvage(db);
	r = set_up(db, options->sync);
	if (r >= 0)
		r = check_format(db);
	if (r >= 0 && stat(db->path, &db->identity) < 0)
		r = -errno;
	if (r >= 0 && stat_log(db, &db->log_identity) < 0)
		db->log_identity.st_ino = 0;
	return r;
}

int outbox_db_open(const char *path, const struct outbox_db_options *options,
                   struct outbox_db **ret_db, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_db *db = calloc(1, sizeof(*db));
	int r;

	snprintf(error, OUTBOX_DB_ERROR_SIZE, "out of memory");
	if (!db)
		return -ENOMEM;
	db->path = strdup(path);
	r = db->path ? open_file(db, options) : -ENOMEM;
	if (r < 0) {
		if (r != -ENOMEM)
			memcpy(error, db->error, sizeof(db->error));
		/* Leave a file alone that could not be opened. */
		outbox_db_close(db, true);
		return r;
	}
	error[0] = '\0';
	*ret_db = db;
	return 0;
}

struct outbox_db *outbox_db_close(struct outbox_db *db, bool keep)
{
	if (!db)
		return NULL;
	for (size_t i = 0; i < DB_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	if (db->sqlite && keep)
		sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db->sqlite);
	free(db->path);
	free(db);
	return NULL;
}

int outbox_db_check_place(const struct outbox_db *db)
{
	struct stat now;
	int r;

	if (stat(db->path, &now) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (now.st_dev != db->identity.st_dev || now.st_ino != db->identity.st_ino)
		return -ESTALE;
	if (db->log_identity.st_ino == 0)
		return 0;
	r = stat_log(db, &now);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	return now.st_ino == db->log_identity.st_ino ? 0 : -ENODATA;
}

/* ---- transactions ---- */

int outbox_db_begin(struct outbox_db *db)
{
	return run(db, DB_BEGIN);
}

int outbox_db_commit(struct outbox_db *db)
{
	return run(db, DB_COMMIT);
}

void outbox_db_rollback(struct outbox_db *db)
{
	/* SQLite already rolls back after some errors. */
	if (!sqlite3_get_autocommit(db->sqlite))
		(void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

int outbox_db_probe(struct outbox_db *db)
{
	return execute(db, "PRAGMA user_version=1");
}

void outbox_db_make_room(struct outbox_db *db)
{
	(void)sqlite3_exec(db->sqlite, "PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL, NULL);
}

int outbox_db_sync(struct outbox_db *db)
{
	sqlite3_file *wal = NULL;
	int code = sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);

	if (code != SQLITE_OK)
		return outbox_db_fail(db, code);
	if (!wal || !wal->pMethods)
		return 0; /* nothing was written since the last checkpoint */
	code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
	if (code == SQLITE_OK)
		return 0;
	snprintf(db->error, sizeof(db->error), "the written data could not be synced to the disk");
	return -EIO;
}

const char *outbox_library_version(void)
{
	return sqlite3_libversion();
}
