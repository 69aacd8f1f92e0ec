/* SPDX-License-Identifier: Apache-2.0 */
/* Runs from before a restart: abort, resume, skip. */
#include <errno.h>

#include "playlist_fixture.h"

/* x at 0, 1, 2, 3, 4 s, y at 2.5 s */
static const struct cue_step steps[] = {
	{ .emit = "x", .repeat = 5, .interval_ns = MS(1000) },
	{ .emit = "y", .offset_ns = MS(2500) },
};

static struct cue_playlist_config plan(enum cue_on_restart on_restart)
{
	return (struct cue_playlist_config){
		.name = "p", .on_restart = on_restart, .steps = steps, .n_steps = 2
	};
}

static int restore(struct pf *f, const struct cue_playlist_config *config, uint64_t elapsed_ms,
                   uint64_t passed_ns)
{
	struct cue_playlist_restore old = {
		.run = { { 0xab, (uint8_t)f->n_runs } },
		.definition = config,
		.elapsed_ns = MS(elapsed_ms),
		.passed_ns = passed_ns,
	};

	return cue_playlist_restore(f->playlists, &old, NULL);
}

static void open_at(struct pf *f, uint64_t start_ms, const struct cue_playlist_config *config)
{
	pf_open_config(f, (struct cue_bus_config){ .start_ns = MS(start_ms) });
	f->no_emitted = true;
	if (config)
		pf_define(f, config);
}

Test(run_restore, abort_tells_stopped_and_nothing_else)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_ABORT);
	struct cue_playlists_stats stats;
	struct pf f;

	open_at(&f, 100000, &config);
	cr_assert_eq(restore(&f, &config, 1700, MS(1200)), 0);
	pf_advance(&f, 200000);
	pf_expect(&f, "100000 stopped A cancelled 2 <restart>\n");
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.aborted, 1U);
	cr_assert_eq(stats.cancelled, 1U);
	cr_assert_eq(stats.started + stats.restored, 0U);
	pf_close(&f);
}

Test(run_restore, resume_bursts_what_fell_into_the_downtime)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct pf f;

	open_at(&f, 100000, &config);
	cr_assert_eq(restore(&f, &config, 2700, MS(1000)), 0);
	pf_expect(&f, "100000 created A at 2700\n");
	pf_advance(&f, 200000);
	pf_expect(&f, "100000 x\n100000 y\n100300 x\n101300 x\n101300 stopped A completed 6\n");
	pf_close(&f);
}

Test(run_restore, resume_goes_by_late)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct pf f;

	config.late = CUE_LATE_SKIP;
	open_at(&f, 100000, &config);
	cr_assert_eq(restore(&f, &config, 3000, MS(500)), 0);
	pf_advance(&f, 200000);
	/* Of x those of 1 and 2 s are dropped for that of 3 s; y has but one. */
	pf_expect(&f, "100000 created A at 3000\n100000 y\n100000 x\n101000 x\n"
	              "101000 stopped A completed 4 skipped 2\n");
	pf_close(&f);
}

Test(run_restore, skip_drops_what_fell_into_the_downtime)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_SKIP);
	struct pf f;

	open_at(&f, 100000, &config);
	cr_assert_eq(restore(&f, &config, 3000, MS(500)), 0);
	pf_advance(&f, 200000);
	/* 1, 2 and 2.5 s have passed; 3 s is now. */
	pf_expect(&f, "100000 created A at 3000\n100000 x\n101000 x\n"
	              "101000 stopped A completed 3 skipped 3\n");
	pf_close(&f);
}

Test(run_restore, skip_to_behind_the_end_completes_at_once)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_SKIP);
	struct pf f;

	open_at(&f, 100000, &config);
	config.completion = "done";
	cr_assert_eq(restore(&f, &config, 3600000, CUE_TIME_NONE), 0);
	pf_expect(&f, "100000 created A at 3600000\n100000 stopped A completed 0 skipped 6\n"
	              "100000 done\n");
	pf_close(&f);
}

Test(run_restore, a_run_resumed_long_after_its_end_is_overdue)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct pf f;

	open_at(&f, 100000, &config);
	cr_assert_eq(restore(&f, &config, 9000, MS(3999)), 0);
	pf_advance(&f, 100000);
	pf_expect(&f, "100000 created A at 9000\n100000 overdue A 5000\n100000 x\n"
	              "100000 stopped A completed 6\n");
	pf_close(&f);
}

