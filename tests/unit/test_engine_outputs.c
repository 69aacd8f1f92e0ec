/* SPDX-License-Identifier: Apache-2.0 */
/* All outputs together: opened with the inputs, and swapped by a reload. */
#include "cue_criterion.h"

#include "outputs_fixture.h"

Test(engine_outputs, they_are_opened_before_the_inputs_and_at_safe_value)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", "/initial"),
		                           output("valve", "l1", "valve.set", "") };
	struct config_input input = { .name = text("a"),
		                      .driver = text("fake"),
		                      .lines = { text("i0") },
		                      .n_lines = 1,
		                      .event = text("lamp.set"),
		                      .decoder = { .kind = DECODER_SWITCH } };
	struct config config = config_of(outputs, 2);
	struct fixture f;
	char error[512];

	config.inputs = &input;
	config.n_inputs = 1;
	outputs[1].safe_value = 1;
	set_up(&f, &config);
	/* The switch emits its level at once, and that sets the lamp. */
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	cr_assert_str_eq(lines[0].history, "o1");
	cr_assert_str_eq(lines[1].history, "O");
	fixture_tear_down(&f);
	/* The end: safe again, then given back. */
	cr_assert_str_eq(lines[0].history, "o10c");
	cr_assert_str_eq(lines[1].history, "O1c");
}

Test(engine_outputs, either_all_are_opened_or_none_and_no_input)
{
	struct config_output outputs[] = { output("a", "l0", "x", ""), output("b", "l1", "x", "") };
	struct config config = config_of(outputs, 2);
	struct fixture f;
	char error[512];

	set_up(&f, &config);
	lines[1].open_error = -ENOENT;
	cr_assert_eq(engine_open_inputs(f.engine, error), -ENOENT);
	cr_assert_str_eq(error, "l1 is broken");
	cr_assert_str_eq(lines[0].history, "o0c");
	emit(&f, "x", "true");
	cr_assert_not(lines[0].level);
	lines[1].open_error = 0;
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	cr_assert(lines[0].is_open && lines[1].is_open);
	fixture_tear_down(&f);
}

Test(engine_outputs, a_reload_keeps_what_is_unchanged_and_makes_the_rest_safe_first)
{
	struct config_output before[] = { output("same", "l0", "set", ""),
		                          output("changed", "l1", "set", ""),
		                          output("gone", "l2", "set", "") };
	struct config_output after[] = { output("new", "l2", "set", ""),
		                         output("changed", "l1", "set", "/on"),
		                         output("same", "l0", "set", "") };
	struct config old = config_of(before, 3), new = config_of(after, 3);
	struct fixture f;
	char error[512];

	set_up(&f, &old);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	emit(&f, "set", "1");
	cr_assert_eq(engine_apply(f.engine, &new, error), 0, "%s", error);
	cr_assert_str_eq(lines[0].history, "o1");
	cr_assert_str_eq(lines[1].history, "o10co");
	cr_assert_str_eq(lines[2].history, "o10co");
	cr_assert(see(&f, "same").level);
	/* The old ones are unsubscribed, and the totals continue. */
	emit(&f, "set", "1");
	cr_assert_str_eq(lines[2].history, "o10co1");
	cr_assert_eq(totals(&f).set, 5);
	cr_assert_eq(totals(&f).ignored, 1);
	fixture_tear_down(&f);
}

Test(engine_outputs, a_reload_that_is_refused_restores_line_and_level)
{
	struct config_output before[] = { output("changed", "l0", "set", ""),
		                          output("off", "l1", "other", "") };
	struct config_output after[] = { output("changed", "l0", "set", "/on"),
		                         output("new", "l2", "set", "") };
	struct config old = config_of(before, 2), new = config_of(after, 2);
	struct fixture f;
	char error[512];

	set_up(&f, &old);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	emit(&f, "set", "1");
	lines[2].open_error = -EBUSY;
	cr_assert_eq(engine_apply(f.engine, &new, error), -EBUSY);
	cr_assert_str_eq(error, "l2 is broken");
	cr_assert_str_eq(lines[0].history, "o10co0co1");
	cr_assert_str_eq(lines[1].history, "o0co0");
	cr_assert(see(&f, "changed").level);
	emit(&f, "set", "0");
	cr_assert_not(lines[0].level);
	fixture_tear_down(&f);
}

Test(engine_outputs, a_refused_reload_and_a_line_that_is_taken_meanwhile)
{
	struct config_output before[] = { output("lamp", "l0", "set", "") };
	struct config_output after[] = { output("new", "l1", "set", "") };
	struct config old = config_of(before, 1), new = config_of(after, 1);
	struct fixture f;
	char error[512];

	set_up(&f, &old);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	lines[0].open_error = lines[1].open_error = -EBUSY;
	cr_assert_eq(engine_apply(f.engine, &new, error), -EBUSY);
	cr_assert_str_eq(fixture_log(&f), "gateway.output_failed@0 {\"output\":\"lamp\",\"error\":"
	                                  "\"l0 is broken\"}\n");
	/* An output that had failed before reports no second failure, but its recovery. */
	cr_assert_eq(engine_apply(f.engine, &new, error), -EBUSY);
	cr_assert_str_eq(fixture_log(&f), "");
	cr_assert_eq(totals(&f).failures, 1);
	lines[0].open_error = 0;
	cr_assert_eq(engine_apply(f.engine, &new, error), -EBUSY);
	cr_assert_str_eq(fixture_log(&f),
	                 "gateway.output_restored@0 {\"output\":\"lamp\",\"attempts\":1}\n");
	cr_assert_not(see(&f, "lamp").failed);
	cr_assert_eq(engine_next_deadline(f.engine), CUE_TIME_NONE);
	fixture_tear_down(&f);
}
