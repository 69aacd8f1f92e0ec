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
