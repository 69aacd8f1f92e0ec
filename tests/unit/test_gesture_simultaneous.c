/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

static const struct cue_gesture_config pair = {
	.name = "sensor.pair",
	.type = CUE_GESTURE_SIMULTANEOUS,
	.emit = "sensor.combo",
	.source = { .type = "sensor.trigger" },
	.window_ns = MS(10),
	.required_sources = 2,
};

static void trigger(struct gesture_fixture *f, uint64_t ms, uint32_t producer_id)
{
	gesture_event(f, ms, "sensor.trigger", producer_id, "1");
}

/** The producers in the last gesture's events, in order. */
static void expect_producers(struct gesture_fixture *f, const char *expected)
{
	const cJSON *events = cJSON_GetObjectItemCaseSensitive(cue_payload_json(f->last), "events");
	const cJSON *event;
	char text[256] = "";

	cJSON_ArrayForEach(event, events)
	{
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(event, "producer_id");
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%d", used ? " " : "", id->valueint);
	}
	cr_assert_str_eq(text, expected);
}

Test(gesture_simultaneous, needs_distinct_producers)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &pair);
	trigger(&f, 0, 1);
	trigger(&f, 1, 1);
	trigger(&f, 2, 1);
	expect_log(&f, "");
	trigger(&f, 3, 2);
	expect_log(&f, "3 sensor.combo 0\n");
	expect_producers(&f, "1 2");
	gesture_close(&f);
}

Test(gesture_simultaneous, the_window_is_inclusive_to_the_nanosecond)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &pair);
	trigger(&f, 0, 1);
	gesture_event_ns(&f, MS(10), "sensor.trigger", 2, "1");
	expect_log(&f, "10 sensor.combo 0\n");
	trigger(&f, 100, 1);
	gesture_event_ns(&f, MS(110) + 1, "sensor.trigger", 2, "1");
	expect_log(&f, "");
	/* 2 is kept */
	gesture_event_ns(&f, MS(120), "sensor.trigger", 1, "1");
	expect_log(&f, "120 sensor.combo 0\n");
	gesture_close(&f);
}

Test(gesture_simultaneous, clears_after_firing)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &pair);
	trigger(&f, 0, 1);
	trigger(&f, 1, 2);
	expect_log(&f, "1 sensor.combo 0\n");
	trigger(&f, 2, 1);
	expect_log(&f, "");
	trigger(&f, 3, 3);
	expect_log(&f, "3 sensor.combo 0\n");
	gesture_close(&f);
}

Test(gesture_simultaneous, of_each_producer_the_latest_event_counts)
{
	struct cue_gesture_config config = pair;
	struct gesture_fixture f;

	config.required_sources = 3;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	trigger(&f, 0, 1);
	trigger(&f, 5, 2);
	trigger(&f, 9, 1); /* moves 1 behind 2 */
	trigger(&f, 15, 3);
	expect_log(&f, "15 sensor.combo 0\n");
	expect_producers(&f, "2 1 3");
	gesture_close(&f);
}

Test(gesture_simultaneous, the_window_slides)
{
	struct cue_gesture_config config = pair;
	struct gesture_fixture f;

	config.required_sources = 3;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	trigger(&f, 0, 1);
	trigger(&f, 6, 2);
	trigger(&f, 12, 3); /* 1 is too old by now */
	expect_log(&f, "");
	trigger(&f, 14, 4);
	expect_log(&f, "14 sensor.combo 0\n");
	expect_producers(&f, "2 3 4");
	gesture_close(&f);
}

Test(gesture_simultaneous, events_out_of_order_count_by_their_times)
{
	struct cue_gesture_config config = pair;
	struct gesture_fixture f;

	config.required_sources = 3;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	trigger(&f, 20, 1);
	trigger(&f, 9, 2);  /* 11 ms before: too old on arrival */
	trigger(&f, 15, 1); /* earlier than the one kept of 1 */
	trigger(&f, 12, 3);
	expect_log(&f, "");
	trigger(&f, 10, 4);
	expect_log(&f, "20 sensor.combo 0\n");
	expect_producers(&f, "4 3 1");
	gesture_close(&f);
}

Test(gesture_simultaneous, equal_times_are_listed_as_they_came)
{
	struct cue_gesture_config config = pair;
	struct gesture_fixture f;

	config.required_sources = 3;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	trigger(&f, 5, 9);
	trigger(&f, 5, 4);
	trigger(&f, 5, 7);
	expect_log(&f, "5 sensor.combo 0\n");
	expect_producers(&f, "9 4 7");
	gesture_close(&f);
}

Test(gesture_simultaneous, what_does_not_match_is_ignored)
{
	struct cue_gesture_config config = pair;
	struct gesture_fixture f;
	cJSON *match = cJSON_Parse("{\"level\":{\"ge\":5}}");

	config.source.match = match;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	cJSON_Delete(match);
	gesture_event(&f, 0, "sensor.trigger", 1, "{\"level\":5}");
	gesture_event(&f, 1, "sensor.trigger", 2, "{\"level\":4}");
	expect_log(&f, "");
	gesture_event(&f, 2, "sensor.trigger", 2, "{\"level\":6}");
	expect_log(&f, "2 sensor.combo 0\n");
	gesture_close(&f);
}

Test(gesture_simultaneous, cooldown_is_over_all_producers)
{
	struct cue_gesture_config config = pair;
	struct gesture_fixture f;

	config.cooldown_ns = MS(100);
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	trigger(&f, 0, 1);
	trigger(&f, 0, 2);
	trigger(&f, 50, 3);
	trigger(&f, 50, 4); /* dropped, and the events with it */
	trigger(&f, 51, 5);
	expect_log(&f, "0 sensor.combo 0\n");
	trigger(&f, 100, 1);
	trigger(&f, 100, 2);
	expect_log(&f, "100 sensor.combo 0\n");
	cr_assert_eq(gesture_info(&f, "sensor.pair").cooled_down, 1);
	cr_assert_eq(gesture_info(&f, "sensor.pair").fired, 2);
	gesture_close(&f);
}

/* However many producers there are, fewer than required are kept. */
Test(gesture_simultaneous, a_flood_of_slow_producers_never_fires)
{
	struct cue_gesture_config config = pair;
	struct gesture_fixture f;

	config.required_sources = CUE_GESTURE_SOURCES_MAX;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	for (uint32_t i = 0; i < 1000; i++)
		trigger(&f, i, i); /* 11 within 10 ms */
	expect_log(&f, "");
	for (uint32_t i = 0; i < CUE_GESTURE_SOURCES_MAX; i++)
		trigger(&f, 2000, i);
	expect_log(&f, "2000 sensor.combo 0\n");
	gesture_close(&f);
}
