/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "engine_fixture.h"

#define MS CUE_NS_PER_MS

/** A configuration in the test's own memory: up to 3 inputs and 3 playlists. */
struct made {
	struct config config;
	struct config_input inputs[3];
	struct config_playlist playlists[3];
	struct cue_filter triggers[3];
	struct cue_step steps[3];
};

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void made_init(struct made *m, const char *id)
{
	*m = (struct made){ .config = { .gateway = { .id = text(id) } } };
	m->config.inputs = m->inputs;
	m->config.playlists = m->playlists;
}

static void made_input(struct made *m, const char *name, const char *line, uint64_t debounce_ns)
{
	m->inputs[m->config.n_inputs++] = (struct config_input){
		.name = text(name),
		.driver = text("fake"),
		.lines = { text(line) },
		.n_lines = 1,
		.decoder = { .kind = DECODER_BUTTON, .debounce_ns = debounce_ns },
		.event = text("press"),
	};
}

/** A playlist with one step after 1 s; @p emit is what a test changes. */
static void made_playlist(struct made *m, const char *name, const char *trigger, const char *emit)
{
	size_t i = m->config.n_playlists++;
	char json[200];
	int n = snprintf(json, sizeof(json), "{\"trigger\":\"%s\",\"emit\":\"%s\"}", trigger, emit);

	m->triggers[i] = (struct cue_filter){ .type = trigger };
	m->steps[i] = (struct cue_step){ .emit = emit, .offset_ns = CUE_NS_PER_S };
	m->playlists[i].def = (struct cue_playlist_config){
		.name = name,
		.triggers = &m->triggers[i],
		.n_triggers = 1,
		.steps = &m->steps[i],
		.n_steps = 1,
	};
	cr_assert_eq(cue_payload_new(json, (size_t)n, 0, &m->playlists[i].json, NULL), 0);
}

static void made_clear(struct made *m)
{
	for (size_t i = 0; i < m->config.n_playlists; i++)
		cue_payload_unref(m->playlists[i].json);
}

static void emit(struct fixture *f, const char *type)
{
	struct cue_emit e = { .type = type, .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_bus_emit(engine_bus(f->engine), &e, NULL), 0);
}

static unsigned count(const char *haystack, const char *needle)
{
	unsigned n = 0;

	for (const char *s = haystack; (s = strstr(s, needle)); s++)
		n++;
	return n;
}

Test(engine_apply, unchanged_keeps_its_run_changed_finishes_on_the_old_gone_is_cancelled)
{
	struct made old, new;
	struct fixture f;
	const char *log;
	char error[512];

	made_init(&old, "t");
	made_playlist(&old, "same", "go", "same.step");
	made_playlist(&old, "changed", "go", "old.step");
	made_playlist(&old, "gone", "go", "gone.step");
	made_init(&new, "t");
	made_playlist(&new, "changed", "go", "new.step");
	made_playlist(&new, "same", "go", "same.step");
	fixture_set_up(&f, &old.config);
	emit(&f, "go");
	(void)fixture_log(&f);
	cr_assert_eq(engine_apply(f.engine, &new.config, error), 0);
	log = fixture_log(&f);
	cr_assert_eq(count(log, "event.playlist.stopped"), 1);
	cr_assert_not_null(strstr(log, "\"playlist_name\":\"gone\""));
	cr_assert_not_null(strstr(log, "\"reason\":\"cancelled\",\"detail\":\"removed\""));
	cr_assert_eq(engine_get_config(f.engine), &new.config);
	engine_wake(f.engine, 1000 * MS);
	log = fixture_log(&f);
	cr_assert_eq(count(log, "\nsame.step@") + count(log, "\nold.step@") +
	                     (strncmp(log, "same.step@", 10) == 0) +
	                     (strncmp(log, "old.step@", 9) == 0),
	             2);
	cr_assert_eq(count(log, "gone.step"), 0);
	emit(&f, "go");
	engine_wake(f.engine, 2000 * MS);
	log = fixture_log(&f);
	cr_assert_eq(count(log, "\nnew.step@"), 1);
	cr_assert_eq(count(log, "\nold.step@"), 0);
	fixture_tear_down(&f);
	made_clear(&old);
	made_clear(&new);
}

