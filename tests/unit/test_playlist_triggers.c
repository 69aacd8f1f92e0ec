/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "playlist_fixture.h"

static const struct cue_step slow[] = { { .emit = "x", .offset_ns = MS(1000) } };
static const struct cue_filter go = { .type = "go" }, stop = { .type = "stop" };

static struct cue_playlist_config both(const char *name)
{
	return (struct cue_playlist_config){ .name = name,
		                             .triggers = &go,
		                             .n_triggers = 1,
		                             .interrupts = &stop,
		                             .n_interrupts = 1,
		                             .steps = slow,
		                             .n_steps = 1 };
}

Test(playlist_triggers, definitions_start_in_order_of_definition_also_when_redefined)
{
	const char *const names[] = { "c", "a", "b" };
	struct cue_playlist_config config;
	struct pf f;

	pf_open(&f);
	for (size_t i = 0; i < 3; i++) {
		config = both(names[i]);
		pf_define(&f, &config);
	}
	config = both("c");
	config.max_runs = 2;
	pf_define(&f, &config);
	pf_emit(&f, "go");
	pf_expect(&f, "0 go\n0 created A\n0 created B\n0 created C\n");
	config = both("a");
	config.n_triggers = 0;
	pf_define(&f, &config);
	cue_playlist_remove(f.playlists, "c", NULL);
	f.log[0] = '\0';
	pf_emit(&f, "go");
	pf_expect(&f, "0 go\n0 created D\n");
	cr_assert_not_null(strstr(f.last[PF_CREATED], "\"playlist_name\":\"b\""));
	pf_close(&f);
}

Test(playlist_triggers, several_triggers_that_match_one_event_start_one_run)
{
	cJSON *match = cJSON_Parse("{\"v\":{\"ge\":2}}");
	const struct cue_filter triggers[] = { { .type = "go", .match = match },
		                               { .type = "go" },
		                               { .type = "other", .match = match } };
	struct cue_playlist_config config = both("p");
	struct pf f;

	pf_open(&f);
	config.triggers = triggers;
	config.n_triggers = 3;
	pf_define(&f, &config);
	cJSON_Delete(match);
	pf_emit_data(&f, "go", 0, "{\"v\":5}");
	pf_emit_data(&f, "other", 0, "{\"v\":1}");
	pf_emit_data(&f, "other", 0, "{\"v\":2}");
	pf_expect(&f, "0 go\n0 created A\n0 other\n0 other\n0 created B\n");
	pf_close(&f);
}

Test(playlist_triggers, an_event_that_is_both_stops_first_and_then_starts)
{
	struct cue_playlist_config config = both("p");
	struct pf f;

	pf_open(&f);
	config.interrupts = &go;
	pf_define(&f, &config);
	pf_emit(&f, "go");
	pf_emit(&f, "go");
	pf_expect(&f, "0 go\n0 created A\n0 go\n0 stopped A interrupted 0\n0 created B\n");
	pf_close(&f);
}

static int start_p(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)bus;
	(void)event;
	return pf_start(user, "p");
}

Test(playlist_triggers, an_interrupt_spares_what_the_same_event_has_started)
{
	struct cue_playlist_config config = both("p");
	struct pf f;

	pf_open(&f);
	pf_define(&f, &config);
	pf_start(&f, "p");
	pf_subscribe(&f, "stop", CUE_PRIORITY_INTERRUPT + 1, start_p, &f);
	pf_emit(&f, "stop");
	pf_expect(&f, "0 created A\n0 stop\n0 created B\n0 stopped A interrupted 0\n");
	pf_close(&f);
}

Test(playlist_triggers, interrupts_stop_all_runs_oldest_first_over_all_definitions)
{
	struct cue_playlist_config config;
	struct pf f;

	pf_open(&f);
	config = both("b");
	pf_define(&f, &config);
	config = both("a");
	pf_define(&f, &config);
	config = both("other");
	config.n_interrupts = 0;
	pf_define(&f, &config);
	pf_start(&f, "a");
	pf_start(&f, "b");
	pf_start(&f, "other");
	pf_start(&f, "a");
	f.log[0] = '\0';
	pf_emit(&f, "stop");
	pf_expect(&f, "0 stop\n0 stopped A interrupted 0\n0 stopped B interrupted 0\n0 stopped D "
	              "interrupted 0\n");
	pf_close(&f);
}

