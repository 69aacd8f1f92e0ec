/* SPDX-License-Identifier: Apache-2.0 */
/* Starting: modes, limits, ids; running late; listing. */
#include <errno.h>

#include "playlist_fixture.h"

static const struct cue_step two[] = { { .emit = "x" }, { .emit = "y", .offset_ns = MS(100) } };

static void define(struct pf *f, enum cue_playlist_mode mode, uint32_t max_runs)
{
	pf_define(f, &(struct cue_playlist_config){ .name = "p",
	                                            .mode = mode,
	                                            .max_runs = max_runs,
	                                            .steps = two,
	                                            .n_steps = 2 });
}

Test(run, parallel_up_to_max_runs)
{
	struct pf f;

	pf_open(&f);
	define(&f, CUE_MODE_PARALLEL, 2);
	cr_assert_eq(pf_start(&f, "p"), 0);
	cr_assert_eq(pf_start(&f, "p"), 0);
	cr_assert_eq(pf_start(&f, "p"), -EBUSY);
	cr_assert_eq(pf_start(&f, "nobody"), -ENOENT);
	pf_expect(&f, "0 created A\n0 created B\n0 rejected C max_runs\n");
	pf_close(&f);
}

Test(run, max_runs_is_16_by_default)
{
	struct pf f;

	pf_open(&f);
	define(&f, CUE_MODE_PARALLEL, 0);
	for (int i = 0; i < 16; i++)
		cr_assert_eq(pf_start(&f, "p"), 0);
	cr_assert_eq(pf_start(&f, "p"), -EBUSY);
	pf_close(&f);
}

Test(run, single_refuses_while_running)
{
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	define(&f, CUE_MODE_SINGLE, 0);
	cr_assert_eq(pf_start(&f, "p"), 0);
	cr_assert_eq(pf_start(&f, "p"), -EBUSY);
	pf_advance(&f, 100);
	cr_assert_eq(pf_start(&f, "p"), 0);
	pf_expect(&f, "0 created A\n0 rejected B busy\n0 x\n100 y\n100 stopped A completed 2\n100 "
	              "created C\n");
	pf_close(&f);
}

Test(run, restart_cancels_then_starts)
{
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	define(&f, CUE_MODE_RESTART, 0);
	pf_start(&f, "p");
	pf_advance(&f, 50);
	pf_start(&f, "p");
	pf_advance(&f, 200);
	pf_expect(&f, "0 created A\n0 x\n50 stopped A cancelled 1 <restart>\n50 created B\n50 x\n"
	              "150 y\n150 stopped B completed 2\n");
	pf_close(&f);
}

Test(run, queued_runs_one_at_a_time_in_order)
{
	struct cue_id second;
	char text[CUE_ID_TEXT_SIZE];
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	define(&f, CUE_MODE_QUEUED, 3);
	pf_start(&f, "p");
	cr_assert_eq(cue_playlist_start(f.playlists, &(struct cue_playlist_start){ .name = "p" },
	                                &second),
	             0);
	pf_start(&f, "p");
	cr_assert_eq(pf_start(&f, "p"), -EBUSY);
	pf_advance(&f, 300);
	pf_expect(&f, "0 created A\n0 rejected B max_runs\n0 x\n100 y\n100 stopped A completed 2\n"
	              "100 created C\n100 x\n200 y\n200 stopped C completed 2\n"
	              "200 created D\n200 x\n300 y\n300 stopped D completed 2\n");
	cue_id_format(&second, text);
	cr_assert_eq(pf_run(&f, text), 'C');
	pf_close(&f);
}

Test(run, a_queued_run_that_is_interrupted_has_stopped_and_no_created)
{
	const struct cue_filter stop = { .type = "stop" };
	struct pf f;

	pf_open(&f);
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .mode = CUE_MODE_QUEUED,
	                                             .interrupts = &stop,
	                                             .n_interrupts = 1,
	                                             .steps = two,
	                                             .n_steps = 2 });
	pf_start(&f, "p");
	pf_start(&f, "p");
	pf_emit(&f, "stop");
	pf_advance(&f, 1000);
	pf_expect(&f,
	          "0 created A\n0 stop\n0 stopped A interrupted 0\n0 stopped B interrupted 0\n");
	pf_close(&f);
}

Test(run, waiting_runs_survive_a_change_of_mode_and_wait_for_all_that_runs)
{
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	define(&f, CUE_MODE_QUEUED, 0);
	pf_start(&f, "p");
	pf_start(&f, "p"); /* waits */
	pf_advance(&f, 50);
	define(&f, CUE_MODE_PARALLEL, 0);
	pf_start(&f, "p"); /* runs at once */
	pf_advance(&f, 250);
	pf_expect(&f, "0 created A\n0 x\n50 created B\n50 x\n100 y\n100 stopped A completed 2\n"
	              "150 y\n150 stopped B completed 2\n150 created C\n150 x\n250 y\n250 stopped "
	              "C completed 2\n");
	pf_close(&f);
}