Test(run_restore, a_machine_booted_anew_has_a_clock_younger_than_the_run)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct pf f;

	open_at(&f, 200, &config);
	cr_assert_eq(restore(&f, &config, 2700, MS(0)), 0);
	pf_advance(&f, 10000);
	pf_expect(&f, "200 created A at 2700\n200 x\n200 x\n200 y\n500 x\n1500 x\n"
	              "1500 stopped A completed 6\n");
	pf_close(&f);
}

Test(run_restore, runs_take_their_overdue_steps_up_in_the_order_of_time)
{
	const struct cue_step a[] = { { .emit = "a", .repeat = 3, .interval_ns = MS(100) } };
	const struct cue_step b[] = { { .emit = "b", .repeat = 3, .interval_ns = MS(100) } };
	struct cue_playlist_config pa = {
		.name = "a", .on_restart = CUE_ON_RESTART_RESUME, .steps = a, .n_steps = 1
	};
	struct cue_playlist_config pb = {
		.name = "b", .on_restart = CUE_ON_RESTART_RESUME, .steps = b, .n_steps = 1
	};
	struct pf f;

	open_at(&f, 100000, &pa);
	pf_define(&f, &pb);
	cr_assert_eq(restore(&f, &pa, 1000, CUE_TIME_NONE), 0);
	cr_assert_eq(restore(&f, &pb, 950, CUE_TIME_NONE), 0);
	f.log[0] = '\0';
	pf_advance(&f, 100000);
	pf_expect(&f, "100000 a\n100000 b\n100000 a\n100000 b\n100000 a\n"
	              "100000 stopped A completed 3\n100000 b\n100000 stopped B completed 3\n");
	pf_close(&f);
}

Test(run_restore, a_run_ends_on_the_definition_it_started_with)
{
	const struct cue_filter stop = { .type = "stop" };
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct cue_playlist_config other = plan(CUE_ON_RESTART_ABORT);
	struct pf f;

	config.interrupts = &stop;
	config.n_interrupts = 1;
	other.steps = &steps[1];
	other.n_steps = 1;
	open_at(&f, 100000, &other);
	cr_assert_eq(restore(&f, &config, 2600, MS(2500)), 0);
	pf_advance(&f, 100400);
	pf_emit(&f, "stop");
	pf_advance(&f, 200000);
	pf_expect(&f, "100000 created A at 2600\n100400 x\n100400 stop\n"
	              "100400 stopped A interrupted 5\n");
	pf_close(&f);
}

Test(run_restore, a_run_whose_playlist_is_gone_is_cancelled)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct pf f;

	open_at(&f, 100000, NULL);
	cr_assert_eq(restore(&f, &config, 2600, MS(2500)), 0);
	pf_expect(&f, "100000 stopped A cancelled 4 <removed>\n");
	pf_close(&f);
}

Test(run_restore, the_limit_of_runs_holds)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .active_runs = 1 } });
	pf_define(&f, &config);
	cr_assert_eq(restore(&f, &config, 100, MS(0)), 0);
	cr_assert_eq(restore(&f, &config, 100, MS(0)), 0);
	pf_expect(&f, "0 created A at 100\n0 stopped B cancelled 1 <limit>\n");
	pf_close(&f);
}

Test(run_restore, what_was_dropped_before_stays_counted)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_SKIP);
	struct cue_playlist_restore old = { .run = { { 7 } },
		                            .definition = &config,
		                            .elapsed_ns = MS(3100),
		                            .passed_ns = MS(2500),
		                            .skipped_count = 3 };
	struct pf f;

	open_at(&f, 100000, &config);
	cr_assert_eq(cue_playlist_restore(f.playlists, &old, NULL), 0);
	pf_advance(&f, 200000);
	pf_expect(&f,
	          "100000 created A at 3100\n100900 x\n100900 stopped A completed 2 skipped 4\n");
	pf_close(&f);
}