Test(playlist_triggers, an_interrupt_with_match_looks_at_the_data)
{
	cJSON *match = cJSON_Parse("{\"bpm\":{\"gt\":180}}");
	const struct cue_filter heart = { .type = "heart.rate", .match = match };
	struct cue_playlist_config config = both("p");
	struct pf f;

	pf_open(&f);
	config.interrupts = &heart;
	pf_define(&f, &config);
	cJSON_Delete(match);
	pf_start(&f, "p");
	pf_emit_data(&f, "heart.rate", 0, "{\"bpm\":180}");
	pf_emit_data(&f, "heart.rate", 0, "{\"bpm\":180.5}");
	pf_expect(&f, "0 created A\n0 heart.rate\n0 heart.rate\n0 stopped A interrupted 0\n");
	pf_close(&f);
}

Test(playlist_triggers, no_step_of_a_run_follows_its_interrupt_at_the_same_deadline)
{
	const struct cue_step steps[] = { { .emit = "stop", .offset_ns = MS(5) },
		                          { .emit = "x", .offset_ns = MS(5) } };
	struct cue_playlist_config config = both("p");
	struct pf f;

	pf_open(&f);
	config.steps = steps;
	config.n_steps = 2;
	pf_define(&f, &config);
	pf_start(&f, "p");
	pf_start(&f, "p");
	pf_advance(&f, 100);
	pf_expect(&f, "0 created A\n0 created B\n5 stop\n5 emitted A 0.0\n"
	              "5 stopped A interrupted 1\n5 stopped B interrupted 0\n");
	pf_close(&f);
}

Test(playlist_triggers, an_interrupt_by_the_last_step_finds_the_run_completed)
{
	const struct cue_step step = { .emit = "stop" };
	struct cue_playlist_config config = both("p");
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open(&f);
	config.steps = &step;
	pf_define(&f, &config);
	pf_start(&f, "p");
	pf_advance(&f, 1);
	pf_expect(&f, "0 created A\n0 stop\n0 emitted A 0.0\n0 stopped A completed 1\n");
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.interrupts_redundant, 1);
	pf_close(&f);
}

Test(playlist_triggers, interrupts_within_the_debounce_are_counted_and_ignored)
{
	struct cue_playlist_config config = both("p");
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open(&f);
	config.interrupt_debounce_ns = MS(10);
	pf_define(&f, &config);
	pf_start(&f, "p");
	pf_emit(&f, "stop");
	pf_advance(&f, 5);
	pf_start(&f, "p");
	pf_emit(&f, "stop");
	pf_advance(&f, 10);
	f.log[0] = '\0';
	pf_emit(&f, "stop");
	pf_expect(&f, "10 stop\n10 stopped B interrupted 0\n");
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.interrupts_debounced, 1);
	cr_assert_eq(stats.interrupted, 2);
	pf_close(&f);
}

/** Start a run, then an interrupt of that producer and time. @return
 *  whether the run has stopped. */
static bool stops(struct pf *f, uint32_t producer_id, uint64_t time_ns)
{
	struct cue_playlists_stats before, after;

	pf_start(f, "p");
	cue_playlists_get_stats(f->playlists, &before);
	cr_assert_eq(cue_bus_emit(f->bus,
	                          &(struct cue_emit){ .type = "stop",
	                                              .producer_id = producer_id,
	                                              .time_ns = time_ns },
	                          NULL),
	             0);
	cue_playlists_get_stats(f->playlists, &after);
	return after.interrupted > before.interrupted;
}

