/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox_disk_fixture.h"

/* ---- put and restore ---- */

Test(outbox_disk, gives_back_what_was_put_in_all_its_parts)
{
	struct outbox_message m = { .topic = "reply/x",
		                    .seq = 6,
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
	cr_assert_eq(m.seq, 6);
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

Test(outbox_disk, a_reply_is_given_out_once_all_before_it_is_committed)
{
	struct outbox_message m = { .topic = "reply/x", .qos = 1 };
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	wait_on_disk(outbox, true); /* before it a reply has nothing to wait for */
	put_many(outbox, 1, 300);
	outbox_group_begin(outbox);
	put_many(outbox, 301, 302);
	cr_assert_eq(outbox_put(outbox, &m), 0);
	/* Nothing is committed while the group is open. */
	cr_assert_eq(outbox_take_reply(outbox, &m), -EAGAIN);
	outbox_group_end(outbox);
	while (outbox_take_reply(outbox, &m) < 0)
		usleep(200);
	cr_assert_str_eq(m.topic, "reply/x");
	cr_assert_eq(stats_of(outbox).unwritten_events, 0);
	cr_assert_eq(outbox_release(outbox, m.id), 0);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_free(outbox);
	outbox = make("b2");
	expect_many(outbox, "b1", 1, 302);
	expect_none(outbox);
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
	cr_assert_eq(stats.unwritten_events, 0);
	expect_many(outbox, "b1", 1, 20000);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk, memory_is_bounded_in_bytes_too)
{
	const uint64_t most = 100000 + 256 * 1200; /* what is read at a time comes on top */
	struct outbox_config config = config_of("b1");
	struct outbox *outbox;
	struct outbox_stats stats;

	disk_make_dir(dir);
	padding = 1000;
	config.memory_window = 100000;
	config.memory_window_bytes = 100000;
	outbox = make_with(&config);
	put_many(outbox, 1, 2000);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	stats = stats_of(outbox);
	cr_assert_eq(stats.events, 2000U);
	cr_assert_leq(stats.memory_bytes, most);
	for (uint64_t seq = 1; seq <= 2000; seq++) {
		struct outbox_message m = take(outbox);

		cr_assert_eq(m.seq, seq);
		cr_assert_eq(m.payload_len, padding);
		cr_assert_eq(outbox_release(outbox, m.id), 0);
		cr_assert_leq(stats_of(outbox).memory_bytes, most);
	}
	expect_none(outbox);
	padding = 0;
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
