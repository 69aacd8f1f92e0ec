/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "outputs_fixture.h"

Test(outputs, the_line_follows_the_value_in_the_event)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "/on"),
		                           output("pilot", "l1", "lamp.set", "/on"),
		                           output("bell", "l2", "bell", "") };
	struct config config = config_of(outputs, 3);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	cr_assert_eq(engine_open_outputs(f.engine, error), -EALREADY);
	emit(&f, "lamp.set", "{\"on\":true}");
	/* in the dispatch: nothing has to be advanced */
	cr_assert(lines[0].level && lines[1].level && !lines[2].level);
	cr_assert(see(&f, "lamp").level);
	emit(&f, "lamp.set", "{\"on\":0}");
	emit(&f, "bell", "1");
	cr_assert(!lines[0].level && !lines[1].level && lines[2].level);
	emit(&f, "bell", "false");
	cr_assert_not(lines[2].level);
	emit(&f, "other", "true");
	cr_assert_str_eq(lines[0].history, "o10");
	cr_assert_str_eq(lines[2].history, "o10");
	cr_assert_eq(totals(&f).set, 6);
	cr_assert_eq(totals(&f).ignored, 0);
	fixture_tear_down(&f);
}

Test(outputs, a_pointer_that_leads_nowhere_changes_nothing_and_is_counted)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "/on") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	emit(&f, "lamp.set", "{\"on\":1}");
	emit(&f, "lamp.set", "{\"off\":1}");
	emit(&f, "lamp.set", "null");
	cr_assert(lines[0].level);
	cr_assert_eq(totals(&f).set, 1);
	cr_assert_eq(totals(&f).ignored, 2);
	/* The first one is reported, the others are only counted. */
	cr_assert_str_eq(
	        fixture_log(&f),
	        "lamp.set@0 {\"on\":1}\n"
	        "lamp.set@0 {\"off\":1}\n"
	        "gateway.output_ignored@0 {\"output\":\"lamp\",\"error\":\"the data has no "
	        "\\\"/on\\\"\"}\n"
	        "lamp.set@0 null\n");
	fixture_tear_down(&f);
}

Test(outputs, a_value_that_is_no_level_changes_nothing)
{
	static const char *const values[] = {
		"{\"on\":false}", "\"OFF\"", "\"on\"", "2", "-1", "0.5", "[]", "null"
	};
	static struct config_output_text texts[] = { { "on", true }, { "OFF", false } };
	struct config_output outputs[] = { output("plain", "l0", "set", ""),
		                           output("mapped", "l1", "set", "") };
	struct config config = config_of(outputs, 2);
	struct fixture f;
	char error[512];

	outputs[1].map = texts;
	outputs[1].n_map = 2;
	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	emit(&f, "set", "true");
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		emit(&f, "set", values[i]);
	cr_assert_str_eq(lines[0].history, "o1");
	cr_assert_str_eq(lines[1].history, "o101");
	cr_assert_eq(totals(&f).ignored, 8 + 6);
	fixture_tear_down(&f);
}

static void emit_at(struct fixture *f, uint64_t time_ns, const char *json)
{
	struct cue_emit e = { .type = "set", .time_ns = time_ns };

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &e.payload, NULL), 0);
	cr_assert_eq(cue_bus_emit(engine_bus(f->engine), &e, NULL), 0);
	cue_payload_unref(e.payload);
}

