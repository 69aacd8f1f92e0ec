/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "disk_fixture.h"
#include "outbox.h"

#define MS       1000000ULL
#define FLUSH_NS (60000 * MS)

static char dir[64];

static struct outbox_config config_of(const char *boot_id)
{
	return (struct outbox_config){
		.max_events = 100000,
		.max_bytes = 100000000,
		.dir = dir,
		.boot_id = boot_id,
		.retry_min_ns = 5 * MS,
		.retry_max_ns = 20 * MS,
		.check_interval_ns = 5 * MS,
		.memory_window = 64,
	};
}

static struct outbox *make_with(const struct outbox_config *config)
{
	struct outbox *outbox = NULL;

	disk_install();
	cr_assert_eq(outbox_new(config, &outbox), 0);
	return outbox;
}

static struct outbox *make(const char *boot_id)
{
	struct outbox_config config = config_of(boot_id);

	return make_with(&config);
}

static struct outbox_stats stats_of(struct outbox *outbox)
{
	struct outbox_stats stats;

	outbox_get_stats(outbox, &stats);
	return stats;
}

/** Until the outbox is (or is not) on disk; the test's own time limit ends it otherwise. */
static void wait_on_disk(struct outbox *outbox, bool on_disk)
{
	while (stats_of(outbox).on_disk != on_disk)
		usleep(1000);
}

/** Bytes of each payload at least: more than SQLite keeps in memory of 20,000. */
static size_t padding;

static int put_qos(struct outbox *outbox, uint64_t seq, int qos)
{
	char payload[1024];
	int len = snprintf(payload, sizeof(payload), "event %llu", (unsigned long long)seq);
	struct outbox_message message = { .seq = seq,
		                          .topic = "t/x",
		                          .payload = payload,
		                          .payload_len = (size_t)len,
		                          .qos = qos };

	if (message.payload_len < padding) {
		memset(payload + len, ' ', padding - (size_t)len);
		message.payload_len = padding;
	}

	return outbox_put(outbox, &message);
}

static void put_many(struct outbox *outbox, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		cr_assert_eq(put_qos(outbox, seq, 1), 0);
}

/** The next message; waits for it. */
static struct outbox_message take(struct outbox *outbox)
{
	struct outbox_message message;

	while (outbox_take(outbox, &message) < 0)
		usleep(200);
	return message;
}

static void expect_many(struct outbox *outbox, const char *boot_id, uint64_t from, uint64_t to)
{
	char payload[64];

	for (uint64_t seq = from; seq <= to; seq++) {
		struct outbox_message m = take(outbox);

		cr_assert_eq(m.seq, seq);
		cr_assert_str_eq(m.boot_id, boot_id);
		snprintf(payload, sizeof(payload), "event %llu", (unsigned long long)seq);
		cr_assert_eq(m.payload_len, strlen(payload));
		cr_assert_eq(memcmp(m.payload, payload, m.payload_len), 0);
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
}

static void expect_none(struct outbox *outbox)
{
	struct outbox_message message;

	cr_assert_eq(outbox_take(outbox, &message), -EAGAIN);
	cr_assert_eq(stats_of(outbox).events, 0);
	cr_assert_eq(stats_of(outbox).bytes, 0);
	cr_assert_eq(stats_of(outbox).memory_events, 0);
}

static void expect_gap(struct outbox *outbox, const char *boot_id, uint64_t from, uint64_t to,
                       enum outbox_reason reason)
{
	struct outbox_gap gap;

	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_str_eq(gap.boot_id, boot_id);
	cr_assert_eq(gap.from_seq, from);
	cr_assert_eq(gap.to_seq, to);
	cr_assert_eq(gap.count, to - from + 1);
	cr_assert_eq(gap.reason, reason);
}

/** How many files there are whose name contains @p part. */
static unsigned count_files(const char *part)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	cr_assert_not_null(d);
	while ((entry = readdir(d)))
		n += strstr(entry->d_name, part) != NULL;
	closedir(d);
	return n;
}

/** Set aside, without their logs. */
static unsigned count_corrupt(void)
{
	return count_files(".corrupt-") - count_files("Z-wal") - count_files("Z-1-wal");
}

static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
}

/* ---- what it is for ---- */

