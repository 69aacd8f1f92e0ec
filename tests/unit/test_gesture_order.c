/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>

#include "gesture_fixture.h"

/** A sequence of two types: "fast" comes at once, "slow" 50 ms late. */
static void define_steps(struct gesture_fixture *f, const char *name, const char *first,
                         const char *second, int priority)
{
	const struct cue_filter steps[] = { { .type = first }, { .type = second } };

	gesture_define(f, &(struct cue_gesture_config){
	                          .name = name,
	                          .type = CUE_GESTURE_SEQUENCE,
	                          .steps = steps,
	                          .n_steps = 2,
	                          .priority = priority,
	                          .emit = name,
	                  });
}

static void open_with_delay(struct gesture_fixture *f)
{
	gesture_open(f, NULL);
	cue_gestures_add_delay(f->gestures, "slow", MS(50));
}

/** An event at @p at_ms that is dispatched at @p ms. */
static void late_event(struct gesture_fixture *f, uint64_t ms, const char *type, uint64_t at_ms)
{
	cr_assert_eq(cue_bus_advance_before(f->bus, START_NS + MS(ms)), 0);
	gesture_event(f, at_ms, type, 1, "null");
}

static void advance(struct gesture_fixture *f, uint64_t ms)
{
	cr_assert_eq(cue_bus_advance(f->bus, START_NS + MS(ms)), 0);
}

static struct cue_gestures_stats stats(struct gesture_fixture *f)
{
	struct cue_gestures_stats s;

	cue_gestures_get_stats(f->gestures, &s);
	return s;
}

Test(gesture_order, a_later_event_waits_for_an_earlier_one)
{
	struct gesture_fixture f;

	open_with_delay(&f);
	define_steps(&f, "right", "slow", "fast", 0);
	define_steps(&f, "wrong", "fast", "slow", 0);
	gesture_event(&f, 30, "fast", 1, "null");
	cr_assert_eq(stats(&f).held_events, 2);
	late_event(&f, 50, "slow", 0);
	expect_log(&f, "");
	cr_assert_eq(cue_bus_next_deadline(f.bus), START_NS + MS(80));
	advance(&f, 79);
	expect_log(&f, "");
	advance(&f, 80);
	expect_log(&f, "30 right 1\n");
	cr_assert_eq(stats(&f).held_events, 0);
	cr_assert_eq(stats(&f).held_bytes, 0);
	cr_assert_eq(stats(&f).taken_early, 0);
	cr_assert_eq(cue_bus_next_deadline(f.bus), CUE_TIME_NONE);
	gesture_close(&f);
}

Test(gesture_order, an_event_whose_wait_is_over_is_taken_at_once_behind_those_held)
{
	struct gesture_fixture f;

	open_with_delay(&f);
	define_steps(&f, "s", "fast", "slow", 0);
	gesture_event(&f, 10, "fast", 1, "null");
	late_event(&f, 61, "slow", 11);
	expect_log(&f, "11 s 1\n");
	gesture_event(&f, 100, "fast", 1, "null");
	late_event(&f, 150, "slow", 100); /* equal times: as they came, at the very deadline */
	expect_log(&f, "100 s 1\n");
	gesture_close(&f);
}

static int keep_cause(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)bus;
	*(struct cue_event *)user = *event;
	return 0;
}

Test(gesture_order, the_cause_is_the_event_that_completed_it)
{
	struct gesture_fixture f;
	struct cue_subscription *subscription;
	struct cue_event seen = { 0 };

	open_with_delay(&f);
	define_steps(&f, "done", "slow", "fast", 0);
	cr_assert_eq(cue_bus_subscribe(f.bus,
	                               &(struct cue_subscription_config){
	                                       .type = "done",
	                                       .handler = keep_cause,
	                                       .user = &seen,
	                               },
	                               &subscription),
	             0);
	gesture_event(&f, 10, "fast", 1, "null"); /* seq 1 */
	late_event(&f, 55, "slow", 5);            /* seq 2 */
	gesture_event(&f, 58, "other", 1, "null");
	advance(&f, 100);
	cr_assert_eq(seen.cause_seq, 1);
	cr_assert_eq(seen.depth, 1);
	cr_assert_eq(seen.time_ns, START_NS + MS(10));
	gesture_close(&f);
}

Test(gesture_order, at_one_instant_gestures_go_by_priority_then_definition)
{
	struct gesture_fixture f;

	open_with_delay(&f);
	define_steps(&f, "c", "slow", "fast", 1);
	define_steps(&f, "b", "slow", "fast", 2);
	define_steps(&f, "d", "slow", "fast", 1);
	gesture_event(&f, 10, "fast", 1, "null");
	late_event(&f, 55, "slow", 5);
	advance(&f, 60);
	expect_log(&f, "10 b 1\n10 c 1\n10 d 1\n");
	gesture_close(&f);
}