Test(run_restore, what_waited_waits_again)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct cue_playlist_restore waiting = { .run = { { 9 } },
		                                .definition = &config,
		                                .queued = true };
	struct pf f;

	config.mode = CUE_MODE_QUEUED;
	open_at(&f, 100000, &config);
	cr_assert_eq(restore(&f, &config, 3600, MS(3500)), 0);
	cr_assert_eq(cue_playlist_restore(f.playlists, &waiting, NULL), 0);
	pf_advance(&f, 101000);
	pf_expect(&f, "100000 created A at 3600\n100400 x\n100400 stopped A completed 6\n"
	              "100400 created B at 0\n100400 x\n");
	cr_assert_eq(cue_playlist_stop(f.playlists, NULL, NULL, NULL, NULL), 1);
	waiting.run.bytes[1] = 1;
	cr_assert_eq(cue_playlist_restore(f.playlists, &waiting, NULL), 0);
	pf_expect(&f, "101000 stopped B cancelled 1\n101000 created C at 0\n");
	pf_close(&f);
}

Test(run_restore, errors_change_nothing)
{
	struct cue_playlist_config config = plan(CUE_ON_RESTART_RESUME);
	struct cue_playlist_config bad = config;
	struct cue_predicate_error error = { .path = "", .text = "" };
	struct cue_playlist_restore old = { .run = { { 7 } }, .definition = &config };
	struct cue_playlists_stats stats;
	struct pf f;

	open_at(&f, 100000, &config);
	cr_assert_eq(cue_playlist_restore(f.playlists, &old, NULL), 0);
	cr_assert_eq(cue_playlist_restore(f.playlists, &old, NULL), -EEXIST);
	bad.n_steps = 0;
	old.definition = &bad;
	old.run.bytes[0]++;
	cr_assert_eq(cue_playlist_restore(f.playlists, &old, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/steps");
	old.definition = &config;
	old.trigger_type = "No Type";
	cr_assert_eq(cue_playlist_restore(f.playlists, &old, NULL), -EINVAL);
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.active_runs, 1U);
	cr_assert_eq(stats.restored, 1U);
	pf_close(&f);
}

/* ---- the observer ---- */

static void note_active(void *user, const struct cue_run_record *record)
{
	struct pf *f = user;

	pf_log(f, "active %s %s %lld skipped %llu trigger %s %s\n", record->playlist,
	       record->state == CUE_RUN_RUNNING ? "running" : "queued",
	       (long long)(int64_t)record->start_ns / (long long)CUE_NS_PER_MS,
	       (unsigned long long)record->skipped_count,
	       record->trigger_type ? record->trigger_type : "-",
	       record->trigger_data ? cue_payload_bytes(record->trigger_data, NULL) : "-");
}

static void note_skipped(void *user, const struct cue_id *run, uint64_t skipped_count)
{
	(void)run;
	pf_log(user, "skipped %llu\n", (unsigned long long)skipped_count);
}

static void note_stopped(void *user, const struct cue_id *run)
{
	(void)run;
	pf_log(user, "ended\n");
}

Test(run_restore, the_observer_is_told_of_every_change)
{
	const struct cue_filter go = { .type = "go" };
	struct cue_playlist_config config = plan(CUE_ON_RESTART_SKIP);
	struct cue_run_observer observer = { note_active, note_skipped, note_stopped, NULL };
	struct pf f;

	config.mode = CUE_MODE_QUEUED;
	config.triggers = &go;
	config.n_triggers = 1;
	open_at(&f, 1000, &config);
	observer.user = &f;
	cue_playlists_observe(f.playlists, &observer);
	cr_assert_eq(restore(&f, &config, 3500, MS(2000)), 0);
	pf_expect(&f, "active p running -2500 skipped 2 trigger - -\n1000 created A at 3500\n");
	pf_emit_data(&f, "go", 0, "[1]");
	pf_expect(&f, "1000 go\nactive p queued 1000 skipped 0 trigger go [1]\n");
	cue_playlists_observe_again(f.playlists);
	pf_expect(&f, "active p running -2500 skipped 2 trigger - -\n"
	              "active p queued 1000 skipped 0 trigger go [1]\n");
	pf_advance(&f, 1500);
	pf_expect(&f, "ended\nactive p running 1500 skipped 0 trigger go [1]\n1500 x\n"
	              "1500 stopped A completed 4 skipped 2\n1500 created B\n1500 x\n");
	cue_playlists_observe(f.playlists, NULL);
	pf_close(&f);
}
