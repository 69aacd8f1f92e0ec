/* SPDX-License-Identifier: Apache-2.0 */
/* The disk fails, and works again. */
#include "outbox_disk_fixture.h"

/** Messages are put and taken as usual while writes fail with @p code; on disk again afterwards. */
static void fail_with(int code, const char *text)
{
	struct outbox_message in_flight;
	struct outbox_stats stats;
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 500);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_write_code = code;
	put_many(outbox, 501, 600);
	wait_on_disk(outbox, false);
	stats = stats_of(outbox);
	cr_assert_not_null(strstr(stats.reason, text), "%s", stats.reason);
	cr_assert_eq(stats.disk_failures, 1);
	cr_assert_eq(stats.unwritten_events, 100);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), -EIO);
	expect_many(outbox, "b1", 1, 550);
	cr_assert_eq(stats_of(outbox).unwritten_events, 50);
	in_flight = take(outbox);
	cr_assert_eq(in_flight.seq, 551);
	put_many(outbox, 601, 700);
	disk_write_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	cr_assert_str_eq(stats_of(outbox).reason, "");
	cr_assert_eq(stats_of(outbox).disk_failures, 1, "told once");
	cr_assert_eq(stats_of(outbox).unwritten_events, 0);
	put_many(outbox, 701, 800);
	outbox_free(outbox);
	/* Messages sent meanwhile were deleted from the disk, new ones were written. */
	outbox = make("b2");
	expect_many(outbox, "b1", 551, 800);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_state, goes_on_in_memory_when_the_disk_is_full)
{
	fail_with(SQLITE_FULL, "full");
}

Test(outbox_disk_state, goes_on_in_memory_when_the_disk_is_read_only)
{
	fail_with(SQLITE_READONLY, "readonly");
}

Test(outbox_disk_state, goes_on_in_memory_after_an_io_error)
{
	fail_with(SQLITE_IOERR_WRITE, "I/O");
}

