/* SPDX-License-Identifier: Apache-2.0 */
/* The file: damaged, of another version, and who may read it. */
#include "outbox_disk_fixture.h"

#include "outbox_db.h"
#include <sqlite3.h>
#include <sys/wait.h>

static void overwrite(const char *name, long at, size_t n)
{
	char path[128], junk[8192];
	int fd;

	memset(junk, 0xa5, sizeof(junk));
	path_of(path, sizeof(path), name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, junk, n, at), (ssize_t)n);
	close(fd);
}

static struct outbox *with_damaged_file(long at, size_t n)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 5000);
	cr_assert_eq(outbox_journal_put(outbox, "run", "noted", 5), 0);
	outbox_free(outbox);
	overwrite("outbox.db", at, n);
	return make("b2");
}

static int count_note(void *user, const char *key, const void *value, size_t len)
{
	cr_assert_str_eq(key, "run");
	cr_assert_eq(len, 5);
	cr_assert_eq(memcmp(value, "noted", 5), 0);
	++*(unsigned *)user;
	return 0;
}

Test(outbox_db, a_file_that_is_no_database_is_set_aside)
{
	struct outbox *outbox = with_damaged_file(0, 4096);

	put_many(outbox, 1, 10);
	expect_many(outbox, "b2", 1, 10);
	expect_none(outbox);
	cr_assert(stats_of(outbox).on_disk);
	cr_assert_eq(count_corrupt(), 1);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_db, of_a_damaged_file_what_can_be_read_is_sent)
{
	/* A page in the midst of the messages. */
	struct outbox *outbox = with_damaged_file(40 * 4096, 4096);
	struct outbox_message m;
	uint64_t last = 0, n = 0;
	static bool seen[5001]; /* sent, or reported as missing */
	struct outbox_gap gap;
	unsigned notes = 0;

	put_many(outbox, 1, 10);
	cr_assert_eq(outbox_journal_foreach(outbox, count_note, &notes), 0);
	cr_assert_eq(notes, 1);
	for (m = take(outbox); strcmp(m.boot_id, "b1") == 0; m = take(outbox)) {
		char expected[64];

		cr_assert_gt(m.seq, last);
		last = m.seq;
		seen[m.seq] = true;
		n++;
		snprintf(expected, sizeof(expected), "event %llu", (unsigned long long)m.seq);
		cr_assert_eq(m.payload_len, strlen(expected));
		cr_assert_eq(memcmp(m.payload, expected, m.payload_len), 0);
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
	cr_assert_eq(last, 5000, "those behind the damage too; the last is %llu of %llu",
	             (unsigned long long)last, (unsigned long long)n);
	cr_assert_gt(n, 4800);
	cr_assert_lt(n, 5000);
	while (outbox_take_gap(outbox, &gap)) {
		cr_assert_str_eq(gap.boot_id, "b1");
		cr_assert_eq(gap.reason, OUTBOX_REASON_DISK);
		cr_assert_eq(gap.count, gap.to_seq - gap.from_seq + 1);
		for (uint64_t seq = gap.from_seq; seq <= gap.to_seq; seq++) {
			cr_assert_not(seen[seq], "%llu came, or is told twice",
			              (unsigned long long)seq);
			seen[seq] = true;
		}
	}
	for (uint64_t seq = 1; seq <= 5000; seq++)
		cr_assert(seen[seq], "%llu is lost without a word", (unsigned long long)seq);
	cr_assert_eq(m.seq, 1);
	cr_assert_eq(outbox_release(outbox, m.id), 0);
	expect_many(outbox, "b2", 2, 10);
	cr_assert_eq(count_corrupt(), 1);
	outbox_free(outbox);
	outbox = make("b3");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	expect_none(outbox);
	notes = 0;
	cr_assert_eq(outbox_journal_foreach(outbox, count_note, &notes), 0);
	cr_assert_eq(notes, 1);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_db, a_flipped_bit_in_a_payload_is_no_message)
{
	char path[128], *bytes, *at;
	struct outbox *outbox;
	struct stat st;
	int fd;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 30);
	outbox_free(outbox);
	path_of(path, sizeof(path), "outbox.db");
	fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	cr_assert_not_null(bytes);
	cr_assert_eq(pread(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	at = memmem(bytes, (size_t)st.st_size, "event 17", 8);
	cr_assert_not_null(at);
	cr_assert_eq(pwrite(fd, "f", 1, at - bytes), 1);
	close(fd);
	free(bytes);
	outbox = make("b2");
	expect_many(outbox, "b1", 1, 16);
	expect_many(outbox, "b1", 18, 30);
	expect_gap(outbox, "b1", 17, 17, OUTBOX_REASON_DISK);
	wait_on_disk(outbox, true);
	cr_assert_eq(count_corrupt(), 1);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_db, a_file_cut_short_while_it_runs)
{
	char path[128];
	struct outbox *outbox;
	struct outbox_message m;
	struct outbox_gap gap;
	uint64_t got = 0, missing = 0;

	disk_make_dir(dir);
	padding = 500;
	outbox = make("b1");
	put_many(outbox, 1, 20000);
	outbox_free(outbox); /* all of it into the main file */
	outbox = make("b2");
	m = take(outbox);
	cr_assert_eq(m.seq, 1);
	cr_assert_eq(outbox_release(outbox, m.id), 0);
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(truncate(path, 20 * 4096), 0);
	put_many(outbox, 1, 1);
	for (m = take(outbox); strcmp(m.boot_id, "b1") == 0; m = take(outbox)) {
		got++;
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
	while (outbox_take_gap(outbox, &gap)) {
		cr_assert_str_eq(gap.boot_id, "b1");
		missing += gap.count;
	}
	cr_assert_gt(missing, 0);
	padding = 0;
	cr_assert_eq(got + missing, 19999, "each is either sent or told to be missing");
	wait_on_disk(outbox, true);
	cr_assert_eq(count_corrupt(), 1);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_db, a_file_of_a_newer_version_is_left_alone)
{
	char path[128];
	sqlite3 *db = NULL;
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 5);
	outbox_free(outbox);
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA user_version=2", NULL,
	                          NULL, NULL),
	             SQLITE_OK);
	sqlite3_close(db);
	outbox = make("b2");
	put_many(outbox, 1, 5);
	expect_many(outbox, "b2", 1, 5);
	cr_assert_not_null(strstr(stats_of(outbox).reason, "newer"));
	cr_assert_eq(count_corrupt(), 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_db, nobody_else_may_read_the_file)
{
	char path[128];
	struct outbox *outbox;
	struct stat st;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 5);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 077, 0);
	path_of(path, sizeof(path), "outbox.db-wal");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 077, 0);
	path_of(path, sizeof(path), "outbox.db-shm");
	cr_assert_lt(stat(path, &st), 0, "no file is mapped");
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/** Of a process that was killed: the log is not yet in the database. */
static void put_and_die(unsigned n)
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct outbox *outbox = make("b1");

		put_many(outbox, 1, n);
		(void)outbox_flush(outbox, FLUSH_NS);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

