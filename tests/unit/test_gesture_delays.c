/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

static void define_pair(struct gesture_fixture *f, const char *name, const char *source,
                        const char *emit)
{
	gesture_define(f, &(struct cue_gesture_config){
	                          .name = name,
	                          .type = CUE_GESTURE_DOUBLE_TAP,
	                          .source = { .type = source },
	                          .window_ns = MS(1000),
	                          .emit = emit,
	                  });
}

static void define_steps(struct gesture_fixture *f, const char *first, const char *second)
{
	const struct cue_filter steps[] = { { .type = first }, { .type = second } };

	gesture_define(f, &(struct cue_gesture_config){
	                          .name = "steps",
	                          .type = CUE_GESTURE_SEQUENCE,
	                          .steps = steps,
	                          .n_steps = 2,
	                          .emit = "done",
	                  });
}

static uint64_t wait_of(struct gesture_fixture *f, const char *name)
{
	return gesture_info(f, name).wait_ns;
}

Test(gesture_delays, without_delays_nothing_waits)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_steps(&f, "a", "b");
	cr_assert_eq(wait_of(&f, "steps"), 0);
	gesture_close(&f);
}

Test(gesture_delays, where_they_differ_the_longest_counts)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_steps(&f, "a", "b");
	cue_gestures_add_delay(f.gestures, "a", MS(20));
	cr_assert_eq(wait_of(&f, "steps"), MS(20), "b is a publisher's: 0");
	cue_gestures_add_delay(f.gestures, "b", MS(20));
	cr_assert_eq(wait_of(&f, "steps"), 0, "both are as late");
	cue_gestures_add_delay(f.gestures, "b", MS(50));
	cr_assert_eq(wait_of(&f, "steps"), MS(50), "two inputs of one type");
	cue_gestures_clear_delays(f.gestures);
	cr_assert_eq(wait_of(&f, "steps"), 0);
	gesture_close(&f);
}

Test(gesture_delays, one_type_with_a_playlist_or_a_second_input_differs_in_itself)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_pair(&f, "tap", "a", "tapped");
	cue_gestures_add_delay(f.gestures, "a", MS(20));
	cr_assert_eq(wait_of(&f, "tap"), 0);
	cue_gestures_add_delay(f.gestures, "a", 0);
	cr_assert_eq(wait_of(&f, "tap"), MS(20));
	gesture_close(&f);
}

Test(gesture_delays, what_a_gesture_emits_is_as_late_as_the_latest_of_its_inputs)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	/* defined before what it depends on */
	define_steps(&f, "tapped", "b");
	define_pair(&f, "tap", "a", "tapped");
	cue_gestures_add_delay(f.gestures, "a", MS(20));
	cue_gestures_add_delay(f.gestures, "b", MS(20));
	cr_assert_eq(wait_of(&f, "tap"), 0);
	cr_assert_eq(wait_of(&f, "steps"), 0, "taps and b are both 20 ms late");
	cue_gestures_add_delay(f.gestures, "a", MS(30));
	cr_assert_eq(wait_of(&f, "tap"), MS(30));
	cr_assert_eq(wait_of(&f, "steps"), MS(30));
	cr_assert_eq(cue_gesture_remove(f.gestures, "tap"), 0);
	cr_assert_eq(wait_of(&f, "steps"), MS(20), "a publisher's taps come at once");
	gesture_close(&f);
}

static void define_mirror(struct gesture_fixture *f, const char *name, const char *gate,
                          const char *mirrored, const char *emit, const char *when)
{
	cJSON *json = when ? cJSON_Parse(when) : NULL;

	gesture_define(f, &(struct cue_gesture_config){
	                          .name = name,
	                          .type = CUE_GESTURE_GATED_MIRROR,
	                          .gate = &gate,
	                          .n_gate = 1,
	                          .mirror = &mirrored,
	                          .n_mirror = 1,
	                          .emit = emit,
	                          .when = json,
	                  });
	cJSON_Delete(json);
}

Test(gesture_delays, a_mirror_waits_for_its_gate_but_not_for_a_condition)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_mirror(&f, "gated", "door", "mic", "live", NULL);
	define_mirror(&f, "asked", "door", "mic", "told", "{\"state\":\"door\"}");
	define_steps(&f, "live", "told");
	cue_gestures_add_delay(f.gestures, "door", MS(40));
	cr_assert_eq(wait_of(&f, "gated"), MS(40));
	cr_assert_eq(wait_of(&f, "asked"), 0);
	cr_assert_eq(wait_of(&f, "steps"), MS(40),
	             "what is told comes at once, what is live 40 ms late");
	gesture_close(&f);
}

Test(gesture_delays, circles_end)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_pair(&f, "one", "x", "y");
	define_pair(&f, "two", "y", "x");
	define_mirror(&f, "self", "door", "y", NULL, NULL);
	cue_gestures_add_delay(f.gestures, "door", MS(40));
	cr_assert_eq(wait_of(&f, "one"), 0, "all that comes is 40 ms late");
	cr_assert_eq(wait_of(&f, "two"), 0);
	cr_assert_eq(wait_of(&f, "self"), 0);
	cue_gestures_add_delay(f.gestures, "x", 0);
	cr_assert_eq(wait_of(&f, "one"), MS(40));
	gesture_close(&f);
}

Test(gesture_delays, a_gated_playlist_judges_each_event_by_itself)
{
	static const char *const gates[] = { "a", "b" };
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &(struct cue_gesture_config){
	                           .name = "start",
	                           .type = CUE_GESTURE_GATED_PLAYLIST,
	                           .gate = gates,
	                           .n_gate = 2,
	                           .playlist = "p",
	                   });
	cue_gestures_add_delay(f.gestures, "a", MS(500));
	cr_assert_eq(wait_of(&f, "start"), 0);
	gesture_close(&f);
}
