/* SPDX-License-Identifier: Apache-2.0 */
/* What is dropped when memory and disk together are full, and the gap that names it. */
#include "outbox_disk_fixture.h"

Test(outbox_disk_full, when_full_the_oldest_go_and_one_gap_names_them)
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

Test(outbox_disk_full, what_earlier_boots_left_is_given_up_under_their_name)
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

Test(outbox_disk_full, a_gap_outlasts_restarts_until_its_event_is_acknowledged)
{
	struct outbox_config config;
	struct outbox_message message;
	struct outbox_gap gap;
	struct outbox *outbox;
	bool is_own;

	disk_make_dir(dir);
	config = config_of("a");
	config.max_events = 4;
	outbox = make_with(&config);
	put_many(outbox, 1, 10);
	outbox_free(outbox);
	/* Not announced, then announced by an event that is never acknowledged. */
	outbox = make("b");
	outbox_free(outbox);
	outbox = make("c");
	expect_gap(outbox, "a", 1, 6, OUTBOX_REASON_FULL);
	outbox_gap_told(outbox, 1);
	cr_assert_not(outbox_take_gap(outbox, &gap));
	outbox_free(outbox);
	outbox = make("d");
	expect_gap(outbox, "a", 1, 6, OUTBOX_REASON_FULL);
	outbox_gap_told(outbox, 1);
	put_many(outbox, 1, 1);
	do {
		message = take(outbox);
		is_own = strcmp(message.boot_id, "d") == 0;
		cr_assert_eq(outbox_release(outbox, message.id), 0);
	} while (!is_own);
	outbox_free(outbox);
	outbox = make("e");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_not(outbox_take_gap(outbox, &gap));
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_disk_full, reject_new_refuses_what_is_put)
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

Test(outbox_disk_full, bytes_are_a_bound_over_memory_and_disk)
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
