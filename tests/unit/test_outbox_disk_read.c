/* SPDX-License-Identifier: Apache-2.0 */
/* A row that can't be read now is not damaged; one that never can be is lost alone. */
#include "outbox_disk_fixture.h"

Test(outbox_disk_read, a_disk_that_does_not_read_for_a_while_is_not_damaged)
{
	/* What SQLite makes of EIO is SQLITE_CORRUPT. */
	static const int codes[] = { SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ, SQLITE_CORRUPT };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		struct outbox_config config;
		struct outbox *outbox;

		disk_make_dir(dir);
		config = config_of("b1");
		config.retry_min_ns = config.retry_max_ns = 200 * MS;
		padding = 1000;
		outbox = make_with(&config);
		put_many(outbox, 1, 4000);
		cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
		padding = 0;
		disk_read_code = codes[i];
		while (stats_of(outbox).on_disk) {
			struct outbox_message m;

			if (outbox_take(outbox, &m) < 0)
				usleep(200);
			else
				cr_assert_lt(m.seq, 4000);
		}
		disk_read_code = SQLITE_OK;
		wait_on_disk(outbox, true);
		outbox_rewind(outbox);
		for (uint64_t seq = 1; seq <= 4000; seq++) {
			struct outbox_message m = take(outbox);

			cr_assert_eq(m.seq, seq);
			cr_assert_eq(outbox_release(outbox, m.id), 0);
		}
		expect_none(outbox);
		cr_assert_eq(count_corrupt(), 0);
		cr_assert_eq(stats_of(outbox).dropped, 0);
		outbox_free(outbox);
		disk_remove_dir(dir);
	}
}

#define ROWS_OF_A_PAGE 100

/** Take all messages of b1, each sent or reported as missing, with a fault in their file. */
static void expect_all_or_a_gap(struct outbox *outbox, uint64_t count, uint64_t at_most)
{
	uint64_t got = 0, missing = 0;
	struct outbox_message m;
	struct outbox_gap gap;

	while (got + missing < count) {
		if (outbox_take_gap(outbox, &gap)) {
			cr_assert_eq(gap.reason, OUTBOX_REASON_DISK);
			missing += gap.count;
			outbox_gap_told(outbox, 0);
		} else if (outbox_take(outbox, &m) == 0) {
			got++;
			cr_assert_eq(outbox_release(outbox, m.id), 0);
		} else {
			usleep(1000);
		}
	}
	cr_assert_gt(missing, 0);
	cr_assert_lt(missing, at_most);
	wait_on_disk(outbox, true);
	put_many(outbox, 10001, 10010);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	expect_many(outbox, "b2", 10001, 10010);
	expect_none(outbox);
}

static ino_t inode_of_file(void)
{
	char path[128];
	struct stat st;

	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(stat(path, &st), 0);
	return st.st_ino;
}

static void make_padded(uint64_t count)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	padding = 500;
	outbox = make("b1");
	put_many(outbox, 1, count);
	outbox_free(outbox); /* all of it into the main file */
	padding = 0;
}

/* A read or a deletion that touches the sector would fail again and again, and nothing would be
 * sent. */
Test(outbox_disk_read, a_bad_sector_at_the_start_costs_its_rows)
{
	struct outbox *outbox;

	make_padded(2000);
	disk_bad_inode = inode_of_file();
	disk_kept = true;
	outbox = make("b2");
	expect_all_or_a_gap(outbox, 2000, ROWS_OF_A_PAGE);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_read, a_bad_sector_under_the_running_outbox_costs_its_rows)
{
	struct outbox *outbox;

	make_padded(8000); /* more than SQLite keeps of what it has looked through */
	outbox = make("b2");
	disk_bad_inode = inode_of_file();
	expect_all_or_a_gap(outbox, 8000, ROWS_OF_A_PAGE);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/* This is damage, not a slow disk: the outbox continues at once, in a new file. */
Test(outbox_disk_read, a_log_that_is_cut_under_the_running_outbox_is_damaged)
{
	struct outbox_config config;
	struct outbox *outbox;
	char path[128];
	struct stat st;

	disk_make_dir(dir);
	config = config_of("b2");
	config.retry_min_ns = 3600000 * MS;
	config.retry_max_ns = 3600000 * MS;
	outbox = make_with(&config);
	padding = 1000;
	put_many(outbox, 1, 2500);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	padding = 0;
	path_of(path, sizeof(path), "outbox.db-wal");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(truncate(path, st.st_size / 16), 0);
	expect_all_or_a_gap(outbox, 2500, 2500);
	cr_assert_eq(count_corrupt(), 1);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/* At the start as well: nothing of it is read then. */
Test(outbox_disk_read, a_disk_that_does_not_read_at_the_start_is_not_damaged)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 1000);
	outbox_free(outbox);
	disk_read_code = SQLITE_IOERR_CORRUPTFS;
	disk_kept = true;
	outbox = make("b2");
	put_many(outbox, 1, 1);
	cr_assert_not(stats_of(outbox).on_disk);
	disk_read_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	expect_many(outbox, "b1", 1, 1000);
	expect_many(outbox, "b2", 1, 1);
	expect_none(outbox);
	cr_assert_eq(count_corrupt(), 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_read, what_can_not_be_read_for_long_is_given_up)
{
	struct outbox *outbox;
	struct outbox_message m;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 20000);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_read_code = SQLITE_IOERR_READ;
	disk_write_code = SQLITE_IOERR_WRITE;
	put_many(outbox, 20001, 20001);
	/* In order as far as readable, then the remaining messages. */
	for (uint64_t last = 0; last < 20001; last = m.seq) {
		m = take(outbox);
		cr_assert_gt(m.seq, last);
		if (m.seq > last + 1) {
			expect_gap(outbox, "", last + 1, m.seq - 1, OUTBOX_REASON_DISK);
		}
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
	expect_none(outbox);
	disk_read_code = SQLITE_OK;
	disk_write_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	outbox_free(outbox);
	/* A message that was reported as missing is not sent later. */
	outbox = make("b2");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_eq(stats_of(outbox).events, 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
}
