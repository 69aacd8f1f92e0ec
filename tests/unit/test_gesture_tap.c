/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

#include <errno.h>

static const struct cue_gesture_config double_tap = {
	.name = "button.double",
	.type = CUE_GESTURE_DOUBLE_TAP,
	.emit = "button.double_tap",
	.priority = CUE_PRIORITY_GESTURE,
	.source = { .type = "button.press" },
	.window_ns = MS(500),
};

static void tap(struct gesture_fixture *f, uint64_t ms, uint32_t producer_id)
{
	gesture_event(f, ms, "button.press", producer_id, "null");
}

Test(gesture_tap, two_taps_within_the_window_fire)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &double_tap);
	gesture_event(&f, 0, "button.press", 1, "{\"pressed\":true}");
	expect_log(&f, "");
	gesture_event(&f, 250, "button.press", 1, "{\"pressed\":true,\"n\":1.50}");
	expect_log(&f, "250 button.double_tap 1\n");
	expect_last(&f, "{\"events\":["
	                "{\"event_type\":\"button.press\",\"producer_id\":1,\"data\":{\"pressed\":"
	                "true},\"timestamp\":\"1970-01-01T00:00:00.000000Z\"},"
	                "{\"event_type\":\"button.press\",\"producer_id\":1,\"data\":{\"pressed\":"
	                "true,\"n\":1.50},\"timestamp\":\"1970-01-01T00:00:00.250000Z\"}],"
	                "\"virtual_peripheral\":{\"id\":\"1baeeea816db1f624c5f6f67ce6f7a5a\","
	                "\"name\":\"button.double\",\"metadata\":null}}");
	gesture_close(&f);
}

Test(gesture_tap, the_second_tap_consumes_both)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &double_tap);
	tap(&f, 0, 1);
	tap(&f, 100, 1);
	expect_log(&f, "100 button.double_tap 1\n");
	tap(&f, 200, 1);
	expect_log(&f, "");
	tap(&f, 300, 1);
	expect_log(&f, "300 button.double_tap 1\n");
	gesture_close(&f);
}

Test(gesture_tap, the_window_is_inclusive_to_the_nanosecond)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &double_tap);
	gesture_event_ns(&f, 0, "button.press", 1, "null");
	gesture_event_ns(&f, MS(500), "button.press", 1, "null");
	expect_log(&f, "500 button.double_tap 1\n");
	gesture_event_ns(&f, MS(1000), "button.press", 1, "null");
	gesture_event_ns(&f, MS(1500) + 1, "button.press", 1, "null");
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_tap, outside_of_the_window_the_later_tap_becomes_the_first)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &double_tap);
	tap(&f, 0, 1);
	tap(&f, 600, 1);
	expect_log(&f, "");
	tap(&f, 1000, 1);
	expect_log(&f, "1000 button.double_tap 1\n");
	gesture_close(&f);
}

Test(gesture_tap, the_later_tap_counts_whichever_was_dispatched_first)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &double_tap);
	tap(&f, 600, 1);
	tap(&f, 0, 1); /* too old for 600: dropped */
	tap(&f, 1000, 1);
	expect_log(&f, "1000 button.double_tap 1\n");
	gesture_close(&f);
}

Test(gesture_tap, a_late_tap_within_the_window_fires_and_is_listed_by_time)
{
	struct gesture_fixture f;
	const char *bytes, *first, *second;

	gesture_open(&f, NULL);
	gesture_define(&f, &double_tap);
	gesture_event(&f, 600, "button.press", 1, "\"late\"");
	gesture_event(&f, 100, "button.press", 1, "\"early\"");
	expect_log(&f, "600 button.double_tap 1\n");
	bytes = cue_payload_bytes(f.last, NULL);
	first = strstr(bytes, "early");
	second = strstr(bytes, "late");
	cr_assert_not_null(first);
	cr_assert_not_null(second);
	cr_assert_lt(first, second);
	gesture_close(&f);
}

Test(gesture_tap, producers_are_kept_apart)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &double_tap);
	tap(&f, 0, 1);
	tap(&f, 10, 2);
	tap(&f, 20, 3);
	expect_log(&f, "");
	tap(&f, 30, 2);
	tap(&f, 40, 1);
	expect_log(&f, "30 button.double_tap 2\n40 button.double_tap 1\n");
	gesture_close(&f);
}