Test(run, the_limit_of_active_runs_counts_what_restart_replaces_as_gone)
{
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .active_runs = 2 } });
	define(&f, CUE_MODE_RESTART, 0);
	pf_define(&f, &(struct cue_playlist_config){ .name = "q", .steps = two, .n_steps = 2 });
	cr_assert_eq(pf_start(&f, "p"), 0);
	cr_assert_eq(pf_start(&f, "q"), 0);
	cr_assert_eq(pf_start(&f, "q"), -ENOSPC);
	cr_assert_eq(pf_start(&f, "p"), 0);
	pf_expect(&f, "0 created A\n0 created B\n0 rejected C active_runs\n0 stopped A cancelled 0 "
	              "<restart>\n0 created D\n");
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.started, 3);
	cr_assert_eq(stats.rejected, 1);
	cr_assert_eq(stats.cancelled, 1);
	cr_assert_eq(stats.active_runs, 2);
	pf_close(&f);
}

Test(run, starts_on_the_original_time_line_whatever_the_start)
{
	const struct cue_step step = { .emit = "x", .repeat = 4, .interval_ns = MS(333) + 333333 };
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .start_ns = MS(1000) });
	pf_define(&f, &(struct cue_playlist_config){ .name = "p", .steps = &step, .n_steps = 1 });
	pf_start(&f, "p");
	pf_advance(&f, 1500);
	pf_advance(&f, 2001);
	pf_expect(&f, "1000 created A\n1000 x\n1000 emitted A 0.0\n1333 x\n1333 emitted A 0.1\n"
	              "1666 x\n1666 emitted A 0.2\n1999 x\n1999 emitted A 0.3\n1999 stopped A "
	              "completed 4\n");
	pf_close(&f);
}

Test(run, late_burst_emits_everything_that_is_overdue)
{
	const struct cue_step step = { .emit = "x", .repeat = 4, .interval_ns = MS(10) };
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .clock_ns = pf_clock });
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p", .steps = &step, .n_steps = 1 });
	pf_start(&f, "p");
	f.clock_ns = MS(25);
	pf_advance(&f, 25);
	pf_expect(&f, "0 created A\n0 x\n10 x\n20 x\n");
	pf_close(&f);
}

Test(run, late_skip_drops_all_but_the_newest_of_each_step)
{
	const struct cue_step steps[] = {
		{ .emit = "x", .repeat = 4, .interval_ns = MS(10) },
		{ .emit = "once", .offset_ns = MS(5) },
		{ .emit = "z", .offset_ns = MS(12), .repeat = 2, .interval_ns = MS(10) },
	};
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .clock_ns = pf_clock });
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){
	                      .name = "p", .late = CUE_LATE_SKIP, .steps = steps, .n_steps = 3 });
	pf_start(&f, "p");
	f.clock_ns = MS(25);
	pf_advance(&f, 25);
	pf_expect(&f, "0 created A\n5 once\n20 x\n22 z\n");
	f.clock_ns = MS(30);
	pf_advance(&f, 30);
	pf_expect(&f, "30 x\n30 stopped A completed 4 skipped 3\n");
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.steps_skipped, 3);
	cr_assert_eq(stats.steps_emitted, 4);
	pf_close(&f);
}

Test(run, late_skip_in_virtual_time_skips_nothing)
{
	const struct cue_step step = { .emit = "x", .repeat = 3, .interval_ns = MS(10) };
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){
	                      .name = "p", .late = CUE_LATE_SKIP, .steps = &step, .n_steps = 1 });
	pf_start(&f, "p");
	pf_advance(&f, 1000);
	pf_expect(&f, "0 created A\n0 x\n10 x\n20 x\n20 stopped A completed 3\n");
	pf_close(&f);
}

static int list(void *user, const struct cue_run_info *info)
{
	struct pf *f = user;
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(&info->run, text);
	pf_log(f, "%c %s %s %llu+%llu %llu\n", pf_run(f, text), info->playlist,
	       info->state == CUE_RUN_RUNNING ? "running" : "queued",
	       (unsigned long long)(info->start_ns / (uint64_t)CUE_NS_PER_MS),
	       (unsigned long long)(info->offset_ns / (uint64_t)CUE_NS_PER_MS),
	       (unsigned long long)info->emitted_count);
	return strcmp(info->playlist, "last") == 0 ? -7 : 0;
}

