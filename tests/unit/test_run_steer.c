/* SPDX-License-Identifier: Apache-2.0 */
/* Pause, resume, seek and tempo from the library; the rules are in tests/trace/steer_*. */
#include <errno.h>

#include "playlist_fixture.h"

/* x at 0, 1, 2, 3, 4 s */
static const struct cue_step five[] = { { .emit = "x", .repeat = 5, .interval_ns = MS(1000) } };

static void open_running(struct pf *f, const struct cue_playlist_config *config)
{
	pf_open(f);
	f->no_emitted = true;
	pf_define(f, config);
	pf_start(f, config->name);
}

static int steer(struct pf *f, struct cue_steer what)
{
	return cue_playlist_steer(f->playlists, "p", &what, NULL, NULL);
}

Test(run_steer, says_whether_something_changed)
{
	struct cue_playlist_config config = { .name = "p", .steps = five, .n_steps = 1 };
	struct cue_playlists_stats stats;
	struct cue_id none = { { 1 } };
	struct pf f;

	open_running(&f, &config);
	pf_start(&f, "p");
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_RESUME }), 0);
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_PAUSE }), 2);
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_PAUSE }), 0);
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_TOGGLE }), 2);
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_TEMPO,
	                                           .tempo = CUE_TEMPO_AS_WRITTEN }),
	             0);
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_TEMPO, .tempo = 1 }),
	             -ERANGE);
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_SEEK,
	                                           .offset_ns = MS(4000) + 1 }),
	             -ERANGE);
	cr_assert_eq(cue_playlist_steer(f.playlists, "none", &(struct cue_steer){ 0 }, NULL, NULL),
	             -ENOENT);
	cr_assert_eq(cue_run_steer(f.playlists, &none, &(struct cue_steer){ 0 }), -ENOENT);
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.steered, 4U);
	pf_close(&f);
}

Test(run_steer, one_that_cannot_keeps_all_as_they_are)
{
	struct cue_playlist_config config = { .name = "p", .steps = five, .n_steps = 1 };
	struct pf f;

	open_running(&f, &config);
	config.steps =
	        (const struct cue_step[]){ { .emit = "y" }, { .emit = "y", .offset_ns = MS(900) } };
	config.n_steps = 2;
	pf_define(&f, &config);
	pf_start(&f, "p");
	f.log[0] = '\0';
	cr_assert_eq(
	        steer(&f, (struct cue_steer){ .action = CUE_STEER_SEEK, .offset_ns = MS(1000) }),
	        -ERANGE);
	pf_expect(&f, "");
	pf_close(&f);
}

/** Pauses the run at its own event, at the very time of its steps. */
static int pause_it(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct pf *f = user;

	(void)bus, (void)event;
	return steer(f, (struct cue_steer){ .action = CUE_STEER_PAUSE }) < 0 ? -EIO : 0;
}

Test(run_steer, a_pause_by_the_runs_own_event_stops_the_next_of_the_same_time)
{
	const struct cue_step twins[] = { { .emit = "x" }, { .emit = "y" } };
	struct cue_playlist_config config = { .name = "p", .steps = twins, .n_steps = 2 };
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_subscribe(&f, "x", 0, pause_it, &f);
	pf_define(&f, &config);
	pf_start(&f, "p");
	pf_advance(&f, 1000);
	pf_expect(&f, "0 created A\n0 x\n0 paused A at 0\n");
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_RESUME }), 1);
	pf_advance(&f, 1000);
	pf_expect(&f, "1000 resumed A at 0\n1000 y\n1000 stopped A completed 2\n");
	pf_close(&f);
}

/** Goes back to the beginning at each x, which is there: a circle without delay. */
static int rewind_it(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)bus, (void)event;
	(void)steer(user, (struct cue_steer){ .action = CUE_STEER_SEEK });
	return 0;
}

Test(run_steer, a_circle_of_seeks_without_delay_is_cut)
{
	const struct cue_step twins[] = { { .emit = "x" }, { .emit = "y", .offset_ns = MS(10) } };
	struct cue_playlist_config config = { .name = "p", .steps = twins, .n_steps = 2 };
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_subscribe(&f, "x", 0, rewind_it, &f);
	pf_define(&f, &config);
	pf_start(&f, "p");
	pf_advance(&f, 1000);
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_gt(stats.steered, 1U);
	cr_assert_lt(stats.steered, 100U);
	cr_assert_eq(stats.completed, 1U);
	cr_assert_gt(f.reports[CUE_REPORT_CASCADE_CUT], 0U);
	pf_close(&f);
}