Test(outbox_db, a_damaged_log_is_told_and_a_copy_kept)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	put_and_die(50);
	overwrite("outbox.db-wal", 32 + 24 + 4096 + 24, 100); /* its second page */
	outbox = make("b2");
	put_many(outbox, 1, 5);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_eq(count_files("outbox.db-wal.corrupt-"), 1);
	cr_assert_eq(stats_of(outbox).disk_failures, 1);
	expect_many(outbox, "b2", 1, 5);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/** Thirty events of boot "b1", changed by @p sql, as the boot "b2" finds them. */
static struct outbox *with_changed_rows(const char *sql)
{
	char path[128];
	struct outbox *outbox;
	sqlite3 *sqlite;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 30);
	outbox_free(outbox);
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(sqlite3_open(path, &sqlite), SQLITE_OK);
	/* The test's file system has no shared memory. */
	cr_assert_eq(sqlite3_exec(sqlite, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL),
	             SQLITE_OK);
	cr_assert_eq(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
	(void)sqlite3_memory_highwater(1);
	outbox = make("b2");
	put_many(outbox, 1, 1); /* behind them */
	return outbox;
}

static void expect_end(struct outbox *outbox)
{
	struct outbox_gap gap;

	expect_many(outbox, "b2", 1, 1);
	expect_none(outbox);
	cr_assert_not(outbox_take_gap(outbox, &gap));
	cr_assert_eq(count_corrupt(), 1);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_db, what_a_damaged_row_claims_to_be_is_not_believed)
{
	static const char *const changes[] = {
		"UPDATE messages SET seq=1017 WHERE id=17",
		"UPDATE messages SET seq=18 WHERE id=17",
		"UPDATE messages SET seq=0 WHERE id=17",
		"UPDATE messages SET boot_id='b7' WHERE id=17",
		"UPDATE messages SET boot_id='' WHERE id=17",
		"UPDATE messages SET id=99 WHERE id=17",
		"UPDATE messages SET payload=x'00' WHERE id=17",
		"UPDATE messages SET flags=99 WHERE id=17",
		/* of no use in memory */
		"UPDATE messages SET payload=zeroblob(80000000) WHERE id=17",
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct outbox *outbox = with_changed_rows(changes[i]);

		/* A misplaced row leaves a hole that can't be distinguished from a deleted row. */
		bool moved = strstr(changes[i], "id=99") != NULL;

		expect_many(outbox, "b1", 1, 16);
		expect_many(outbox, "b1", 18, 30);
		if (!moved)
			expect_gap(outbox, "b1", 17, 17, OUTBOX_REASON_DISK);
		cr_assert_lt(sqlite3_memory_highwater(0), 32 << 20);
		expect_end(outbox);
	}
}