Test(outbox_disk, gives_back_what_was_put_in_all_its_parts)
{
	struct outbox_message m = { .topic = "reply/x",
		                    .payload = "\0\1\2",
		                    .payload_len = 3,
		                    .qos = 1,
		                    .retain = true,
		                    .correlation = "\0c",
		                    .correlation_len = 2 };
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	cr_assert_eq(outbox_put(outbox, &m), 0);
	m = (struct outbox_message){
		.topic = "empty",
		.qos = 1,
		.seq = 7,
		.correlation = "",
	};
	cr_assert_eq(outbox_put(outbox, &m), 0);
	outbox_free(outbox);
	outbox = make("b2");
	m = take(outbox);
	cr_assert_str_eq(m.topic, "reply/x");
	cr_assert_eq(m.seq, 0);
	cr_assert_eq(m.qos, 1);
	cr_assert(m.retain);
	cr_assert_eq(m.payload_len, 3);
	cr_assert_eq(memcmp(m.payload, "\0\1\2", 3), 0);
	cr_assert_eq(m.correlation_len, 2);
	cr_assert_eq(memcmp(m.correlation, "\0c", 2), 0);
	m = take(outbox);
	cr_assert_str_eq(m.topic, "empty");
	cr_assert_eq(m.payload_len, 0);
	cr_assert_eq(m.seq, 7);
	cr_assert_not(m.retain);
	cr_assert_not_null(m.correlation);
	cr_assert_eq(m.correlation_len, 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, earlier_boots_come_first_in_order)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 500);
	outbox_free(outbox);
	outbox = make("b2");
	put_many(outbox, 1, 500);
	expect_many(outbox, "b1", 1, 10);
	cr_assert_eq(stats_of(outbox).restored, 500);
	outbox_free(outbox);
	outbox = make("b3");
	put_many(outbox, 1, 3);
	expect_many(outbox, "b1", 11, 500);
	expect_many(outbox, "b2", 1, 500);
	expect_many(outbox, "b3", 1, 3);
	expect_none(outbox);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_free(outbox);
	outbox = make("b4");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, what_is_in_flight_at_the_end_comes_again)
{
	struct outbox *outbox;
	struct outbox_message taken[3];

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 5);
	for (unsigned i = 0; i < 3; i++)
		taken[i] = take(outbox);
	cr_assert_eq(outbox_release(outbox, taken[1].id), 0);
	outbox_free(outbox);
	outbox = make("b2");
	expect_many(outbox, "b1", 1, 1);
	expect_many(outbox, "b1", 3, 5);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, memory_is_bounded_however_much_waits)
{
	struct outbox *outbox;
	struct outbox_stats stats;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 20000);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	stats = stats_of(outbox);
	cr_assert_eq(stats.events, 20000);
	cr_assert_leq(stats.memory_events, 64 + 256);
	expect_many(outbox, "b1", 1, 20000);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, qos_0_is_not_written_but_keeps_its_place)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	for (uint64_t seq = 1; seq <= 1000; seq++)
		cr_assert_eq(put_qos(outbox, seq, seq % 3 == 0 ? 0 : 1), 0);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	expect_many(outbox, "b1", 1, 500);
	outbox_free(outbox);
	outbox = make("b2");
	for (uint64_t seq = 501; seq <= 1000; seq++) {
		if (seq % 3 != 0)
			expect_many(outbox, "b1", seq, seq);
	}
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, nothing_is_taken_before_its_group_is_committed)
{
	struct outbox_message m;
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_group_begin(outbox);
	outbox_group_begin(outbox);
	put_many(outbox, 1, 2);
	outbox_group_end(outbox);
	usleep(20000);
	cr_assert_eq(outbox_take(outbox, &m), -EAGAIN);
	outbox_group_end(outbox);
	expect_many(outbox, "b1", 1, 2);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

static _Atomic unsigned wakes;

static void count_wake(void *user)
{
	(void)user;
	wakes++;
}

Test(outbox_disk, wakes_at_the_commit)
{
	struct outbox_config config;
	struct outbox *outbox;
	unsigned before;

	disk_make_dir(dir);
	config = config_of("b1");
	config.wake = count_wake;
	outbox = make_with(&config);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	before = wakes;
	put_many(outbox, 1, 1);
	while (wakes == before)
		usleep(200);
	expect_many(outbox, "b1", 1, 1);
	before = wakes;
	cr_assert_eq(put_qos(outbox, 2, 0), 0);
	cr_assert_gt(wakes, before, "QoS 0 has nothing to wait for");
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/* ---- sync ---- */

static unsigned syncs_of(enum outbox_sync sync)
{
	struct outbox_config config = config_of("b1");
	struct outbox *outbox;
	unsigned before;

	disk_make_dir(dir);
	config.sync = sync;
	outbox = make_with(&config);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	before = disk_syncs;
	for (uint64_t seq = 1; seq <= 10; seq++) {
		put_many(outbox, seq, seq);
		expect_many(outbox, "b1", seq, seq);
	}
	before = disk_syncs - before;
	outbox_free(outbox);
	disk_remove_dir(dir);
	return before;
}

Test(outbox_disk, always_waits_for_the_disk_before_anything_is_taken)
{
	cr_assert_geq(syncs_of(OUTBOX_SYNC_ALWAYS), 10);
}

Test(outbox_disk, batch_waits_for_the_disk_now_and_then)
{
	struct outbox_config config;
	struct outbox *outbox;

	disk_make_dir(dir);
	config = config_of("b1");
	config.sync = OUTBOX_SYNC_BATCH;
	outbox = make_with(&config);
	put_many(outbox, 1, 1);
	while (stats_of(outbox).syncs == 0)
		usleep(1000);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, never_does_not_wait_for_the_disk)
{
	cr_assert_eq(syncs_of(OUTBOX_SYNC_NEVER), 0);
}

/* ---- bounds ---- */

Test(outbox_disk, when_full_the_oldest_go_and_one_gap_names_them)
{
	struct outbox_config config;
	struct outbox *outbox;
	struct outbox_message first;
	struct outbox_gap gap;

	disk_make_dir(dir);
	config = config_of("b1");
	config.max_events = 1000;
	outbox = make_with(&config);
	put_many(outbox, 1, 1000);
	first = take(outbox);
	put_many(outbox, 1001, 2500);
	cr_assert_eq(stats_of(outbox).events, 1000);
	expect_gap(outbox, "", 2, 1501, OUTBOX_REASON_FULL);
	cr_assert_not(outbox_take_gap(outbox, &gap));
	cr_assert_eq(outbox_release(outbox, first.id), 0);
	expect_many(outbox, "b1", 1502, 1600);
	outbox_free(outbox);
	/* What was dropped is not on disk either. */
	outbox = make_with(&config);
	expect_many(outbox, "b1", 1601, 2500);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, what_earlier_boots_left_is_given_up_under_their_name)
{
	struct outbox_config config;
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 5, 104);
	outbox_free(outbox);
	config = config_of("b2");
	config.max_events = 100;
	outbox = make_with(&config);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	put_many(outbox, 1, 30);
	expect_gap(outbox, "b1", 5, 34, OUTBOX_REASON_FULL);
	expect_many(outbox, "b1", 35, 104);
	expect_many(outbox, "b2", 1, 30);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, reject_new_refuses_what_is_put)
{
	struct outbox_config config;
	struct outbox *outbox;

	disk_make_dir(dir);
	config = config_of("b1");
	config.max_events = 100;
	config.full = OUTBOX_REJECT_NEW;
	outbox = make_with(&config);
	put_many(outbox, 1, 100);
	cr_assert_eq(put_qos(outbox, 101, 1), -ENOBUFS);
	cr_assert_eq(put_qos(outbox, 102, 0), -ENOBUFS);
	expect_many(outbox, "b1", 1, 1);
	put_many(outbox, 103, 103);
	cr_assert_eq(put_qos(outbox, 104, 1), -ENOBUFS);
	expect_gap(outbox, "", 101, 102, OUTBOX_REASON_FULL);
	expect_gap(outbox, "", 104, 104, OUTBOX_REASON_FULL);
	expect_many(outbox, "b1", 2, 100);
	expect_many(outbox, "b1", 103, 103);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, bytes_are_a_bound_over_memory_and_disk)
{
	struct outbox_config config;
	struct outbox *outbox;
	struct outbox_gap gap;
	uint64_t given_up = 0, left;

	disk_make_dir(dir);
	config = config_of("b1");
	config.max_bytes = 100000;
	outbox = make_with(&config);
	put_many(outbox, 1, 5000);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_leq(stats_of(outbox).bytes, 100000);
	left = stats_of(outbox).events;
	while (outbox_take_gap(outbox, &gap)) {
		cr_assert_eq(gap.from_seq, given_up + 1);
		given_up = gap.to_seq;
	}
	cr_assert_eq(given_up + left, 5000);
	expect_many(outbox, "b1", given_up + 1, 5000);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, what_can_not_be_sent_is_given_up)
{
	struct outbox *outbox;
	struct outbox_message m;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 2);
	m = take(outbox);
	cr_assert_eq(outbox_give_up(outbox, m.id, OUTBOX_REASON_TOO_LARGE), 0);
	cr_assert_eq(outbox_give_up(outbox, m.id, OUTBOX_REASON_TOO_LARGE), -ENOENT);
	expect_gap(outbox, "", 1, 1, OUTBOX_REASON_TOO_LARGE);
	outbox_free(outbox);
	outbox = make("b2");
	expect_many(outbox, "b1", 2, 2);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/* ---- the disk fails ---- */

/** Put and taken as ever while writes give @p code; on disk again afterwards. */
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
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), -EIO);
	expect_many(outbox, "b1", 1, 550);
	in_flight = take(outbox);
	cr_assert_eq(in_flight.seq, 551);
	put_many(outbox, 601, 700);
	disk_write_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	cr_assert_str_eq(stats_of(outbox).reason, "");
	cr_assert_eq(stats_of(outbox).disk_failures, 1, "told once");
	put_many(outbox, 701, 800);
	outbox_free(outbox);
	/* What was sent meanwhile is off the disk, what was put is on it. */
	outbox = make("b2");
	expect_many(outbox, "b1", 551, 800);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, goes_on_in_memory_when_the_disk_is_full)
{
	fail_with(SQLITE_FULL, "full");
}