Test(gesture_order, a_full_hold_takes_the_oldest_early)
{
	struct gesture_fixture f;

	open_with_delay(&f);
	define_steps(&f, "s", "fast", "fast", 0);
	cue_gestures_add_delay(f.gestures, "fast", 0);
	cue_gestures_add_delay(f.gestures, "fast", MS(5000));
	for (unsigned i = 0; i < CUE_GESTURE_HELD_MAX; i++)
		gesture_event(&f, 1000 + i, "fast", 1, "null");
	expect_log(&f, "");
	cr_assert_eq(stats(&f).held_events, CUE_GESTURE_HELD_MAX);
	gesture_event(&f, 3000, "fast", 1, "null");
	gesture_event(&f, 3000, "fast", 1, "null");
	expect_log(&f, "1001 s 1\n");
	/* older than all held events: processed at once, too late for its place */
	late_event(&f, 3000, "fast", 900);
	expect_log(&f, "");
	cr_assert_eq(stats(&f).held_events, CUE_GESTURE_HELD_MAX);
	cr_assert_eq(stats(&f).taken_early, 3);
	gesture_close(&f);
}

static char *large_data(size_t len)
{
	char *data = malloc(len + 1);

	cr_assert_not_null(data);
	memset(data, 'x', len);
	data[0] = data[len - 1] = '"';
	data[len] = '\0';
	return data;
}

Test(gesture_order, the_bytes_held_are_bounded_for_one_and_for_all)
{
	struct gesture_fixture f;
	char *data = large_data(60000);
	char name[16];

	open_with_delay(&f);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		define_steps(&f, name, "fast", "slow", 0);
	}
	for (unsigned i = 0; i < 40; i++) {
		gesture_event(&f, 100 + i, "fast", 1, data);
		cr_assert_leq(stats(&f).held_bytes, CUE_GESTURES_HELD_BYTES_MAX);
	}
	cr_assert_gt(stats(&f).held_bytes, CUE_GESTURES_HELD_BYTES_MAX / 2);
	cr_assert_gt(stats(&f).taken_early, 0);
	advance(&f, 1000);
	cr_assert_eq(stats(&f).held_bytes, 0);
	cr_assert_eq(cue_gesture_remove(f.gestures, "g0"), 0);
	for (unsigned i = 1; i < 40; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		cr_assert_eq(cue_gesture_remove(f.gestures, name), 0);
	}
	define_steps(&f, "only", "fast", "slow", 0);
	for (unsigned i = 0; i < 40; i++)
		gesture_event(&f, 2000 + i, "fast", 1, data);
	cr_assert_leq(stats(&f).held_bytes, CUE_GESTURE_HELD_BYTES_MAX);
	cr_assert_gt(stats(&f).held_bytes, CUE_GESTURE_HELD_BYTES_MAX / 2);
	free(data);
	gesture_close(&f);
}

Test(gesture_order, what_a_removed_or_redefined_gesture_held_is_dropped)
{
	struct gesture_fixture f;

	open_with_delay(&f);
	define_steps(&f, "a", "fast", "fast", 0);
	define_steps(&f, "b", "fast", "fast", 0);
	define_steps(&f, "c", "fast", "slow", 0);
	gesture_event(&f, 10, "slow", 1, "null");
	gesture_event(&f, 20, "fast", 1, "null");
	cr_assert_eq(stats(&f).held_events, 2);
	cr_assert_eq(cue_gesture_remove(f.gestures, "c"), 0);
	cr_assert_eq(stats(&f).held_events, 0);
	advance(&f, 200);
	expect_log(&f, "");
	define_steps(&f, "c", "fast", "slow", 0);
	gesture_event(&f, 300, "fast", 1, "null");
	define_steps(&f, "c", "fast", "slow", 0);
	late_event(&f, 360, "slow", 310);
	advance(&f, 500);
	expect_log(&f, "300 a 1\n300 b 1\n");
	gesture_close(&f);
}

Test(gesture_order, a_shorter_wait_counts_for_what_is_held_already)
{
	struct gesture_fixture f;

	open_with_delay(&f);
	define_steps(&f, "s", "fast", "slow", 0);
	gesture_event(&f, 10, "fast", 1, "null");
	cue_gestures_clear_delays(f.gestures);
	gesture_event(&f, 20, "slow", 1, "null");
	expect_log(&f, "20 s 1\n");
	cr_assert_eq(stats(&f).held_events, 0);
	gesture_close(&f);
}

Test(gesture_order, a_failure_over_a_held_event_is_counted_and_reported)
{
	struct gesture_fixture f;
	struct cue_filter steps[15];
	char *data = large_data(600000);

	open_with_delay(&f);
	for (size_t i = 0; i < 15; i++)
		steps[i] = (struct cue_filter){ .type = i ? "fast" : "slow" };
	gesture_define(&f, &(struct cue_gesture_config){
	                           .name = "large",
	                           .type = CUE_GESTURE_SEQUENCE,
	                           .steps = steps,
	                           .n_steps = 15,
	                           .emit = "large",
	                   });
	gesture_event(&f, 0, "slow", 1, "null");
	for (unsigned i = 1; i < 15; i++)
		gesture_event(&f, 100 * i, "fast", 1, data);
	cr_assert_eq(f.last_error, 0);
	advance(&f, 2000);
	cr_assert_eq(f.last_error, -E2BIG);
	cr_assert_eq(f.base.reports[CUE_REPORT_HANDLER_FAILED], 1);
	free(data);
	gesture_close(&f);
}
