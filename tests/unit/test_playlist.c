/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions and the plain course of a run; what lifecycle events carry is in
 * test_lifecycle.c, starting and ending in test_run.c and test_run_end.c. */
#include <errno.h>

#include "playlist_fixture.h"

static const struct cue_step one_step[] = { { .emit = "lamp.on" } };

Test(playlist, runs_to_completion)
{
	const struct cue_step steps[] = {
		{ .emit = "lamp.on", .producer_id = 5 },
		{ .emit = "lamp.off", .offset_ns = MS(200), .producer_id = 5 },
	};
	struct pf f;

	pf_open(&f);
	pf_define(&f, &(struct cue_playlist_config){ .name = "flash",
	                                             .completion = "flash.done",
	                                             .steps = steps,
	                                             .n_steps = 2 });
	cr_assert_eq(pf_start(&f, "flash"), 0);
	pf_expect(&f, "0 created A\n");
	pf_advance(&f, 1000);
	pf_expect(&f, "0 lamp.on#5\n0 emitted A 0.0\n"
	              "200 lamp.off#5\n200 emitted A 1.0\n"
	              "200 stopped A completed 2\n200 flash.done\n");
	pf_close(&f);
}

Test(playlist, steps_interleave_by_deadline)
{
	const struct cue_step steps[] = {
		{ .emit = "a", .repeat = 5, .interval_ns = MS(200) },
		{ .emit = "b", .offset_ns = MS(300) },
	};
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p", .steps = steps, .n_steps = 2 });
	pf_start(&f, "p");
	pf_advance(&f, 2000);
	pf_expect(
	        &f,
	        "0 created A\n0 a\n200 a\n300 b\n400 a\n600 a\n800 a\n800 stopped A completed 6\n");
	pf_close(&f);
}

Test(playlist, ties_go_by_step_and_then_by_the_order_of_the_runs)
{
	const struct cue_step steps[] = {
		{ .emit = "late", .offset_ns = MS(100) },
		{ .emit = "every", .repeat = 2, .interval_ns = MS(100) },
		{ .emit = "also", .offset_ns = MS(100) },
	};
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p", .steps = steps, .n_steps = 3 });
	pf_start(&f, "p");
	pf_start(&f, "p");
	pf_advance(&f, 100);
	pf_expect(&f, "0 created A\n0 created B\n0 every\n0 every\n"
	              "100 late\n100 every\n100 also\n100 stopped A completed 4\n"
	              "100 late\n100 every\n100 also\n100 stopped B completed 4\n");
	pf_close(&f);
}

Test(playlist, definition_id_is_stable_and_derived_from_gateway_and_name)
{
	struct cue_playlist_config config = { .name = "flash", .steps = one_step, .n_steps = 1 };
	struct cue_playlist_info info;
	struct cue_id expected, first, second;
	struct pf f;

	pf_open(&f);
	cue_id_derive("porch", "playlist/flash", &expected);
	cr_assert_eq(cue_playlist_define(f.playlists, &config, &first, NULL), 0);
	config.max_runs = 3;
	cr_assert_eq(cue_playlist_define(f.playlists, &config, &second, NULL), 0);
	cr_assert(cue_id_equal(&first, &expected));
	cr_assert(cue_id_equal(&first, &second));
	cr_assert_eq(cue_playlist_get(f.playlists, "flash", &info), 0);
	cr_assert(cue_id_equal(&info.definition_id, &expected));
	cr_assert_eq(cue_playlist_get(f.playlists, "flas", &info), -ENOENT);
	pf_close(&f);
}

Test(playlist, running_runs_finish_on_their_old_definition)
{
	const struct cue_step before[] = { { .emit = "old", .repeat = 3, .interval_ns = MS(100) } };
	const struct cue_step after[] = { { .emit = "new", .repeat = 2, .interval_ns = MS(100) } };
	const struct cue_filter old_stop = { .type = "old.stop" },
	                        new_stop = { .type = "new.stop" };
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .interrupts = &old_stop,
	                                             .n_interrupts = 1,
	                                             .steps = before,
	                                             .n_steps = 1 });
	pf_start(&f, "p");
	pf_advance(&f, 50);
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .interrupts = &new_stop,
	                                             .n_interrupts = 1,
	                                             .steps = after,
	                                             .n_steps = 1 });
	pf_start(&f, "p");
	pf_advance(&f, 120);
	pf_expect(&f, "0 created A\n0 old\n50 created B\n50 new\n100 old\n");
	pf_emit(&f, "old.stop"); /* of the old definition: ends A only */
	pf_emit(&f, "old.stop"); /* without effect: the subscription was removed */
	pf_advance(&f, 400);
	pf_expect(&f, "120 old.stop\n120 stopped A interrupted 2\n120 old.stop\n"
	              "150 new\n150 stopped B completed 2\n");
	pf_close(&f);
}

Test(playlist, removing_cancels_and_forgets)
{
	const struct cue_filter go = { .type = "go" }, stop = { .type = "stop" };
	const struct cue_step steps[] = { { .emit = "x", .repeat = 10, .interval_ns = MS(10) } };
	struct cue_bus_stats stats;
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .triggers = &go,
	                                             .n_triggers = 1,
	                                             .interrupts = &stop,
	                                             .n_interrupts = 1,
	                                             .steps = steps,
	                                             .n_steps = 1 });
	pf_emit(&f, "go");
	pf_emit(&f, "go");
	pf_advance(&f, 5);
	cr_assert_eq(cue_playlist_remove(f.playlists, "p", NULL), 0);
	cr_assert_eq(cue_playlist_remove(f.playlists, "p", NULL), -ENOENT);
	pf_emit(&f, "go");
	pf_advance(&f, 500);
	pf_expect(&f,
	          "0 go\n0 created A\n0 go\n0 created B\n0 x\n0 x\n"
	          "5 stopped A cancelled 1 <removed>\n5 stopped B cancelled 1 <removed>\n5 go\n");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.subscriptions, 1);
	pf_close(&f);
}