Test(outbox_disk, goes_on_in_memory_when_the_disk_is_read_only)
{
	fail_with(SQLITE_READONLY, "readonly");
}

Test(outbox_disk, goes_on_in_memory_after_an_io_error)
{
	fail_with(SQLITE_IOERR_WRITE, "I/O");
}

Test(outbox_disk, a_disk_that_hangs_is_gone_on_without)
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

Test(outbox_disk, a_failed_sync_is_a_failure)
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

Test(outbox_disk, what_can_not_be_read_for_long_is_given_up)
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
	/* In order as far as there is something, then what is left. */
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
	/* What was told to be missing does not come after all. */
	outbox = make("b2");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_eq(stats_of(outbox).events, 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, is_bounded_in_memory_too)
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

Test(outbox_disk, begins_in_memory_when_it_can_not_be_opened)
{
	char path[128];
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put_many(outbox, 1, 10);
	outbox_free(outbox);
	/* A folder in the place of the file: nobody can open that, not even root. */
	path_of(path, sizeof(path), "outbox.db");
	cr_assert_eq(rename(path, "/tmp/cuebus-test-away"), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	outbox = make("b2");
	put_many(outbox, 1, 10);
	expect_many(outbox, "b2", 1, 5);
	cr_assert_not(stats_of(outbox).on_disk);
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(rename("/tmp/cuebus-test-away", path), 0);
	wait_on_disk(outbox, true);
	cr_assert_eq(stats_of(outbox).restored, 10);
	outbox_free(outbox);
	outbox = make("b3");
	expect_many(outbox, "b1", 1, 10);
	expect_many(outbox, "b2", 6, 10);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, the_folder_removed_under_it_is_made_again)
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

Test(outbox_disk, a_second_process_does_not_get_the_file)
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

/* ---- damage ---- */

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

Test(outbox_disk, a_file_that_is_no_database_is_set_aside)
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

Test(outbox_disk, of_a_damaged_file_what_can_be_read_is_sent)
{
	/* A page in the midst of the messages. */
	struct outbox *outbox = with_damaged_file(40 * 4096, 4096);
	struct outbox_message m;
	uint64_t last = 0, n = 0;
	unsigned notes = 0;

	put_many(outbox, 1, 10);
	cr_assert_eq(outbox_journal_foreach(outbox, count_note, &notes), 0);
	cr_assert_eq(notes, 1);
	for (m = take(outbox); strcmp(m.boot_id, "b1") == 0; m = take(outbox)) {
		char expected[64];

		cr_assert_gt(m.seq, last);
		last = m.seq;
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

Test(outbox_disk, a_flipped_bit_in_a_payload_is_no_message)
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

Test(outbox_disk, a_file_cut_short_while_it_runs)
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

Test(outbox_disk, a_file_of_a_newer_version_is_left_alone)
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

Test(outbox_disk, nobody_else_may_read_the_file)
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

/* ---- two threads ---- */

#define THREAD_EVENTS 20000U

static void *take_all(void *user)
{
	struct outbox *outbox = user;
	uint64_t expected = 1;
	unsigned since_rewind = 0;

	while (expected <= THREAD_EVENTS) {
		struct outbox_message m = take(outbox);

		if (++since_rewind == 97) {
			since_rewind = 0;
			outbox_rewind(outbox);
			continue;
		}
		if (m.seq != expected || outbox_release(outbox, m.id) < 0)
			return user;
		expected++;
	}
	return NULL;
}

Test(outbox_disk, two_threads_and_a_disk_that_comes_and_goes_lose_nothing)
{
	struct outbox *outbox;
	void *failed = NULL;
	pthread_t thread;

	disk_make_dir(dir);
	outbox = make("b1");
	cr_assert_eq(pthread_create(&thread, NULL, take_all, outbox), 0);
	for (uint64_t seq = 1; seq <= THREAD_EVENTS; seq++) {
		cr_assert_eq(put_qos(outbox, seq, seq % 7 == 0 ? 0 : 1), 0);
		if (seq % 4000 == 0)
			disk_write_code = disk_write_code ? SQLITE_OK : SQLITE_FULL;
	}
	pthread_join(thread, &failed);
	cr_assert_null(failed);
	disk_write_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	expect_none(outbox);
	outbox_free(outbox);
	outbox = make("b2");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}