Test(run_steer, a_paused_run_is_not_overdue)
{
	struct cue_playlist_config config = { .name = "p", .steps = five, .n_steps = 1 };
	struct cue_playlists_stats stats;
	struct pf f;

	open_running(&f, &config);
	pf_advance(&f, 100);
	steer(&f, (struct cue_steer){ .action = CUE_STEER_PAUSE });
	pf_advance(&f, 100000);
	steer(&f, (struct cue_steer){ .action = CUE_STEER_RESUME });
	pf_advance(&f, 200000);
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.overdue, 0U);
	cr_assert_eq(stats.completed, 1U);
	pf_close(&f);
}

/* ---- over a restart ---- */

static void keep(void *user, const struct cue_run_record *record)
{
	*(struct cue_run_line *)user = record->line;
}

/** Steer a run at 1.5 s and look at what a journal keeps; go on in another process that starts
 * @p down_ms later. @p passed: everything due until then was emitted. */
static void restart(struct pf *f, struct cue_steer what, uint64_t down_ms, uint64_t passed_ms)
{
	struct cue_playlist_config config = {
		.name = "p", .steps = five, .n_steps = 1, .on_restart = CUE_ON_RESTART_RESUME
	};
	struct cue_playlist_restore old = { .run = { { 0xab } }, .definition = &config };
	struct cue_run_line line = { 0 };

	open_running(f, &config);
	cue_playlists_observe(f->playlists, &(struct cue_run_observer){ keep, NULL, NULL, &line });
	pf_advance(f, 1500);
	cr_assert_eq(steer(f, what), 1);
	cr_assert(line.steered);
	cr_assert_eq(line.since_ns, MS(1500));
	cue_playlists_observe(f->playlists, NULL);
	pf_close(f);
	pf_open_config(f, (struct cue_bus_config){ .start_ns = MS(50000) });
	f->no_emitted = true;
	pf_define(f, &config);
	old.line = line;
	old.skipped_count = line.skipped_count;
	old.line.since_ns = MS(down_ms);
	old.elapsed_ns = MS(1500 + down_ms);
	old.passed_ns = passed_ms == UINT64_MAX ? CUE_TIME_NONE : MS(passed_ms);
	cr_assert_eq(cue_playlist_restore(f->playlists, &old, NULL), 0);
}

Test(run_steer, a_restart_keeps_the_pause)
{
	struct pf f;

	restart(&f, (struct cue_steer){ .action = CUE_STEER_PAUSE }, 10000, 9000);
	pf_advance(&f, 60000);
	pf_expect(&f, "50000 created A at 1500\n");
	cr_assert(strstr(f.last[PF_CREATED], "\"paused\":true"));
	cr_assert_eq(steer(&f, (struct cue_steer){ .action = CUE_STEER_RESUME }), 1);
	pf_advance(&f, 90000);
	pf_expect(&f, "60000 resumed A at 1500\n60500 x\n61500 x\n62500 x\n"
	              "62500 stopped A completed 5\n");
	pf_close(&f);
}

Test(run_steer, a_restart_keeps_the_tempo)
{
	struct pf f;

	/* At half the speed for 4 s: 2 and 3 have passed, the latter in the downtime. */
	restart(&f, (struct cue_steer){ .action = CUE_STEER_TEMPO, .tempo = 500000 }, 4000, 1500);
	pf_advance(&f, 90000);
	pf_expect(&f, "50000 created A at 3500\n50000 x\n51000 x\n51000 stopped A completed 5\n");
	cr_assert(strstr(f.last[PF_CREATED], "\"tempo\":0.5"));
	pf_close(&f);
}

Test(run_steer, a_restart_emits_nothing_that_a_seek_has_skipped)
{
	struct pf f;

	restart(&f, (struct cue_steer){ .action = CUE_STEER_SEEK, .offset_ns = MS(3500) }, 100,
	        UINT64_MAX);
	pf_advance(&f, 90000);
	pf_expect(&f, "50000 created A at 3600\n50400 x\n50400 stopped A completed 3 skipped 2\n");
	pf_close(&f);
}
