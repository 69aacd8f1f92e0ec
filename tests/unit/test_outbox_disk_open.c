/* SPDX-License-Identifier: Apache-2.0 */
/* The database can't be opened at the start, and can be later. */
#include "outbox_disk_fixture.h"

static int only_a_is_9(void *user, const char *key, const void *value, size_t len)
{
	(void)user;
	cr_assert_str_eq(key, "a");
	cr_assert(len == 1 && *(const char *)value == '9');
	return 9;
}

Test(outbox_disk_open, begins_in_memory_when_it_can_not_be_opened)
{
	char away[80];
	struct outbox *outbox;
	FILE *file;

	disk_make_dir(dir);
	snprintf(away, sizeof(away), "%s-away", dir);
	outbox = make("b1");
	put_many(outbox, 1, 10);
	outbox_free(outbox);
	/* A file in place of the folder: not even root can open files in it. */
	cr_assert_eq(rename(dir, away), 0);
	file = fopen(dir, "w");
	cr_assert_not_null(file);
	fclose(file);
	outbox = make("b2");
	cr_assert(!outbox_journal_is_known(outbox));
	put_many(outbox, 1, 10);
	expect_many(outbox, "b2", 1, 5);
	cr_assert_not(stats_of(outbox).on_disk);
	cr_assert_eq(unlink(dir), 0);
	cr_assert_eq(rename(away, dir), 0);
	wait_on_disk(outbox, true);
	cr_assert(outbox_journal_is_known(outbox));
	cr_assert_eq(stats_of(outbox).restored, 10);
	outbox_free(outbox);
	outbox = make("b3");
	expect_many(outbox, "b1", 1, 10);
	expect_many(outbox, "b2", 6, 10);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/** Of each file of the database: not followed, not waited for, renamed; at most four copies. */
Test(outbox_disk_open, what_is_no_file_gives_its_place_up)
{
	static const char *const names[] = { "outbox.db", "outbox.db-wal", "outbox.db-shm",
		                             "outbox.db-journal" };
	char path[128], target[128];
	struct outbox *outbox;
	struct stat st;

	disk_make_dir(dir);
	path_of(target, sizeof(target), "target");
	for (unsigned round = 0; round < 8; round++) {
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			path_of(path, sizeof(path), names[i]);
			unlink(path);
			cr_assert_eq((round + i) % 3 == 0   ? mkfifo(path, 0600)
			             : (round + i) % 3 == 1 ? symlink("target", path)
			                                    : mkdir(path, 0700),
			             0);
		}
		outbox = make("b1");
		cr_assert_eq(put_qos(outbox, 1, 1), 0);
		cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
		cr_assert(stats_of(outbox).on_disk);
		cr_assert(stats_of(outbox).disk_failures >= 4);
		outbox_free(outbox);
		cr_assert_eq(lstat(target, &st), -1, "a link was followed");
		path_of(path, sizeof(path), "outbox.db");
		cr_assert(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
	}
	cr_assert_eq(count_files(".corrupt-"), 16);
	disk_remove_dir(dir);
}

/** The start continues without the disk, and uses it as soon as it answers. */
Test(outbox_disk_open, a_disk_that_hangs_at_the_start_is_not_waited_for)
{
	struct outbox_config config = config_of("b2");
	struct outbox *outbox;
	char path[128];

	disk_make_dir(dir);
	outbox = make("b1");
	cr_assert_eq(outbox_journal_put(outbox, "run", "noted", 5), 0);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_free(outbox);
	/* A new database is synced when it is made. */
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(unlink(path), 0);
	config.open_wait_ns = 50 * MS;
	disk_hangs = true;
	cr_assert_eq(outbox_new(&config, &outbox), 0);
	cr_assert_not(stats_of(outbox).on_disk);
	cr_assert_not_null(strstr(stats_of(outbox).reason, "does not answer"));
	cr_assert(!outbox_journal_is_known(outbox));
	put_many(outbox, 1, 3);
	expect_many(outbox, "b2", 1, 1);
	disk_hangs = false;
	wait_on_disk(outbox, true);
	cr_assert(outbox_journal_is_known(outbox));
	expect_many(outbox, "b2", 2, 3);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/** Notes of a time without a disk do not pile up: what is noted at last is written. */
Test(outbox_disk_open, notes_made_in_memory_are_written_once)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	cr_assert_eq(outbox_journal_put(outbox, "old", "1", 1), 0);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_write_code = SQLITE_IOERR_WRITE;
	cr_assert_eq(outbox_journal_put(outbox, "a", "x", 1), 0);
	wait_on_disk(outbox, false);
	for (unsigned i = 0; i < 1000; i++) {
		char value = (char)('0' + i % 10);

		cr_assert_eq(outbox_journal_put(outbox, "a", &value, 1), 0);
	}
	cr_assert_eq(outbox_journal_remove(outbox, "old"), 0);
	disk_write_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_free(outbox);
	outbox = make("b2");
	cr_assert_eq(outbox_journal_foreach(outbox, only_a_is_9, NULL), 9);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_open, the_folder_removed_under_it_is_made_again)
{
	struct outbox *outbox;
	struct outbox_message in_flight;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 5000);
	cr_assert_eq(outbox_journal_put(outbox, "run", "noted", 5), 0);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	in_flight = take(outbox);
	cr_assert_eq(in_flight.seq, 1);
	disk_remove_dir(dir);
	while (stats_of(outbox).disk_failures == 0)
		usleep(1000);
	wait_on_disk(outbox, true);
	cr_assert_eq(count_files("outbox.db"), 2, "with its log");
	put_many(outbox, 5001, 5010);
	cr_assert_eq(outbox_release(outbox, in_flight.id), 0);
	expect_many(outbox, "b1", 2, 1000);
	outbox_free(outbox);
	outbox = make("b2");
	expect_many(outbox, "b1", 1001, 5010);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_open, a_second_process_does_not_get_the_file)
{
	struct outbox *first, *second;

	disk_make_dir(dir);
	first = make("b1");
	put_many(first, 1, 10);
	cr_assert_eq(outbox_flush(first, FLUSH_NS), 0);
	second = make("b2");
	put_many(second, 1, 10);
	expect_many(second, "b2", 1, 10);
	cr_assert_not(stats_of(second).on_disk);
	outbox_free(second);
	expect_many(first, "b1", 1, 10);
	expect_none(first);
	outbox_free(first);
	disk_remove_dir(dir);
}