Test(outbox_db, damaged_rows_at_either_end)
{
	struct outbox *outbox =
	        with_changed_rows("UPDATE messages SET payload=x'00' WHERE id IN (1,2,30)");

	expect_many(outbox, "b1", 3, 29);
	expect_gap(outbox, "b1", 1, 2, OUTBOX_REASON_DISK);
	expect_gap(outbox, "b1", 30, 30, OUTBOX_REASON_DISK);
	expect_end(outbox);
}

Test(outbox_db, neighbours_that_are_damaged)
{
	struct outbox *outbox = with_changed_rows(
	        "UPDATE messages SET seq=seq+1,payload=x'00' WHERE id BETWEEN 5 AND 9");

	expect_many(outbox, "b1", 1, 4);
	expect_many(outbox, "b1", 10, 30);
	expect_gap(outbox, "b1", 5, 9, OUTBOX_REASON_DISK);
	expect_end(outbox);
}

/* ---- foreign objects in the file ---- */

/** @param sql NULL: nothing. @return messages that came of the earlier boot. */
static uint64_t sent_with_foreign(const char *sql)
{
	struct outbox *outbox;
	struct outbox_message m;
	uint64_t n = 0;
	sqlite3 *db;
	char path[128];

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 30);
	cr_assert_eq(outbox_journal_put(outbox, "run", "noted", 5), 0);
	outbox_free(outbox);
	path_of(path, sizeof(path), "outbox.db");
	/* The fixture's disk has no index that processes share. */
	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql ? sql : "", NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql,
	             sqlite3_errmsg(db));
	cr_assert_eq(sqlite3_close(db), SQLITE_OK);
	outbox = make("b2");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert(stats_of(outbox).on_disk);
	put_many(outbox, 1, 1);
	for (m = take(outbox); strcmp(m.boot_id, "b1") == 0; m = take(outbox)) {
		cr_assert_eq(m.seq, ++n);
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
	cr_assert_eq(outbox_release(outbox, m.id), 0);
	cr_assert_eq(count_corrupt(), sql ? 1 : 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
	return n;
}

#define ENDLESS "WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id+1 FROM r) "

Test(outbox_db, a_view_in_a_tables_place_is_set_aside)
{
	cr_assert_eq(sent_with_foreign(NULL), 30);
	cr_assert_eq(
	        sent_with_foreign("DROP TABLE messages; CREATE VIEW messages AS " ENDLESS
	                          "SELECT id,'x' boot_id,id seq,0 flags,'t' topic,x'70' payload,"
	                          "NULL correlation,0 checksum FROM r"),
	        0);
	cr_assert_eq(sent_with_foreign("DROP TABLE journal; CREATE VIEW journal AS " ENDLESS
	                               "SELECT id key,'x' value,0 checksum FROM r"),
	             0);
}

Test(outbox_db, what_runs_with_our_statements_is_set_aside_and_the_messages_are_sent)
{
	cr_assert_eq(sent_with_foreign("CREATE TRIGGER t AFTER INSERT ON messages "
	                               "BEGIN DELETE FROM messages; END"),
	             30);
	cr_assert_eq(sent_with_foreign("CREATE INDEX i ON messages(length(hex(payload)))"), 30);
	cr_assert_eq(sent_with_foreign("CREATE TABLE other(a)"), 30);
	cr_assert_eq(sent_with_foreign("CREATE VIEW v AS SELECT 1"), 30);
}

Test(outbox_db, a_table_with_other_columns_is_set_aside)
{
	cr_assert_eq(sent_with_foreign("DROP TABLE messages; CREATE TABLE messages(id INTEGER "
	                               "PRIMARY KEY,boot_id TEXT,seq INTEGER,flags INTEGER,"
	                               "topic TEXT,payload BLOB,correlation BLOB,"
	                               "checksum INTEGER AS (length(zeroblob(100000000))))"),
	             0);
	cr_assert_eq(sent_with_foreign("ALTER TABLE messages ADD COLUMN more"), 0);
}

static int see_outline(void *user, const struct outbox_db_outline *outline)
{
	(void)outline;
	++*(unsigned *)user;
	return 0;
}

Test(outbox_db, what_sqlite_does_ends_when_it_is_halted)
{
	char path[128], error[OUTBOX_DB_ERROR_SIZE];
	atomic_bool halt = false;
	const struct outbox_db_options options = { .sync = OUTBOX_SYNC_BATCH, .halt = &halt };
	struct outbox *outbox;
	struct outbox_db *db;
	unsigned n = 0;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 20000);
	outbox_free(outbox);
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(outbox_db_open(path, &options, &db, error), 0, "%s", error);
	cr_assert_eq(outbox_db_scan(db, false, see_outline, &n), 0);
	cr_assert_eq(n, 20000, "%u", n);
	halt = true;
	n = 0;
	cr_assert_eq(outbox_db_scan(db, false, see_outline, &n), -EIO,
	             "no damage: nothing is set aside");
	cr_assert_lt(n, 20000);
	outbox_db_close(db, true);
	disk_remove_dir(dir);
}