Test(gesture_tap, what_does_not_match_is_no_tap)
{
	struct cue_gesture_config config = double_tap;
	struct gesture_fixture f;
	cJSON *match = cJSON_Parse("{\"code\":\"up\"}");

	config.source.match = match;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	cJSON_Delete(match);
	gesture_event(&f, 0, "button.press", 1, "{\"code\":\"up\"}");
	gesture_event(&f, 10, "button.press", 1, "{\"code\":\"down\"}");
	gesture_event(&f, 20, "button.release", 1, "{\"code\":\"up\"}");
	expect_log(&f, "");
	gesture_event(&f, 30, "button.press", 1, "{\"code\":\"up\"}");
	expect_log(&f, "30 button.double_tap 1\n");
	gesture_close(&f);
}

Test(gesture_tap, multi_tap_needs_each_within_the_window_of_the_one_before)
{
	struct cue_gesture_config config = double_tap;
	struct gesture_fixture f;

	config.type = CUE_GESTURE_MULTI_TAP;
	config.emit = "button.triple_tap";
	config.count = 3;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	tap(&f, 0, 1);
	tap(&f, 500, 1);
	tap(&f, 1000, 1); /* 1 s after the first, but 500 ms after the second */
	expect_log(&f, "1000 button.triple_tap 1\n");
	tap(&f, 1100, 1);
	tap(&f, 1601, 1); /* too late: this is now the first */
	tap(&f, 1700, 1);
	expect_log(&f, "");
	tap(&f, 1800, 1);
	expect_log(&f, "1800 button.triple_tap 1\n");
	gesture_close(&f);
}

Test(gesture_tap, multi_tap_takes_a_late_tap_in_its_place)
{
	struct cue_gesture_config config = double_tap;
	struct gesture_fixture f;

	config.type = CUE_GESTURE_MULTI_TAP;
	config.count = 4;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	tap(&f, 0, 1);
	tap(&f, 400, 1);
	tap(&f, 200, 1);
	expect_log(&f, "");
	tap(&f, 900, 1);
	expect_log(&f, "900 button.double_tap 1\n");
	gesture_close(&f);
}

Test(gesture_tap, cooldown_is_per_producer_and_consumes_the_taps)
{
	struct cue_gesture_config config = double_tap;
	struct cue_gestures_stats stats;
	struct gesture_fixture f;

	config.cooldown_ns = MS(1000);
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	tap(&f, 0, 1);
	tap(&f, 100, 1);
	tap(&f, 200, 1);
	tap(&f, 300, 1); /* cooled down, does not prolong the cooldown */
	tap(&f, 400, 2);
	tap(&f, 500, 2);
	expect_log(&f, "100 button.double_tap 1\n500 button.double_tap 2\n");
	tap(&f, 600, 1); /* the first again: 200 and 300 were discarded */
	tap(&f, 1099, 1);
	expect_log(&f, "");
	tap(&f, 1099, 1);
	tap(&f, 1100, 1); /* 1 s after firing it is over */
	expect_log(&f, "1100 button.double_tap 1\n");
	cr_assert_eq(gesture_info(&f, "button.double").fired, 3);
	cr_assert_eq(gesture_info(&f, "button.double").cooled_down, 2);
	cue_gestures_get_stats(f.gestures, &stats);
	cr_assert_eq(stats.fired, 3);
	cr_assert_eq(stats.cooled_down, 2);
	gesture_close(&f);
}

Test(gesture_tap, the_producer_not_heard_of_longest_is_forgotten)
{
	const struct cue_limits limits = { .gesture_producers = 2 };
	struct cue_gestures_stats stats;
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	gesture_define(&f, &double_tap);
	tap(&f, 0, 1);
	tap(&f, 10, 2);
	tap(&f, 20, 3); /* 1 is forgotten */
	tap(&f, 30, 2);
	expect_log(&f, "30 button.double_tap 2\n");
	tap(&f, 40, 1); /* its first tap again; 3 is forgotten */
	expect_log(&f, "");
	cr_assert_eq(gesture_info(&f, "button.double").producers_forgotten, 2);
	cue_gestures_get_stats(f.gestures, &stats);
	cr_assert_eq(stats.producers_forgotten, 2);
	gesture_close(&f);
}