static int list(void *user, const struct cue_playlist_info *info)
{
	pf_log(user, "%s %zu %llu\n", info->name, info->active,
	       (unsigned long long)(info->expected_duration_ns / (uint64_t)CUE_NS_PER_MS));
	return strcmp(info->name, "stop.here") == 0 ? 7 : 0;
}

Test(playlist, are_listed_by_name)
{
	const struct cue_step steps[] = {
		{ .emit = "x", .repeat = 3, .interval_ns = MS(500) },
		{ .emit = "y", .offset_ns = MS(900) },
	};
	const char *const names[] = { "m", "a", "z", "b" };
	struct pf f;

	pf_open(&f);
	for (size_t i = 0; i < 4; i++)
		pf_define(&f, &(struct cue_playlist_config){
		                      .name = names[i], .steps = steps, .n_steps = 2 });
	pf_start(&f, "m");
	f.log[0] = '\0';
	cr_assert_eq(cue_playlist_foreach(f.playlists, list, &f), 0);
	pf_expect(&f, "a 0 1000\nb 0 1000\nm 1 1000\nz 0 1000\n");
	pf_define(&f, &(struct cue_playlist_config){
	                      .name = "stop.here", .steps = steps, .n_steps = 2 });
	cr_assert_eq(cue_playlist_foreach(f.playlists, list, &f), 7);
	pf_expect(&f, "a 0 1000\nb 0 1000\nm 1 1000\nstop.here 0 1000\n");
	pf_close(&f);
}

Test(playlist, the_limit_of_definitions_holds_and_spares_redefinition)
{
	struct cue_playlist_config config = { .name = "a", .steps = one_step, .n_steps = 1 };
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .definitions = 2 } });
	pf_define(&f, &config);
	config.name = "b";
	pf_define(&f, &config);
	config.name = "c";
	cr_assert_eq(cue_playlist_define(f.playlists, &config, NULL, NULL), -ENOSPC);
	config.name = "b";
	pf_define(&f, &config);
	cue_playlist_remove(f.playlists, "a", NULL);
	config.name = "c";
	pf_define(&f, &config);
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.definitions, 2);
	pf_close(&f);
}

Test(playlist, too_many_event_types_leave_the_earlier_definition_in_force)
{
	const struct cue_step steps[] = { { .emit = "n1" }, { .emit = "n2" }, { .emit = "n3" } };
	const struct cue_filter go = { .type = "go" }, stop = { .type = "other.stop" };
	struct cue_playlist_config config = {
		.name = "p", .triggers = &go, .n_triggers = 1, .steps = one_step, .n_steps = 1
	};
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .event_types = 4 } });
	pf_define(&f, &config);
	config.interrupts = &stop;
	config.n_interrupts = 1;
	config.steps = steps;
	config.n_steps = 3;
	pf_emit(&f, "go"); /* go and lamp.on: two are left */
	pf_advance(&f, 0);
	cr_assert_eq(cue_playlist_define(f.playlists, &config, NULL, NULL), -ENOSPC);
	pf_emit(&f, "go");
	pf_advance(&f, 0);
	pf_expect(&f, "0 go\n0 created A\n0 lamp.on\n0 emitted A 0.0\n0 stopped A completed 1\n"
	              "0 go\n0 created B\n0 lamp.on\n0 emitted B 0.0\n0 stopped B completed 1\n");
	pf_close(&f);
}

static int collect_run(void *user, const struct cue_run_info *info)
{
	struct pf *f = user;
	char id[CUE_ID_TEXT_SIZE];

	cue_id_format(&info->run, id);
	pf_log(f, "%c", pf_run(f, id));
	return 0;
}

Test(playlist, the_newest_runs_in_order_of_creation)
{
	const struct cue_step step = { .emit = "x", .offset_ns = MS(1000), .repeat = 1 };
	struct pf f;

	pf_open(&f);
	pf_define(&f, &(struct cue_playlist_config){
	                      .name = "p", .steps = &step, .n_steps = 1, .max_runs = 9 });
	for (int i = 0; i < 4; i++)
		pf_start(&f, "p");
	f.log[0] = '\0';
	cr_assert_eq(cue_run_foreach_newest(f.playlists, "p", 2, collect_run, &f), 0);
	cr_assert_eq(cue_run_foreach_newest(f.playlists, "p", 0, collect_run, &f), 0);
	pf_log(&f, " ");
	cr_assert_eq(cue_run_foreach_newest(f.playlists, NULL, 3, collect_run, &f), 0);
	pf_log(&f, " ");
	cr_assert_eq(cue_run_foreach_newest(f.playlists, "p", 4, collect_run, &f), 0);
	pf_log(&f, " ");
	cr_assert_eq(cue_run_foreach_newest(f.playlists, "p", 100, collect_run, &f), 0);
	cr_assert_eq(cue_run_foreach_newest(f.playlists, "q", 1, collect_run, &f), -ENOENT);
	pf_expect(&f, "CD BCD ABCD ABCD");
	pf_close(&f);
}
