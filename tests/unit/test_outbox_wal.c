/* SPDX-License-Identifier: Apache-2.0 */
/* Logs written by SQLite, with damage. */
#include "outbox_disk_fixture.h"

#include "outbox_db.h"
#include "outbox_wal.h"

#define HEADER 32L
#define FRAME  (24L + 4096L)

static const struct outbox_db_options batch = { .sync = OUTBOX_SYNC_BATCH };
static unsigned char *bytes;
static long size;

static void commit(struct outbox_db *db, uint64_t row)
{
	struct outbox_message m = { .boot_id = "b1",
		                    .topic = "t",
		                    .payload = "x",
		                    .payload_len = 1,
		                    .seq = row,
		                    .qos = 1 };

	cr_assert_eq(outbox_db_begin(db), 0);
	cr_assert_eq(outbox_db_put(db, row, &m), 0);
	cr_assert_eq(outbox_db_commit(db), 0);
}

static void read_into(const char *name)
{
	char path[128];
	FILE *f;

	path_of(path, sizeof(path), name);
	f = fopen(path, "rb");
	cr_assert_not_null(f);
	cr_assert_eq(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	rewind(f);
	free(bytes);
	bytes = malloc((size_t)size);
	cr_assert_not_null(bytes);
	cr_assert_eq(fread(bytes, 1, (size_t)size, f), (size_t)size);
	fclose(f);
}

static void read_log(void)
{
	read_into("outbox.db-wal");
}

/** The log of @p commits commits, read while the database is open. */
static struct outbox_db *with_log(unsigned commits)
{
	char path[128], error[OUTBOX_DB_ERROR_SIZE];
	struct outbox_db *db = NULL;

	disk_make_dir(dir);
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(outbox_db_open(path, &batch, &db, error), 0, "%s", error);
	for (unsigned i = 1; i <= commits; i++)
		commit(db, i);
	read_log();
	return db;
}

static void done(struct outbox_db *db)
{
	outbox_db_close(db, true);
	free(bytes);
	bytes = NULL;
	disk_remove_dir(dir);
}

/** What is said of the first @p n bytes. @return as outbox_wal_check(). */
static int check(long n, uint64_t *ret_lost)
{
	char path[128];
	FILE *f;

	path_of(path, sizeof(path), "copy");
	f = fopen(path, "wb");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(bytes, 1, (size_t)n, f), (size_t)n);
	fclose(f);
	return outbox_wal_check(path, ret_lost);
}

static void flip(long at)
{
	bytes[at] ^= 0x10;
}

Test(outbox_wal, a_whole_one)
{
	struct outbox_db *db = with_log(20);
	uint64_t lost = 77;

	cr_assert_geq(size, HEADER + 20 * FRAME);
	cr_assert_eq(check(size, &lost), 0);
	cr_assert_eq(lost, 77);
	done(db);
}

Test(outbox_wal, none_or_an_empty_one)
{
	struct outbox_db *db = with_log(1);
	uint64_t lost = 77;

	cr_assert_eq(outbox_wal_check("/nonexistent/outbox.db-wal", &lost), 0);
	cr_assert_eq(check(0, &lost), 0);
	cr_assert_eq(check(HEADER - 1, &lost), 0);
	cr_assert_eq(check(HEADER, &lost), 0);
	cr_assert_eq(lost, 77);
	done(db);
}

Test(outbox_wal, an_end_half_written_is_no_damage)
{
	struct outbox_db *db = with_log(20);
	uint64_t lost;

	for (long n = size - FRAME; n < size; n += 97)
		cr_assert_eq(check(n, &lost), 0, "cut after %ld bytes", n);
	/* The last frame is there, but incomplete. */
	flip(size - 1);
	cr_assert_eq(check(size, &lost), 0);
	done(db);
}

static void write_file(const char *name, const unsigned char *content, long n)
{
	char path[128];
	FILE *f;

	path_of(path, sizeof(path), name);
	f = fopen(path, "wb");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(content, 1, (size_t)n, f), (size_t)n);
	fclose(f);
}

static void commit_large(struct outbox_db *db, uint64_t row)
{
	static char payload[100000];
	struct outbox_message m = { .boot_id = "b1",
		                    .topic = "t",
		                    .payload = payload,
		                    .payload_len = sizeof(payload),
		                    .seq = row,
		                    .qos = 1 };

	cr_assert_eq(outbox_db_begin(db), 0);
	cr_assert_eq(outbox_db_put(db, row, &m), 0);
	cr_assert_eq(outbox_db_commit(db), 0);
}

/* The rest of the large commit behind the small one follows frame by frame, without a commit. */
Test(outbox_wal, a_kill_in_a_commit_and_then_a_smaller_one_is_no_damage)
{
	char path[128], error[OUTBOX_DB_ERROR_SIZE];
	struct outbox_db *db = with_log(2), *next = NULL;
	uint64_t lost = 77, row = 0;

	commit_large(db, 3);
	read_log();
	write_file("copy.db-wal", bytes, size - FRAME);
	path_of(path, sizeof(path), "copy.db");
	read_into("outbox.db");
	write_file("copy.db", bytes, size);
	cr_assert_eq(outbox_db_open(path, &batch, &next, error), 0, "%s", error);
	cr_assert_eq(outbox_db_last_row(next, &row), 0);
	cr_assert_eq(row, 2);
	commit(next, 3);
	path_of(path, sizeof(path), "copy.db-wal");
	cr_assert_eq(outbox_wal_check(path, &lost), 0);
	cr_assert_eq(lost, 77);
	outbox_db_close(next, true);
	done(db);
}

Test(outbox_wal, damage_before_the_end)
{
	struct outbox_db *db = with_log(20);
	long frames = (size - HEADER) / FRAME;
	uint64_t lost;

	/* Page number, salt, checksum, content: all of a frame counts. */
	for (long in_frame = 0; in_frame < FRAME; in_frame += in_frame < 24 ? 1 : 509) {
		long at = HEADER + 3 * FRAME + in_frame;
		/* The checksum in a frame is where that of the next frame starts. */
		long behind = frames - 4 - (in_frame >= 16 && in_frame < 24 ? 1 : 0);

		flip(at);
		cr_assert_eq(check(size, &lost), 1, "byte %ld of the frame", in_frame);
		cr_assert_eq(lost, (uint64_t)behind, "byte %ld of the frame", in_frame);
		flip(at);
	}
	cr_assert_eq(check(size, &lost), 0);
	done(db);
}

Test(outbox_wal, a_damaged_header)
{
	struct outbox_db *db = with_log(5);
	uint64_t lost;

	for (long at = 0; at < HEADER; at++) {
		flip(at);
		lost = 77;
		cr_assert_eq(check(size, &lost), 1, "byte %ld", at);
		cr_assert_eq(lost, 0);
		flip(at);
	}
	done(db);
}

Test(outbox_wal, frames_of_the_log_before_are_no_damage)
{
	struct outbox_db *db = with_log(20);
	long before = size;
	uint64_t lost;

	outbox_db_make_room(db); /* the next commit begins at the front again */
	commit(db, 21);
	read_log();
	cr_assert_eq(size, before);
	cr_assert_eq(check(size, &lost), 0);
	done(db);
}