Test(playlist_triggers, the_debounce_is_one_of_sources_and_of_event_times)
{
	struct cue_playlist_config config = both("p");
	struct pf f;
	uint64_t t;

	pf_open(&f);
	config.interrupt_debounce_ns = MS(10);
	config.max_runs = 1000;
	pf_define(&f, &config);
	t = cue_bus_now(f.bus);
	cr_assert_eq(cue_bus_advance(f.bus, t + MS(1000)), 0);
	cr_assert(stops(&f, 1, t + MS(100)));
	cr_assert_not(stops(&f, 1, t + MS(100) + 1));
	cr_assert_not(stops(&f, 1, t + MS(110) - 1));
	cr_assert(stops(&f, 1, t + MS(110)));
	cr_assert(stops(&f, 1, t + MS(110)), "as old is not later");
	cr_assert(stops(&f, 1, t + MS(105)), "an older one");
	cr_assert_not(stops(&f, 1, t + MS(119)),
	              "the latest of them counts, not the last dispatched");
	cr_assert(stops(&f, 2, t + MS(111)), "another producer");
	pf_close(&f);
}

Test(playlist_triggers, a_debounce_that_a_redefinition_adds_begins_with_it)
{
	struct cue_playlist_config config = both("p");
	struct pf f;
	uint64_t t;

	pf_open(&f);
	pf_define(&f, &config);
	t = cue_bus_now(f.bus);
	cr_assert_eq(cue_bus_advance(f.bus, t + MS(1000)), 0);
	cr_assert(stops(&f, 1, t + MS(100)));
	config.interrupt_debounce_ns = MS(10);
	pf_define(&f, &config);
	cr_assert(stops(&f, 1, t + MS(101)), "the safe side");
	cr_assert_not(stops(&f, 1, t + MS(102)));
	pf_close(&f);
}

Test(playlist_triggers, sources_of_interrupts_are_bounded_and_a_forgotten_one_stops)
{
	struct cue_playlist_config config = both("p");
	struct pf f;
	uint64_t t;

	pf_open(&f);
	config.interrupt_debounce_ns = MS(1000);
	config.max_runs = 1000;
	pf_define(&f, &config);
	t = cue_bus_now(f.bus);
	cr_assert_eq(cue_bus_advance(f.bus, t + MS(1000)), 0);
	for (uint32_t i = 1; i <= 32; i++)
		cr_assert(stops(&f, i, t + i));
	cr_assert_not(stops(&f, 1, t + 100));
	cr_assert(stops(&f, 33, t + 101));
	cr_assert(stops(&f, 1, t + 102), "the oldest was forgotten");
	cr_assert_not(stops(&f, 32, t + 103));
	pf_close(&f);
}

Test(playlist_triggers, ten_thousand_definitions_share_one_trigger_and_one_interrupt)
{
	struct cue_playlist_config config;
	struct cue_playlists_stats stats;
	struct cue_bus_stats bus_stats;
	struct cue_bus *bus = NULL;
	struct cue_playlists *playlists = NULL;
	struct pf f = { .random = 1 };
	char name[16];

	/* A bus of its own, without the fixture's log. */
	cr_assert_eq(cue_bus_new(&(struct cue_bus_config){ .gateway_id = "t",
	                                                   .random = pf_random,
	                                                   .user = &f },
	                         &bus),
	             0);
	cr_assert_eq(cue_playlists_new(bus, &playlists), 0);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		config = both(name);
		cr_assert_eq(cue_playlist_define(playlists, &config, NULL, NULL), 0);
	}
	cue_bus_get_stats(bus, &bus_stats);
	cr_assert_eq(bus_stats.subscriptions, 2);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(
		        cue_bus_emit(bus,
		                     &(struct cue_emit){ .type = "stop", .time_ns = CUE_TIME_NONE },
		                     NULL),
		        0);
	cue_bus_get_stats(bus, &bus_stats);
	cr_assert_eq(bus_stats.events, 1000); /* redundant interrupts emit nothing */
	cr_assert_eq(cue_bus_emit(bus, &(struct cue_emit){ .type = "go", .time_ns = CUE_TIME_NONE },
	                          NULL),
	             0);
	cue_playlists_get_stats(playlists, &stats);
	cr_assert_eq(stats.active_runs, 10000);
	cr_assert_eq(stats.interrupts_redundant, 1000);
	cr_assert_eq(cue_bus_emit(bus,
	                          &(struct cue_emit){ .type = "stop", .time_ns = CUE_TIME_NONE },
	                          NULL),
	             0);
	cue_playlists_get_stats(playlists, &stats);
	cr_assert_eq(stats.active_runs, 0);
	cr_assert_eq(stats.interrupted, 10000);
	cue_playlists_free(playlists);
	cue_bus_free(bus);
}

