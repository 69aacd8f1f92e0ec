/* SPDX-License-Identifier: Apache-2.0 */
/* OUTBOX_DISK_WHEN_AWAY: the phases, seen by writes and reads; the mark, seen by the gap that the
 * next start reports after the process was killed. */
#include "outbox_disk_fixture.h"

#include <sys/wait.h>

/** Longer than any test: nothing is overdue by chance. */
#define NEVER_NS (3600000 * MS)

static struct outbox_config away_config(const char *boot_id)
{
	struct outbox_config config = config_of(boot_id);

	config.when = OUTBOX_DISK_WHEN_AWAY;
	config.patience_ns = NEVER_NS;
	config.calm_ns = NEVER_NS;
	return config;
}

static struct outbox *make_away(const char *boot_id)
{
	struct outbox_config config = away_config(boot_id);

	return make_with(&config);
}

static void wait_idle(struct outbox *outbox, bool idle)
{
	while (stats_of(outbox).idle != idle)
		usleep(200);
}

/** In phase MEMORY, with the events up to @p seq acknowledged. */
static void settle(struct outbox *outbox, uint64_t seq)
{
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_set_connected(outbox, true);
	for (uint64_t n = 1; n <= seq; n++) {
		put_many(outbox, n, n);
		expect_many(outbox, "b1", n, n);
	}
	wait_idle(outbox, true);
}

static void take_many(struct outbox *outbox, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		cr_assert_eq(take(outbox).seq, seq);
}

static void expect_no_gap(struct outbox *outbox)
{
	struct outbox_gap gap;

	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_not(outbox_take_gap(outbox, &gap));
}