Test(engine_apply, what_sizes_the_bus_needs_a_restart)
{
	struct made old, new;
	struct fixture f;
	char error[512] = "";

	made_init(&old, "t");
	fixture_set_up(&f, &old.config);
	made_init(&new, "other");
	cr_assert_eq(engine_apply(f.engine, &new.config, error), -EINVAL);
	cr_assert_not_null(strstr(error, "gateway.id"));
	made_init(&new, "t");
	new.config.limits.bus.active_runs = 5;
	cr_assert_eq(engine_apply(f.engine, &new.config, error), -EINVAL);
	cr_assert_not_null(strstr(error, "restart"));
	cr_assert_eq(engine_get_config(f.engine), &old.config);
	fixture_tear_down(&f);
}

Test(engine_apply, a_definition_that_is_wrong_changes_nothing)
{
	struct made old, new;
	struct fixture f;
	char error[512] = "";

	made_init(&old, "t");
	made_playlist(&old, "gone", "go", "gone.step");
	made_input(&old, "a", "l0", 0);
	made_init(&new, "t");
	made_playlist(&new, "wrong", "go", "event.reserved");
	made_input(&new, "a", "l0", 5 * MS);
	fixture_set_up(&f, &old.config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	cr_assert_eq(engine_apply(f.engine, &new.config, error), -EINVAL);
	cr_assert_not_null(strstr(error, "playlist \"wrong\"/steps/0/emit"));
	emit(&f, "go");
	engine_wake(f.engine, 1000 * MS);
	cr_assert_not_null(strstr(fixture_log(&f), "gone.step@"));
	/* The input works as before. */
	fake_edge(0, 1001 * MS, true, false);
	engine_wake(f.engine, 1001 * MS);
	cr_assert_not_null(strstr(fixture_log(&f), "press@1001000000"));
	fixture_tear_down(&f);
	made_clear(&old);
	made_clear(&new);
}

Test(engine_apply, unchanged_inputs_stay_open_and_changed_ones_are_reopened)
{
	struct made old, new;
	struct fixture f;
	char error[512] = "";

	made_init(&old, "t");
	made_input(&old, "same", "l0", 0);
	made_input(&old, "changed", "l1", 0);
	made_input(&old, "gone", "l2", 0);
	made_init(&new, "t");
	made_input(&new, "changed", "l1", 5 * MS);
	made_input(&new, "same", "l0", 0);
	made_input(&new, "added", "l3", 0);
	fixture_set_up(&f, &old.config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	cr_assert_eq(engine_apply(f.engine, &new.config, error), 0);
	cr_assert_eq(fakes[0].opened, 1);
	cr_assert_eq(fakes[0].closed, 0);
	cr_assert_eq(fakes[1].opened, 2);
	cr_assert_not(fakes[2].is_open);
	cr_assert(fakes[3].is_open);
	fixture_tear_down(&f);
	for (unsigned i = 0; i < FAKES; i++)
		cr_assert_not(fakes[i].is_open);
}

Test(engine_apply, an_input_that_cannot_be_opened_keeps_the_old_configuration)
{
	struct made old, new;
	struct fixture f;
	char error[512] = "";

	made_init(&old, "t");
	made_input(&old, "a", "l0", 0);
	made_init(&new, "t");
	made_input(&new, "a", "l0", 5 * MS);
	made_input(&new, "b", "l1", 0);
	fixture_set_up(&f, &old.config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	fakes[1].open_error = -EBUSY;
	cr_assert_eq(engine_apply(f.engine, &new.config, error), -EBUSY);
	cr_assert_str_eq(error, "l1 is broken");
	cr_assert_eq(engine_get_config(f.engine), &old.config);
	cr_assert(fakes[0].is_open);
	fake_edge(0, 1 * MS, true, false);
	engine_wake(f.engine, 1 * MS);
	cr_assert_str_eq(fixture_log(&f), "press@1000000 {\"input\":\"a\",\"pressed\":true}\n");
	fixture_tear_down(&f);
}

static int failing(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)user;
	(void)bus;
	(void)event;
	return -EIO;
}

Test(engine_faults, announced_once_a_second_with_what_was_left_out)
{
	struct cue_subscription_config sub = { .type = "work", .handler = failing, .name = "w" };
	struct cue_subscription *subscription;
	struct made made;
	struct fixture f;

	made_init(&made, "t");
	fixture_set_up(&f, &made.config);
	cr_assert_eq(cue_bus_subscribe(engine_bus(f.engine), &sub, &subscription), 0);
	for (int i = 0; i < 3; i++)
		emit(&f, "work");
	engine_wake(f.engine, 0);
	emit(&f, "work");
	emit(&f, "work");
	cr_assert_not_null(
	        strstr(fixture_log(&f),
	               "gateway.fault@0 {\"fault\":\"handler_failed\",\"event_type\":\"work\","
	               "\"what\":\"w\",\"error\":\"Input/output error\",\"cause_seq\":1,"
	               "\"suppressed\":2}\n"));
	engine_wake(f.engine, 999 * MS);
	cr_assert_str_eq(fixture_log(&f), "");
	engine_wake(f.engine, 1000 * MS);
	cr_assert_not_null(strstr(fixture_log(&f), "\"cause_seq\":5,\"suppressed\":1}\n"));
	engine_wake(f.engine, 2000 * MS);
	cr_assert_str_eq(fixture_log(&f), "");
	cr_assert_eq(engine_next_deadline(f.engine), CUE_TIME_NONE);
	cue_subscription_cancel(subscription);
	fixture_tear_down(&f);
}

Test(engine_faults, a_full_state_store_is_announced_for_events_but_not_for_the_announcement)
{
	struct made made;
	struct fixture f;

	made_init(&made, "t");
	made.config.limits.bus.state_entries = 1;
	fixture_set_up(&f, &made.config);
	emit(&f, "kept");
	emit(&f, "left.out");
	engine_wake(f.engine, 0);
	cr_assert_not_null(
	        strstr(fixture_log(&f), "\"fault\":\"state_full\",\"event_type\":\"left.out\""));
	/* gateway.fault was refused too: reporting that would never end. */
	engine_wake(f.engine, 60 * CUE_NS_PER_S);
	cr_assert_str_eq(fixture_log(&f), "");
	cr_assert_eq(engine_next_deadline(f.engine), CUE_TIME_NONE);
	fixture_tear_down(&f);
}

/* Event types come from the network: they must not prevent the gateway's own events. */
Test(engine_faults, foreign_types_leave_the_places_of_those_that_the_gateway_emits)
{
	struct made made;
	struct fixture f;
	char error[512] = "", type[16];

	made_init(&made, "t");
	made_input(&made, "a", "l0", 0);
	made.inputs[0].release_event = text("release");
	made_playlist(&made, "p", "go", "x");
	made.config.limits.bus.event_types = 64;
	fixture_set_up(&f, &made.config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0, "%s", error);
	for (int i = 0; i < 100; i++) {
		snprintf(type, sizeof(type), "foreign.%d", i);
		(void)cue_bus_emit(engine_bus(f.engine),
		                   &(struct cue_emit){ .type = type, .outside = true }, NULL);
	}
	engine_wake(f.engine, 0);
	cr_assert_not_null(strstr(fixture_log(&f), "gateway.fault@0 {\"fault\":\"types_full\""));
	engine_wake(f.engine, 60 * CUE_NS_PER_S);
	cr_assert_eq(engine_next_deadline(f.engine), CUE_TIME_NONE);
	fixture_log(&f);
	fake_edge(0, 60 * CUE_NS_PER_S, true, false);
	fake_edge(0, 61 * CUE_NS_PER_S, false, false);
	engine_wake(f.engine, 61 * CUE_NS_PER_S);
	emit(&f, "go");
	engine_wake(f.engine, 70 * CUE_NS_PER_S);
	{
		const char *log = fixture_log(&f);

		cr_assert_not_null(strstr(log, "press@"), "%s", log);
		cr_assert_not_null(strstr(log, "release@"));
		cr_assert_not_null(strstr(log, "event.playlist.created@"));
		cr_assert_not_null(strstr(log, "event.playlist.emitted@"));
		cr_assert_not_null(strstr(log, "event.playlist.stopped@"));
	}
	fixture_tear_down(&f);
	made_clear(&made);
}