Test(outputs, the_latest_by_event_time_holds)
{
	struct config_output outputs[] = { output("lamp", "l0", "set", "") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	engine_wake(f.engine, 100 * MS);
	emit_at(&f, 50 * MS, "true");
	emit_at(&f, 60 * MS, "false");
	emit_at(&f, 55 * MS, "true"); /* its debounce was longer */
	cr_assert_str_eq(lines[0].history, "o10");
	cr_assert_eq(totals(&f).ignored, 1);
	/* At the same time the one dispatched later holds. */
	emit_at(&f, 60 * MS, "true");
	cr_assert_str_eq(lines[0].history, "o101");
	/* A value that is not a level does not affect the times. */
	emit_at(&f, 90 * MS, "null");
	emit_at(&f, 70 * MS, "false");
	cr_assert_str_eq(lines[0].history, "o1010");
	fixture_tear_down(&f);
}

/** A reload that changes the map makes it another output. */
Test(outputs, a_map_that_changes_takes_effect_with_a_reload)
{
	static struct config_output_text texts[] = { { "on", true } };
	struct config_output before[] = { output("lamp", "l0", "set", "") };
	struct config_output after[] = { output("lamp", "l0", "set", "") };
	struct config config = config_of(before, 1), changed = config_of(after, 1);
	struct fixture f;
	char error[512];

	after[0].map = texts;
	after[0].n_map = 1;
	set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	emit(&f, "set", "\"on\"");
	cr_assert_not(lines[0].level);
	cr_assert_eq(engine_apply(f.engine, &changed, error), 0, "%s", error);
	emit(&f, "set", "\"on\"");
	cr_assert(lines[0].level);
	fixture_tear_down(&f);
}

/* The order of subscription is different. */
Test(outputs, the_line_is_set_before_what_follows_from_the_event)
{
	struct cue_filter trigger = { .type = "go" };
	struct cue_step step = { .emit = "go.step" };
	struct config_playlist playlist = { .def = { .name = "p",
		                                     .triggers = &trigger,
		                                     .n_triggers = 1,
		                                     .steps = &step,
		                                     .n_steps = 1 } };
	struct config_output outputs[] = { output("a", "l0", "event.playlist.created",
		                                  "/steps/0/offset"),
		                           output("b", "l1", "go", "") };
	struct config config = config_of(outputs, 2);
	struct fixture f;
	char error[512];

	config.playlists = &playlist;
	config.n_playlists = 1;
	outputs[0].safe_value = 1;
	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	/* b fails, a is set by what follows: the events come in this order. */
	lines[1].set_error = -EIO;
	emit(&f, "go", "true");
	cr_assert_not_null(strstr(fixture_log(&f),
	                          "go@0 true\n"
	                          "gateway.output_failed@0 {\"output\":\"b\",\"error\":\"the line "
	                          "can't be set: Input/output error\"}\n"
	                          "event.playlist.created@0 "));
	cr_assert_str_eq(lines[0].history, "O0");
	fixture_tear_down(&f);
}

Test(outputs, a_driver_that_is_not_built_in_is_named)
{
	struct config_output outputs[] = { output("lamp", "l0", "x", "") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	outputs[0].driver = text("relay");
	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), -ENODEV);
	cr_assert_not_null(strstr(error, "output \"lamp\": driver \"relay\""));
	fixture_tear_down(&f);
}

Test(outputs, closed_they_are_safe_and_stay_so)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	emit(&f, "lamp.set", "true");
	engine_close_outputs(f.engine);
	cr_assert_str_eq(lines[0].history, "o10c");
	cr_assert_not(see(&f, "lamp").level);
	cr_assert_eq(see(&f, "lamp").why, ENGINE_OUTPUT_SAFE);
	emit(&f, "lamp.set", "true");
	engine_close_outputs(f.engine);
	cr_assert_str_eq(lines[0].history, "o10c");
	cr_assert_str_eq(f.failures, "");
	fixture_tear_down(&f);
	cr_assert_str_eq(lines[0].history, "o10c");
}

Test(outputs, a_line_that_can_not_be_made_safe_is_told)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	lines[0].set_error = -EIO;
	engine_close_outputs(f.engine);
	cr_assert_not(lines[0].is_open);
	cr_assert_str_eq(f.failures, "lamp: Input/output error\n");
	fixture_tear_down(&f);
}

Test(outputs, a_failed_driver_is_opened_again_with_growing_delays)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	outputs[0].safe_value = 1;
	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	engine_wake(f.engine, 20 * MS);
	lines[0].set_error = lines[0].open_error = -ENODEV;
	emit(&f, "lamp.set", "0");
	cr_assert_str_eq(fixture_log(&f),
	                 "lamp.set@20000000 0\n"
	                 "gateway.output_failed@20000000 {\"output\":\"lamp\",\"error\":\"the line "
	                 "can't be set: No such device\"}\n");
	cr_assert(see(&f, "lamp").failed);
	cr_assert_eq(see(&f, "lamp").why, ENGINE_OUTPUT_FAILED);
	cr_assert_eq(see(&f, "lamp").time_ns, 20 * MS);
	cr_assert_str_eq(lines[0].history, "Oc");
	cr_assert_eq(totals(&f).failures, 1);
	emit(&f, "lamp.set", "0"); /* missed */
	cr_assert_eq(totals(&f).ignored, 1);
	cr_assert_eq(totals(&f).set, 0);
	cr_assert_eq(engine_next_deadline(f.engine), 1020 * MS);
	engine_wake(f.engine, 1020 * MS);
	cr_assert_eq(engine_next_deadline(f.engine), 3020 * MS);
	engine_wake(f.engine, 3020 * MS);
	cr_assert_eq(engine_next_deadline(f.engine), 7020 * MS);
	(void)fixture_log(&f);
	lines[0].open_error = lines[0].set_error = 0;
	engine_wake(f.engine, 7020 * MS);
	cr_assert_str_eq(fixture_log(&f), "gateway.output_restored@7020000000 "
	                                  "{\"output\":\"lamp\",\"attempts\":3}\n");
	/* safe, and not what was missed */
	cr_assert_str_eq(lines[0].history, "OcO");
	cr_assert_not(see(&f, "lamp").failed);
	cr_assert_eq(see(&f, "lamp").why, ENGINE_OUTPUT_SAFE);
	cr_assert_eq(see(&f, "lamp").time_ns, 7020 * MS);
	emit(&f, "lamp.set", "0");
	cr_assert_eq(see(&f, "lamp").why, ENGINE_OUTPUT_EVENT);
	cr_assert_not(lines[0].level);
	cr_assert_eq(totals(&f).failures, 1);
	cr_assert_eq(engine_next_deadline(f.engine), CUE_TIME_NONE);
	fixture_tear_down(&f);
}