Test(outbox_away, nothing_is_written_while_the_broker_acknowledges)
{
	struct outbox *outbox;
	uint64_t before;

	disk_make_dir(dir);
	outbox = make_away("b1");
	settle(outbox, 1);
	cr_assert(stats_of(outbox).on_disk);
	before = stats_of(outbox).commits;
	for (uint64_t seq = 2; seq <= 2000; seq++) {
		put_many(outbox, seq, seq);
		expect_many(outbox, "b1", seq, seq);
	}
	/* The deletion of what came before, and marks: reserves of 64, 128, 256, … */
	cr_assert_leq(stats_of(outbox).commits - before, 8);
	cr_assert(stats_of(outbox).idle);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, before_the_broker_is_there_everything_is_written)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make_away("b1");
	put_many(outbox, 1, 10);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_eq(stats_of(outbox).unwritten_events, 0);
	cr_assert_not(stats_of(outbox).idle);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, when_the_broker_goes_what_waits_is_written_and_all_that_follows)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make_away("b1");
	settle(outbox, 3);
	put_many(outbox, 4, 10);
	take_many(outbox, 4, 7);
	cr_assert_eq(stats_of(outbox).unwritten_events, 7);
	outbox_set_connected(outbox, false);
	outbox_rewind(outbox);
	put_many(outbox, 11, 300); /* more than the window in memory */
	while (stats_of(outbox).unwritten_events > 0)
		usleep(200);
	cr_assert_not(stats_of(outbox).idle);
	/* Back: in order, then from memory again. */
	outbox_set_connected(outbox, true);
	expect_many(outbox, "b1", 4, 300);
	put_many(outbox, 301, 301);
	wait_idle(outbox, true);
	expect_many(outbox, "b1", 301, 301);
	outbox_free(outbox);
	outbox = make_away("b2");
	expect_no_gap(outbox);
	expect_none(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, what_is_not_acknowledged_in_time_is_written)
{
	struct outbox_config config;
	struct outbox *outbox;

	disk_make_dir(dir);
	config = away_config("b1");
	config.patience_ns = 20 * MS;
	outbox = make_with(&config);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_set_connected(outbox, true);
	put_many(outbox, 1, 20);
	take_many(outbox, 1, 5);
	while (stats_of(outbox).unwritten_events > 0 || stats_of(outbox).idle)
		usleep(200);
	put_many(outbox, 21, 30);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_not(stats_of(outbox).idle, "a broker that was slow just now");
	outbox_free(outbox);
	outbox = make_away("b2");
	expect_many(outbox, "b1", 1, 30);
	expect_no_gap(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, what_fills_half_of_the_memory_is_written)
{
	struct outbox_config config;
	struct outbox *outbox;
	uint64_t seq = 2;

	disk_make_dir(dir);
	config = away_config("b1");
	config.max_memory_bytes = 100000;
	outbox = make_with(&config);
	settle(outbox, 1);
	while (stats_of(outbox).idle) {
		/* Slower than the outbox's thread, so that nothing is dropped meanwhile. */
		put_many(outbox, seq, seq);
		cr_assert_lt(seq++, 1000);
		usleep(100);
	}
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_eq(stats_of(outbox).dropped, 0);
	outbox_free(outbox);
	outbox = make_away("b2");
	expect_many(outbox, "b1", 2, seq - 1);
	expect_no_gap(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, at_the_end_what_waits_is_written)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make_away("b1");
	settle(outbox, 1);
	put_many(outbox, 2, 9);
	take_many(outbox, 2, 4);
	cr_assert(stats_of(outbox).idle);
	outbox_free(outbox);
	outbox = make_away("b2");
	expect_many(outbox, "b1", 2, 9);
	expect_no_gap(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, a_flush_writes_too)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make_away("b1");
	settle(outbox, 1);
	put_many(outbox, 2, 9);
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert_eq(stats_of(outbox).unwritten_events, 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

/** A process that settles, puts up to @p last, has those up to @p released acknowledged, and ends
 *  as by kill -9. */
static void killed(uint64_t released, uint64_t last)
{
	int status = 0;
	pid_t child = fork();

	cr_assert_geq(child, 0);
	if (child == 0) {
		struct outbox *outbox = make_away("b1");

		settle(outbox, 5);
		put_many(outbox, 6, last);
		expect_many(outbox, "b1", 6, released);
		take_many(outbox, released + 1, released + 3 < last ? released + 3 : last);
		_exit(42);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

Test(outbox_away, after_a_kill_the_next_start_names_what_may_be_lost)
{
	struct outbox_gap gap = { .boot_id = "" };
	struct outbox *outbox;

	disk_make_dir(dir);
	killed(10, 30);
	outbox = make_away("b2");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_str_eq(gap.boot_id, "b1");
	cr_assert_eq(gap.reason, OUTBOX_REASON_KILLED);
	cr_assert_leq(gap.from_seq, 11);
	cr_assert_geq(gap.to_seq, 30);
	cr_assert_eq(gap.count, gap.to_seq - gap.from_seq + 1);
	cr_assert_leq(gap.count, 200, "no more than a reserve");
	/* A message that is sent again because its deletion was not committed is not named. */
	while (stats_of(outbox).events > 0) {
		struct outbox_message m = take(outbox);

		cr_assert_lt(m.seq, gap.from_seq);
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, the_range_begins_where_the_disk_ends)
{
	struct outbox_gap gap = { .boot_id = "" };
	struct outbox *outbox;
	int status = 0;
	pid_t child;

	disk_make_dir(dir);
	child = fork();
	if (child == 0) {
		outbox = make_away("b1");
		outbox_flush(outbox, FLUSH_NS);
		outbox_set_connected(outbox, true);
		outbox_group_begin(outbox);
		put_many(outbox, 1, 7); /* one transaction, and the mark */
		outbox_group_end(outbox);
		wait_idle(outbox, true);
		put_many(outbox, 8, 9);
		take_many(outbox, 1, 9);
		_exit(42);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	outbox = make_away("b2");
	expect_many(outbox, "b1", 1, 7);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_eq(gap.from_seq, 8);
	cr_assert_geq(gap.to_seq, 9);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, a_kill_is_named_whatever_the_next_start_is_configured_to)
{
	struct outbox_gap gap;
	struct outbox *outbox;

	disk_make_dir(dir);
	killed(6, 8);
	outbox = make("b2");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_not(outbox_take_gap(outbox, &gap));
	outbox_free(outbox);
	outbox = make("b3");
	expect_no_gap(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, nothing_is_taken_before_the_notes_of_its_group_are_committed)
{
	struct outbox_config config;
	struct outbox_message m;
	struct outbox *outbox;

	disk_make_dir(dir);
	config = away_config("b1");
	config.sync = OUTBOX_SYNC_ALWAYS;
	config.stall_ns = NEVER_NS;
	outbox = make_with(&config);
	settle(outbox, 3);
	put_many(outbox, 4, 4);
	disk_hangs = true;
	outbox_group_begin(outbox);
	put_many(outbox, 5, 5);
	cr_assert_eq(outbox_journal_put(outbox, "k", "v", 1), 0);
	put_many(outbox, 6, 6);
	outbox_group_end(outbox);
	put_many(outbox, 7, 7);
	expect_many(outbox, "b1", 4, 4); /* needs no disk */
	usleep(20000);
	cr_assert_eq(outbox_take(outbox, &m), -EAGAIN);
	disk_hangs = false;
	expect_many(outbox, "b1", 5, 7);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_away, a_disk_that_fails_meanwhile_costs_nothing)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make_away("b1");
	settle(outbox, 3);
	put_many(outbox, 4, 9);
	disk_write_code = SQLITE_FULL;
	cr_assert_eq(outbox_journal_put(outbox, "k", "v", 1), 0);
	wait_on_disk(outbox, false);
	cr_assert_not(stats_of(outbox).idle);
	put_many(outbox, 10, 12);
	expect_many(outbox, "b1", 4, 5);
	disk_write_code = SQLITE_OK;
	wait_on_disk(outbox, true);
	outbox_free(outbox);
	outbox = make_away("b2");
	expect_many(outbox, "b1", 6, 12);
	expect_no_gap(outbox);
	outbox_free(outbox);
	disk_remove_dir(dir);
}
