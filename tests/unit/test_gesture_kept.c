/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

#define LIMIT 10000U

static const struct cue_limits limits = { .gesture_bytes = LIMIT };

static struct cue_gestures_stats stats_of(const struct gesture_fixture *f)
{
	struct cue_gestures_stats stats;

	cue_gestures_get_stats(f->gestures, &stats);
	return stats;
}

static void define(struct gesture_fixture *f, const char *name, enum cue_gesture_type type)
{
	gesture_define(f, &(struct cue_gesture_config){ .name = name,
	                                                .type = type,
	                                                .source = { .type = "press" },
	                                                .window_ns = 1000 * (uint64_t)CUE_NS_PER_MS,
	                                                .required_sources = 2,
	                                                .emit = name });
}

/** A press whose data has @p n bytes. */
static void press(struct gesture_fixture *f, uint64_t ms, uint32_t producer_id, size_t n)
{
	char *json = malloc(n + 1);

	memset(json, 'x', n);
	json[0] = json[n - 1] = '"';
	json[n] = '\0';
	gesture_event(f, ms, "press", producer_id, json);
	free(json);
}

Test(gesture_kept, nothing_is_counted_once_all_is_gone)
{
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	define(&f, "double", CUE_GESTURE_DOUBLE_TAP);
	define(&f, "pair", CUE_GESTURE_SIMULTANEOUS);
	press(&f, 0, 1, 1000);
	cr_assert_gt(stats_of(&f).kept_bytes, 2000U);
	press(&f, 10, 1, 1000);
	cr_assert_eq(gesture_info(&f, "double").fired, 1U);
	cr_assert_eq(cue_gesture_remove(f.gestures, "double"), 0);
	cr_assert_eq(cue_gesture_remove(f.gestures, "pair"), 0);
	cr_assert_eq(stats_of(&f).kept_bytes, 0U);
	cr_assert_eq(stats_of(&f).kept_forgotten, 0U);
	gesture_close(&f);
}

Test(gesture_kept, the_producer_not_heard_of_longest_is_forgotten)
{
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	define(&f, "double", CUE_GESTURE_DOUBLE_TAP);
	for (uint32_t producer = 1; producer <= 5; producer++)
		press(&f, producer, producer, 3000);
	cr_assert_leq(stats_of(&f).kept_bytes, LIMIT);
	cr_assert_eq(stats_of(&f).kept_forgotten, 2U);
	press(&f, 10, 1, 10); /* its first tap was forgotten */
	cr_assert_eq(gesture_info(&f, "double").fired, 0U);
	press(&f, 11, 5, 10);
	cr_assert_eq(gesture_info(&f, "double").fired, 1U);
	gesture_close(&f);
}

Test(gesture_kept, one_budget_is_for_all_gestures)
{
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	define(&f, "pair", CUE_GESTURE_SIMULTANEOUS);
	press(&f, 0, 1, 4000);
	define(&f, "double", CUE_GESTURE_DOUBLE_TAP);
	press(&f, 1, 1, 4000); /* takes the place of the pair's, and is a tap */
	cr_assert_eq(stats_of(&f).kept_forgotten, 0U);
	press(&f, 2, 2, 4000); /* fires the pair; the taps of 1 and 2 fit */
	cr_assert_eq(gesture_info(&f, "pair").fired, 1U);
	press(&f, 3, 3, 4000); /* of the pair, and a tap */
	cr_assert_gt(stats_of(&f).kept_forgotten, 0U);
	cr_assert_leq(stats_of(&f).kept_bytes, LIMIT);
	gesture_close(&f);
}

/* An event larger than the whole budget still fires: it is the newest. */
Test(gesture_kept, who_is_being_heard_of_is_never_forgotten)
{
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	define(&f, "double", CUE_GESTURE_DOUBLE_TAP);
	press(&f, 0, 1, 20000);
	press(&f, 1, 1, 20000);
	cr_assert_eq(gesture_info(&f, "double").fired, 1U);
	cr_assert_eq(stats_of(&f).kept_forgotten, 0U);
	gesture_close(&f);
}

Test(gesture_kept, a_sequence_begins_anew_for_a_producer_that_was_forgotten)
{
	struct gesture_fixture f;
	struct cue_filter steps[] = { { .type = "press" },
		                      { .type = "press" },
		                      { .type = "press" } };

	gesture_open(&f, &limits);
	gesture_define(&f, &(struct cue_gesture_config){ .name = "code",
	                                                 .type = CUE_GESTURE_SEQUENCE,
	                                                 .emit = "code",
	                                                 .steps = steps,
	                                                 .n_steps = 3 });
	press(&f, 0, 1, 4000);
	press(&f, 1, 1, 4000);
	press(&f, 2, 2, 4000); /* 1 is forgotten */
	cr_assert_eq(stats_of(&f).kept_forgotten, 1U);
	press(&f, 3, 1, 10);
	cr_assert_eq(gesture_info(&f, "code").fired, 0U);
	press(&f, 4, 1, 10);
	press(&f, 5, 1, 10);
	cr_assert_eq(gesture_info(&f, "code").fired, 1U);
	gesture_close(&f);
}

/* Producers alone fill it too: an outside sender chooses their number. */
Test(gesture_kept, bookkeeping_counts)
{
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	define(&f, "double", CUE_GESTURE_DOUBLE_TAP);
	for (uint32_t producer = 0; producer < 500; producer++)
		gesture_event(&f, 1, "press", producer, "null");
	cr_assert_gt(stats_of(&f).kept_forgotten, 300U);
	cr_assert_leq(stats_of(&f).kept_bytes, LIMIT);
	gesture_close(&f);
}