Test(outputs, the_delay_stops_growing_at_30_s)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "") };
	struct config config = config_of(outputs, 1);
	uint64_t last = 0, delay = 0;
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	lines[0].set_error = lines[0].open_error = -EIO;
	emit(&f, "lamp.set", "1");
	for (int i = 0; i < 10; i++) {
		uint64_t next = engine_next_deadline(f.engine);

		delay = next - last;
		last = next;
		engine_wake(f.engine, next);
	}
	cr_assert_eq(delay, 30 * CUE_NS_PER_S);
	fixture_tear_down(&f);
}

/* An expander that answers again at once may still hold the level from before. */
Test(outputs, a_line_that_fails_is_tried_to_be_made_safe)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	line_ops.check_ns = CUE_NS_PER_S;
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	emit(&f, "lamp.set", "1");
	lines[0].get_error = -EIO;
	engine_wake(f.engine, 1000 * MS);
	cr_assert_str_eq(lines[0].history, "o10c");
	cr_assert_not(see(&f, "lamp").level);
	fixture_tear_down(&f);
}

Test(outputs, a_line_that_is_gone_is_found_though_nothing_is_set)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "") };
	struct config config = config_of(outputs, 1);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	line_ops.check_ns = CUE_NS_PER_S;
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	engine_wake(f.engine, 1000 * MS);
	engine_wake(f.engine, 2000 * MS);
	cr_assert_eq(engine_next_deadline(f.engine), 3000 * MS);
	cr_assert_str_eq(fixture_log(&f), "");
	lines[0].get_error = lines[0].set_error = -ENODEV;
	engine_wake(f.engine, 3000 * MS);
	cr_assert_str_eq(fixture_log(&f), "gateway.output_failed@3000000000 {\"output\":\"lamp\","
	                                  "\"error\":\"the line is gone: No such device\"}\n");
	lines[0].get_error = lines[0].set_error = 0;
	engine_wake(f.engine, 4000 * MS);
	cr_assert_str_eq(fixture_log(&f), "gateway.output_restored@4000000000 "
	                                  "{\"output\":\"lamp\",\"attempts\":1}\n");
	cr_assert_eq(engine_next_deadline(f.engine), 5000 * MS);
	fixture_tear_down(&f);
}

/* Two that listen to each other's failure must not keep each other busy. */
Test(outputs, failures_do_not_feed_on_themselves)
{
	struct config_output outputs[] = { output("a", "l0", "gateway.output_failed", ""),
		                           output("b", "l1", "gateway.output_failed", "") };
	struct config config = config_of(outputs, 2);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	cr_assert_eq(engine_open_outputs(f.engine, error), 0);
	lines[0].set_error = lines[1].set_error = -EIO;
	emit(&f, "gateway.output_failed", "1");
	cr_assert_eq(totals(&f).failures, 2);
	cr_assert_eq(engine_next_deadline(f.engine), 1000 * MS);
	fixture_tear_down(&f);
}

Test(outputs, simulated_ones_open_no_driver)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "") };
	struct config config = config_of(outputs, 1);
	struct engine_config ec = { .config = &config,
		                    .random = fixture_random,
		                    .find_output = line_find,
		                    .virtual_devices = true };
	struct fixture f = { 0 };
	char error[512];

	memset(lines, 0, sizeof(lines));
	ec.user = &f;
	cr_assert_eq(engine_new(&ec, &f.engine), 0);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	emit(&f, "lamp.set", "1");
	cr_assert(see(&f, "lamp").level);
	cr_assert_eq(lines[0].opened, 0);
	cr_assert_eq(engine_next_deadline(f.engine), CUE_TIME_NONE);
	engine_free(f.engine);
}