Test(outbox_disk_state, a_disk_that_hangs_is_gone_on_without)
{
	struct outbox_config config;
	struct outbox_stats stats;
	struct outbox *outbox;

	disk_make_dir(dir);
	config = config_of("b1");
	config.sync = OUTBOX_SYNC_ALWAYS;
	config.stall_ns = 20 * MS;
	outbox = make_with(&config);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_hangs = true;
	put_many(outbox, 1, 100);
	/* Some of these are in the transaction that hangs. */
	expect_many(outbox, "b1", 1, 50);
	stats = stats_of(outbox);
	cr_assert_not(stats.on_disk);
	cr_assert_not_null(strstr(stats.reason, "does not answer"));
	cr_assert_eq(stats.disk_failures, 1);
	cr_assert_eq(outbox_flush(outbox, 10 * MS), -ETIMEDOUT);
	disk_hangs = false;
	wait_on_disk(outbox, true);
	outbox_free(outbox);
	outbox = make("b2");
	expect_many(outbox, "b1", 51, 100);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/** What arrives of 1 to 500, all of it and in order; with the gaps none is missing. */
static void expect_all_named(struct outbox *outbox, uint64_t *ret_first_lost,
                             uint64_t *ret_last_lost)
{
	bool seen[501] = { false };
	struct outbox_gap gap;
	uint64_t last = 0, lost = 0;

	*ret_first_lost = *ret_last_lost = 0;
	while (stats_of(outbox).events > 0) {
		struct outbox_message m = take(outbox);

		cr_assert_gt(m.seq, last);
		last = m.seq;
		seen[m.seq] = true;
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
	while (outbox_take_gap(outbox, &gap)) {
		cr_assert_eq(gap.reason, OUTBOX_REASON_FULL);
		for (uint64_t seq = gap.from_seq; seq <= gap.to_seq; seq++) {
			cr_assert_not(seen[seq]);
			seen[seq] = true;
			if (lost++ == 0)
				*ret_first_lost = seq;
			*ret_last_lost = seq;
		}
	}
	for (uint64_t seq = 1; seq <= 500; seq++)
		cr_assert(seen[seq], "%llu", (unsigned long long)seq);
	cr_assert_eq(stats_of(outbox).dropped_memory, lost);
	cr_assert_eq(stats_of(outbox).dropped, lost);
}

/** 20 on disk, then a disk that hangs, and 480 more than the memory may hold. */
static struct outbox *crowd(struct outbox_config *config)
{
	struct outbox *outbox;
	uint64_t on_disk;

	disk_make_dir(dir);
	config->sync = OUTBOX_SYNC_ALWAYS;
	config->max_memory_bytes = 20000;
	outbox = make_with(config);
	put_many(outbox, 1, 20);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	on_disk = stats_of(outbox).memory_bytes;
	disk_hangs = true;
	for (uint64_t seq = 21; seq <= 500; seq++)
		(void)put_qos(outbox, seq, 1);
	cr_assert_leq(stats_of(outbox).memory_bytes - on_disk, config->max_memory_bytes);
	cr_assert_gt(stats_of(outbox).unwritten_events, 20);
	disk_hangs = false;
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	return outbox;
}

Test(outbox_disk_state, behind_a_disk_that_hangs_the_oldest_in_memory_goes)
{
	struct outbox_config config = config_of("b1");
	struct outbox *outbox = crowd(&config);
	uint64_t first, last;

	expect_all_named(outbox, &first, &last);
	cr_assert_gt(first, 20, "what is on disk stays");
	cr_assert_lt(last, 500);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_state, behind_a_disk_that_hangs_the_newest_goes_where_that_is_wanted)
{
	struct outbox_config config = config_of("b1");
	struct outbox *outbox;
	uint64_t first, last;

	config.full = OUTBOX_REJECT_NEW;
	outbox = crowd(&config);
	expect_all_named(outbox, &first, &last);
	cr_assert_eq(last, 500);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/** While the disk hangs and the memory is full, @p n_before events after the reply. */
static void reply_in_a_crowd(enum outbox_full full, uint64_t n_before, uint64_t n_after)
{
	struct outbox_config config = config_of("b1");
	struct outbox_message reply = {
		.topic = "r", .payload = "yes", .payload_len = 3, .qos = 1
	};
	struct outbox *outbox;
	unsigned syncs;

	disk_make_dir(dir);
	config.sync = OUTBOX_SYNC_ALWAYS;
	config.max_memory_bytes = 20000;
	config.full = full;
	outbox = make_with(&config);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_hangs = true;
	syncs = disk_syncs;
	(void)put_qos(outbox, 1, 1);
	while (disk_syncs == syncs) /* what comes after is not in the transaction that hangs */
		usleep(1000);
	for (uint64_t seq = 2; seq <= n_before; seq++)
		(void)put_qos(outbox, seq, 1);
	cr_assert_eq(outbox_put(outbox, &reply), 0);
	for (uint64_t seq = n_before + 1; seq <= n_before + n_after; seq++)
		(void)put_qos(outbox, seq, 1);
	while (outbox_take_reply(outbox, &reply) < 0)
		usleep(1000);
	cr_assert_str_eq(reply.topic, "r");
	cr_assert_eq(outbox_release(outbox, reply.id), 0);
	cr_assert_eq(stats_of(outbox).dropped_replies, 0);
	disk_hangs = false;
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_state, a_reply_is_not_given_up_with_the_events_around_it)
{
	reply_in_a_crowd(OUTBOX_DROP_OLDEST, 100, 500);
	reply_in_a_crowd(OUTBOX_REJECT_NEW, 500, 10);
}

Test(outbox_disk_state, one_message_fits_however_small_the_memory)
{
	struct outbox_config config = config_of("b1");
	struct outbox *outbox;

	disk_make_dir(dir);
	config.max_memory_bytes = 1;
	outbox = make_with(&config);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		put_many(outbox, seq, seq);
		cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	}
	expect_many(outbox, "b1", 1, 3);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_state, a_disk_that_hangs_from_the_start_does_not_keep_the_end)
{
	struct outbox_config config;
	struct outbox *outbox = NULL;

	disk_make_dir(dir);
	config = config_of("b1");
	config.sync = OUTBOX_SYNC_ALWAYS; /* so that the first commit waits for the disk */
	config.open_wait_ns = 10 * MS;
	config.stall_ns = 10 * MS;
	config.end_wait_ns = 10 * MS;
	disk_install();
	disk_hangs = true;
	cr_assert_eq(outbox_new(&config, &outbox), 0);
	cr_assert_eq(outbox_flush(outbox, 0), -ETIMEDOUT, "nothing put, but it hangs");
	put_many(outbox, 1, 10);
	expect_many(outbox, "b1", 1, 10);
	cr_assert(stats_of(outbox).unread);
	cr_assert_eq(outbox_flush(outbox, 10 * MS), -ETIMEDOUT);
	cr_assert_eq(outbox_stop(outbox), -ETIMEDOUT);
	cr_assert_null(outbox_free(outbox), "nor does it wait for ever");
	/* Nothing was freed: its thread still runs. */
	disk_hangs = false;
	while (outbox_stop(outbox) < 0)
		usleep(1000);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_state, a_failed_sync_is_a_failure)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_sync_code = SQLITE_IOERR_FSYNC;
	put_many(outbox, 1, 10);
	while (stats_of(outbox).disk_failures == 0)
		usleep(1000);
	disk_sync_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	expect_many(outbox, "b1", 1, 10);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_state, a_disk_that_does_not_read_for_a_while_is_not_damaged)
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
Test(outbox_disk_state, a_bad_sector_at_the_start_costs_its_rows)
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

Test(outbox_disk_state, a_bad_sector_under_the_running_outbox_costs_its_rows)
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
Test(outbox_disk_state, a_log_that_is_cut_under_the_running_outbox_is_damaged)
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
Test(outbox_disk_state, a_disk_that_does_not_read_at_the_start_is_not_damaged)
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

Test(outbox_disk_state, what_can_not_be_read_for_long_is_given_up)
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

Test(outbox_disk_state, is_bounded_in_memory_too)
{
	struct outbox_config config;
	struct outbox *outbox;

	disk_make_dir(dir);
	config = config_of("b1");
	config.max_events = 100;
	outbox = make_with(&config);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_write_code = SQLITE_FULL;
	put_many(outbox, 1, 1);
	wait_on_disk(outbox, false);
	put_many(outbox, 2, 250);
	cr_assert_eq(stats_of(outbox).events, 100);
	expect_gap(outbox, "", 1, 150, OUTBOX_REASON_FULL);
	disk_write_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	expect_many(outbox, "b1", 151, 250);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

static int only_a_is_9(void *user, const char *key, const void *value, size_t len)
{
	(void)user;
	cr_assert_str_eq(key, "a");
	cr_assert(len == 1 && *(const char *)value == '9');
	return 9;
}

Test(outbox_disk_state, begins_in_memory_when_it_can_not_be_opened)
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
Test(outbox_disk_state, what_is_no_file_gives_its_place_up)
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
Test(outbox_disk_state, a_disk_that_hangs_at_the_start_is_not_waited_for)
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
Test(outbox_disk_state, notes_made_in_memory_are_written_once)
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

Test(outbox_disk_state, the_folder_removed_under_it_is_made_again)
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

Test(outbox_disk_state, a_second_process_does_not_get_the_file)
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
