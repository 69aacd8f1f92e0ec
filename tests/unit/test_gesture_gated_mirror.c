/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

static const char *const toggle[] = { "button.toggle" };
static const char *const level[] = { "microphone.level" };

static struct cue_gesture_config mic_gated(void)
{
	return (struct cue_gesture_config){
		.name = "mic.gated",
		.type = CUE_GESTURE_GATED_MIRROR,
		.gate = toggle,
		.n_gate = 1,
		.mirror = level,
		.n_mirror = 1,
		.output_producer_id = 99,
	};
}

static void define_when(struct gesture_fixture *f, struct cue_gesture_config *config,
                        const char *when)
{
	cJSON *json = cJSON_Parse(when);

	cr_assert_not_null(json);
	config->when = json;
	gesture_define(f, config);
	cJSON_Delete(json);
}

static void speak(struct gesture_fixture *f, uint64_t ms)
{
	gesture_event(f, ms, "microphone.level", 5, "{\"level\":0.70}");
}

Test(gesture_gated_mirror, re_emits_while_the_gate_is_open)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	speak(&f, 0);
	expect_log(&f, "");
	gesture_event(&f, 1, "button.toggle", 1, "{\"state\":true}");
	speak(&f, 2);
	expect_log(&f, "2 microphone.level 99\n");
	gesture_event(&f, 3, "button.toggle", 1, "{\"state\":false}");
	speak(&f, 4);
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_gated_mirror, adds_virtual_peripheral_and_keeps_the_rest_as_it_was)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	cr_assert_eq(cue_payload_new("{\"room\":\"attic\"}", 16, 0, &config.metadata, NULL), 0);
	config.initial = true;
	gesture_define(&f, &config);
	cue_payload_unref(config.metadata);
	speak(&f, 0);
	expect_last(&f, "{\"level\":0.70,\"virtual_peripheral\":{\"id\":"
	                "\"0e9ffd31c4928a5148b2df9929df2851\",\"name\":\"mic.gated\","
	                "\"metadata\":{\"room\":\"attic\"}}}");
	gesture_close(&f);
}

Test(gesture_gated_mirror, initial_holds_until_the_first_gate_event)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.initial = true;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	speak(&f, 0);
	expect_log(&f, "0 microphone.level 99\n");
	gesture_event(&f, 1, "button.toggle", 1, "0");
	speak(&f, 2);
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_gated_mirror, the_mirrored_event_keeps_its_time)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.initial = true;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 100, "other", 1, "null");
	speak(&f, 40); /* dispatched late */
	expect_log(&f, "40 microphone.level 99\n");
	gesture_close(&f);
}

Test(gesture_gated_mirror, emit_replaces_the_type)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.initial = true;
	config.emit = "microphone.public";
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	speak(&f, 0);
	expect_log(&f, "0 microphone.public 99\n");
	gesture_close(&f);
}

/* With the type kept, a mirror would see its own event as one to mirror. */
Test(gesture_gated_mirror, does_not_mirror_itself)
{
	struct cue_gesture_config config = mic_gated();
	struct cue_bus_stats stats;
	struct gesture_fixture f;

	config.initial = true;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	speak(&f, 0);
	expect_log(&f, "0 microphone.level 99\n");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.events, 2);
	cr_assert_eq(stats.cascades_cut, 0);
	gesture_close(&f);
}

Test(gesture_gated_mirror, two_mirrors_of_one_type_are_cut_at_the_cascade_depth)
{
	const struct cue_limits limits = { .cascade_depth = 4 };
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.initial = true;
	gesture_open(&f, &limits);
	gesture_define(&f, &config);
	config.name = "mic.other";
	config.output_producer_id = 98;
	gesture_define(&f, &config);
	speak(&f, 0);
	/* each mirrors what the other one has */
	expect_log(&f, "0 microphone.level 99\n0 microphone.level 98\n"
	               "0 microphone.level 98\n0 microphone.level 99\n"
	               "0 microphone.level 99\n0 microphone.level 98\n"
	               "0 microphone.level 98\n0 microphone.level 99\n");
	cr_assert_eq(f.base.reports[CUE_REPORT_CASCADE_CUT], 2);
	/* reported once, by the bus: the handler has not failed */
	cr_assert_eq(f.base.reports[CUE_REPORT_HANDLER_FAILED], 0);
	cr_assert_eq(gesture_info(&f, "mic.gated").fired, 4);
	gesture_close(&f);
}