Test(run, runs_are_listed_in_order_of_creation)
{
	struct pf f;

	pf_open(&f);
	define(&f, CUE_MODE_QUEUED, 0);
	pf_define(&f, &(struct cue_playlist_config){ .name = "a", .steps = two, .n_steps = 2 });
	pf_define(&f, &(struct cue_playlist_config){ .name = "last", .steps = two, .n_steps = 2 });
	pf_start(&f, "p");
	pf_advance(&f, 20);
	pf_start(&f, "a");
	pf_start(&f, "p");
	pf_advance(&f, 30);
	f.log[0] = '\0';
	cr_assert_eq(cue_run_foreach(f.playlists, NULL, list, &f), 0);
	pf_expect(&f, "A p running 0+30 1\nB a running 20+10 1\nC p queued 20+0 0\n");
	cr_assert_eq(cue_run_foreach(f.playlists, "p", list, &f), 0);
	pf_expect(&f, "A p running 0+30 1\nC p queued 20+0 0\n");
	cr_assert_eq(cue_run_foreach(f.playlists, "nobody", list, &f), -ENOENT);
	pf_start(&f, "last");
	cr_assert_eq(cue_run_foreach(f.playlists, "last", list, &f), -7);
	pf_close(&f);
}

static int same_bytes(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 7, len);
	return 0;
}

Test(run, a_random_source_that_repeats_itself_is_refused)
{
	struct cue_playlists *playlists = NULL;
	struct cue_bus *bus = NULL;
	struct cue_playlist_start start = { .name = "p" };

	cr_assert_eq(
	        cue_bus_new(&(struct cue_bus_config){ .gateway_id = "t", .random = same_bytes },
	                    &bus),
	        0);
	cr_assert_eq(cue_playlists_new(bus, &playlists), 0);
	cr_assert_eq(cue_playlist_define(playlists,
	                                 &(struct cue_playlist_config){
	                                         .name = "p", .steps = two, .n_steps = 2 },
	                                 NULL, NULL),
	             0);
	cr_assert_eq(cue_playlist_start(playlists, &start, NULL), 0);
	cr_assert_eq(cue_playlist_start(playlists, &start, NULL), -EIO);
	cr_assert_eq(cue_bus_advance(bus, MS(100)), 0);
	cr_assert_eq(cue_playlist_start(playlists, &start, NULL), 0);
	cue_playlists_free(playlists);
	cue_bus_free(bus);
}

Test(run, a_malformed_trigger_type_starts_nothing)
{
	struct cue_playlist_start start = { .name = "p", .trigger_type = "Not a type" };
	struct pf f;

	pf_open(&f);
	define(&f, CUE_MODE_PARALLEL, 0);
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), -EINVAL);
	pf_expect(&f, "");
	pf_close(&f);
}

Test(run, a_hundred_thousand_active_runs)
{
	const struct cue_step steps[] = { { .emit = "x", .repeat = 3, .interval_ns = MS(1000) } };
	struct cue_playlists *playlists = NULL;
	struct cue_bus *bus = NULL;
	struct cue_playlists_stats stats;
	struct cue_bus_stats bus_stats;
	struct cue_id middle = { .bytes = { 0 } };
	struct pf f = { .random = 1 };

	cr_assert_eq(cue_bus_new(&(struct cue_bus_config){ .gateway_id = "t",
	                                                   .random = pf_random,
	                                                   /* all `stopped` at once */
	                                                   .limits = { .queue_events = 200000 },
	                                                   .user = &f },
	                         &bus),
	             0);
	cr_assert_eq(cue_playlists_new(bus, &playlists), 0);
	cr_assert_eq(cue_playlist_define(playlists,
	                                 &(struct cue_playlist_config){ .name = "p",
	                                                                .max_runs = 1000000,
	                                                                .steps = steps,
	                                                                .n_steps = 1 },
	                                 NULL, NULL),
	             0);
	for (int i = 0; i < 100000; i++) {
		struct cue_id id;

		cr_assert_eq(cue_playlist_start(playlists,
		                                &(struct cue_playlist_start){ .name = "p" }, &id),
		             0);
		if (i == 50000)
			middle = id;
	}
	cr_assert_eq(
	        cue_playlist_start(playlists, &(struct cue_playlist_start){ .name = "p" }, NULL),
	        -ENOSPC);
	cr_assert_eq(cue_run_stop(playlists, &middle, "command"), 0);
	cr_assert_eq(cue_run_stop(playlists, &middle, "command"), -ENOENT);
	cr_assert_eq(cue_bus_advance(bus, MS(1000)), 0);
	cue_playlists_get_stats(playlists, &stats);
	cr_assert_eq(stats.steps_emitted, 2 * 99999);
	cr_assert_eq(cue_playlist_stop(playlists, NULL, "shutdown", NULL, NULL), 99999);
	cue_playlists_get_stats(playlists, &stats);
	cue_bus_get_stats(bus, &bus_stats);
	cr_assert_eq(stats.cancelled, 100000);
	cr_assert_eq(bus_stats.timers_armed, 0);
	cue_playlists_free(playlists);
	cue_bus_free(bus);
}