struct change {
	struct pf *f;
	struct cue_playlist_config define;
	const char *remove;
};

static void change(void *user, const struct cue_run_result *result)
{
	struct change *c = user;

	(void)result;
	if (c->remove)
		cr_assert_eq(cue_playlist_remove(c->f->playlists, c->remove, NULL), 0);
	if (c->define.name)
		pf_define(c->f, &c->define);
}

/* The run of "b" is restarted by the trigger; its end changes definitions while
 * the triggers of the same event are being walked. */
Test(playlist_triggers, definitions_may_change_while_triggers_are_walked)
{
	const char *const names[] = { "a", "b", "c", "d" };
	struct cue_playlist_start start = { .name = "b", .on_stopped = change };
	struct cue_playlist_config config;
	struct change c = { .remove = "c", .define = both("e") };
	struct pf f;

	pf_open(&f);
	c.f = &f;
	start.user = &c;
	for (size_t i = 0; i < 4; i++) {
		config = both(names[i]);
		config.mode = CUE_MODE_RESTART;
		pf_define(&f, &config);
	}
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), 0);
	/* a, b (ends A, which removes c and adds e), d; e only from the next event on */
	pf_emit(&f, "go");
	pf_expect(&f, "0 created A\n0 go\n0 created B\n0 stopped A cancelled 0 <restart>\n0 "
	              "created C\n0 created D\n");
	cr_assert_not_null(strstr(f.last[PF_CREATED], "\"playlist_name\":\"d\""));
	cue_playlist_stop(f.playlists, NULL, "x", NULL, NULL);
	f.log[0] = '\0';
	pf_emit(&f, "go");
	pf_expect(&f, "0 go\n0 created E\n0 created F\n0 created G\n0 created H\n");
	pf_close(&f);
}

Test(playlist_triggers, the_playlist_being_started_may_be_removed_by_what_it_restarts)
{
	struct cue_playlist_start start = { .name = "p", .on_stopped = change };
	struct cue_playlist_config config = both("p");
	struct change c = { .remove = "p" };
	struct pf f;

	pf_open(&f);
	c.f = &f;
	start.user = &c;
	config.mode = CUE_MODE_RESTART;
	pf_define(&f, &config);
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), 0);
	pf_emit(&f, "go");
	pf_emit(&f, "go");
	pf_expect(&f, "0 created A\n0 go\n0 stopped A cancelled 0 <restart>\n0 created B\n"
	              "0 stopped B cancelled 0 <removed>\n0 go\n");
	pf_close(&f);
}

Test(playlist_triggers, lifecycle_events_chain_playlists)
{
	cJSON *match = cJSON_Parse("{\"playlist_name\":\"first\",\"reason\":\"completed\"}");
	const struct cue_filter after = { .type = "event.playlist.stopped", .match = match };
	const struct cue_step step = { .emit = "x" };
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_define(&f,
	          &(struct cue_playlist_config){ .name = "first", .steps = &step, .n_steps = 1 });
	pf_define(&f, &(struct cue_playlist_config){ .name = "second",
	                                             .triggers = &after,
	                                             .n_triggers = 1,
	                                             .steps = &step,
	                                             .n_steps = 1 });
	cJSON_Delete(match);
	pf_start(&f, "first");
	pf_advance(&f, 1);
	pf_expect(&f, "0 created A\n0 x\n0 stopped A completed 1\n0 created B\n0 x\n0 stopped B "
	              "completed 1\n");
	pf_close(&f);
}