Test(gesture_gated_mirror, a_type_that_is_gate_and_mirror_changes_the_gate_first)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.mirror = toggle;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "button.toggle", 1, "{\"state\":true}");
	gesture_event(&f, 1, "button.toggle", 1, "{\"state\":false}");
	gesture_event(&f, 2, "button.toggle", 1, "true");
	expect_log(&f, "0 button.toggle 99\n2 button.toggle 99\n");
	gesture_close(&f);
}

Test(gesture_gated_mirror, when_is_asked_at_each_mirrored_event)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_when(&f, &config,
	            "{\"all\":[{\"state\":\"button.toggle\"},"
	            "{\"not\":{\"state\":\"privacy\"}}]}");
	gesture_event(&f, 0, "button.toggle", 1, "{\"state\":true}");
	speak(&f, 1);
	expect_log(&f, "1 microphone.level 99\n");
	gesture_event(&f, 2, "privacy", 1, "true"); /* no gate, but in `when` */
	speak(&f, 3);
	expect_log(&f, "");
	gesture_event(&f, 4, "privacy", 1, "false");
	speak(&f, 5);
	expect_log(&f, "5 microphone.level 99\n");
	gesture_close(&f);
}

Test(gesture_gated_mirror, with_when_initial_holds_until_the_first_gate_event)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.initial = true;
	gesture_open(&f, NULL);
	define_when(&f, &config, "{\"state\":\"privacy\",\"truthy\":false}");
	gesture_event(&f, 0, "privacy", 1, "true");
	speak(&f, 1);
	expect_log(&f, "1 microphone.level 99\n"); /* `when` does not hold */
	gesture_event(&f, 2, "button.toggle", 1, "true");
	speak(&f, 3);
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_gated_mirror, without_gates_when_alone_decides)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.n_gate = 0;
	config.initial = true; /* means nothing here */
	gesture_open(&f, NULL);
	define_when(&f, &config, "{\"state\":\"button.toggle\"}");
	speak(&f, 0);
	expect_log(&f, "");
	gesture_event(&f, 1, "button.toggle", 1, "true");
	speak(&f, 2);
	expect_log(&f, "2 microphone.level 99\n");
	gesture_close(&f);
}

Test(gesture_gated_mirror, any_of_several_gates_and_types)
{
	static const char *const gates[] = { "button.toggle", "switch.changed", "button.toggle" };
	static const char *const mirrored[] = { "microphone.level", "camera.frame" };
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.gate = gates;
	config.n_gate = 3;
	config.mirror = mirrored;
	config.n_mirror = 2;
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "switch.changed", 1, "1");
	gesture_event(&f, 1, "camera.frame", 1, "[1,2]");
	expect_log(&f, "1 camera.frame 99\n");
	gesture_event(&f, 2, "button.toggle", 1, "false"); /* the latest gate event counts */
	speak(&f, 3);
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_gated_mirror, cooldown_drops_what_comes_too_soon)
{
	struct cue_gesture_config config = mic_gated();
	struct gesture_fixture f;

	config.initial = true;
	config.cooldown_ns = MS(100);
	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	speak(&f, 0);
	speak(&f, 99);
	speak(&f, 100);
	expect_log(&f, "0 microphone.level 99\n100 microphone.level 99\n");
	cr_assert_eq(gesture_info(&f, "mic.gated").cooled_down, 1);
	gesture_close(&f);
}
