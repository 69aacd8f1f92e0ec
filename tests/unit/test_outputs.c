/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs in the engine, on a device whose faults the test decides. */
#include "cue_criterion.h"

#include "engine_fixture.h"

#define MS CUE_NS_PER_MS

/** The devices behind "fake" outputs, by the digit at the end of the line's name. */
struct fake_line {
	struct output_driver base;
	bool level, is_open;
	int open_error, set_error, get_error;
	unsigned opened, closed;
	char history[64]; /**< 'o' open at 0, 'O' at 1, '0', '1', 'c' */
};

static struct fake_line lines[FAKES];

static struct fake_line *line_of(struct output_driver *driver)
{
	return (struct fake_line *)(void *)driver; /* `base` is the first member */
}

static void remember(struct fake_line *line, char what)
{
	size_t len = strlen(line->history);

	cr_assert_lt(len, sizeof(line->history) - 1);
	line->history[len] = what;
}

static int line_open(const struct output_config *config, struct output_driver **ret_driver,
                     char *error);

static int line_set(struct output_driver *driver, bool level)
{
	if (line_of(driver)->set_error)
		return line_of(driver)->set_error;
	line_of(driver)->level = level;
	remember(line_of(driver), level ? '1' : '0');
	return 0;
}

static int line_get(struct output_driver *driver, bool *ret_level)
{
	*ret_level = line_of(driver)->level;
	return line_of(driver)->get_error;
}

static void line_close(struct output_driver *driver)
{
	line_of(driver)->is_open = false;
	line_of(driver)->closed++;
	remember(line_of(driver), 'c');
}

static struct output_ops line_ops = {
	.name = "fake",
	.open = line_open,
	.set = line_set,
	.get = line_get,
	.close = line_close,
};

static int line_open(const struct output_config *config, struct output_driver **ret_driver,
                     char *error)
{
	struct fake_line *line = &lines[config->line[strlen(config->line) - 1] - '0'];

	cr_assert_str_eq(config->consumer, "cuebus:t");
	if (line->is_open || line->open_error) {
		snprintf(error, DRIVER_ERROR_SIZE, "%s is %s", config->line,
		         line->is_open ? "busy" : "broken");
		return line->is_open ? -EBUSY : line->open_error;
	}
	line->base.ops = &line_ops;
	line->is_open = true;
	line->opened++;
	line->level = config->initial;
	remember(line, config->initial ? 'O' : 'o');
	*ret_driver = &line->base;
	return 0;
}

static const struct output_ops *line_find(const char *name)
{
	return strcmp(name, "fake") == 0 ? &line_ops : NULL;
}

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct config_output output(const char *name, const char *line, const char *on_event,
                                   const char *value)
{
	return (struct config_output){
		.name = text(name),
		.driver = text("fake"),
		.line = text(line),
		.on_event = text(on_event),
		.value = text(value),
	};
}

static struct config config_of(struct config_output *outputs, size_t n)
{
	return (struct config){
		.gateway = { .id = text("t") },
		.outputs = outputs,
		.n_outputs = n,
	};
}

static void on_unsafe(void *user, const char *name, int error)
{
	struct fixture *f = user;
	size_t len = strlen(f->failures);

	snprintf(f->failures + len, sizeof(f->failures) - len, "%s: %s\n", name,
	         strerrordesc_np(-error));
}

static void set_up(struct fixture *f, const struct config *config)
{
	memset(lines, 0, sizeof(lines));
	line_ops.check_ns = 0;
	fixture_find_output = line_find;
	fixture_output_unsafe = on_unsafe;
	fixture_set_up(f, config);
}

static void emit(struct fixture *f, const char *type, const char *json)
{
	struct cue_emit e = { .type = type, .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &e.payload, NULL), 0);
	cr_assert_eq(cue_bus_emit(engine_bus(f->engine), &e, NULL), 0);
	cue_payload_unref(e.payload);
}

struct seen {
	const char *name;
	bool found, level, failed;
};

static int look(void *user, const struct engine_output_info *info)
{
	struct seen *seen = user;

	if (strcmp(info->name, seen->name) != 0)
		return 0;
	seen->found = true;
	seen->level = info->level;
	seen->failed = info->failed;
	return 1;
}

static struct seen see(struct fixture *f, const char *name)
{
	struct seen seen = { .name = name };

	(void)engine_output_foreach(f->engine, look, &seen);
	cr_assert(seen.found);
	return seen;
}

static struct engine_output_totals totals(struct fixture *f)
{
	struct engine_output_totals t;

	engine_get_output_totals(f->engine, &t);
	return t;
}

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
	emit(&f, "bell", "\"ring\"");
	cr_assert(!lines[0].level && !lines[1].level && lines[2].level);
	emit(&f, "bell", "null");
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
	fixture_tear_down(&f);
}

/* The order of subscription would have it otherwise. */
Test(outputs, the_line_is_set_before_what_follows_from_the_event)
{
	struct cue_filter trigger = { .type = "go" };
	struct cue_step step = { .emit = "go.step" };
	struct config_playlist playlist = { .def = { .name = "p",
		                                     .triggers = &trigger,
		                                     .n_triggers = 1,
		                                     .steps = &step,
		                                     .n_steps = 1 } };
	struct config_output outputs[] = { output("a", "l0", "event.playlist.created", ""),
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
	cr_assert_str_eq(lines[0].history, "O1");
	fixture_tear_down(&f);
}

Test(outputs, they_are_opened_before_the_inputs_and_at_safe_value)
{
	struct config_output outputs[] = { output("lamp", "l0", "lamp.set", ""),
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
	/* The switch tells its level at once, and that sets the lamp. */
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	cr_assert_str_eq(lines[0].history, "o1");
	cr_assert_str_eq(lines[1].history, "O");
	fixture_tear_down(&f);
	/* The end: safe again, then given back. */
	cr_assert_str_eq(lines[0].history, "o10c");
	cr_assert_str_eq(lines[1].history, "O1c");
}

Test(outputs, either_all_are_opened_or_none_and_no_input)
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
	emit(&f, "lamp.set", "0");
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

Test(outputs, a_reload_keeps_what_is_unchanged_and_makes_the_rest_safe_first)
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
	emit(&f, "set", "{\"on\":1}");
	cr_assert_eq(engine_apply(f.engine, &new, error), 0, "%s", error);
	cr_assert_str_eq(lines[0].history, "o1");
	cr_assert_str_eq(lines[1].history, "o10co");
	cr_assert_str_eq(lines[2].history, "o10co");
	cr_assert(see(&f, "same").level);
	/* The old ones do not listen any more, and the totals go on. */
	emit(&f, "set", "1");
	cr_assert_str_eq(lines[2].history, "o10co1");
	cr_assert_eq(totals(&f).set, 5);
	cr_assert_eq(totals(&f).ignored, 1);
	fixture_tear_down(&f);
}

Test(outputs, a_reload_that_is_refused_restores_line_and_level)
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

Test(outputs, a_refused_reload_and_a_line_that_is_taken_meanwhile)
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
	/* One that had failed before is not told to fail once more, but to work again. */
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
