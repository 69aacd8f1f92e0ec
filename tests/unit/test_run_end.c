/* SPDX-License-Identifier: Apache-2.0 */
/* Ending: stop, join, and a `stopped` that must not get lost. */
#include <errno.h>

#include "playlist_fixture.h"

static const struct cue_step two[] = { { .emit = "x" }, { .emit = "y", .offset_ns = MS(100) } };

static void define(struct pf *f, const char *name)
{
	pf_define(f, &(struct cue_playlist_config){ .name = name, .steps = two, .n_steps = 2 });
}

static void note_stopped(void *user, const struct cue_id *run)
{
	struct pf *f = user;
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(run, text);
	pf_log(f, "%c ", pf_run(f, text));
}

Test(run_end, stop_by_name_and_all_oldest_first)
{
	struct pf f;

	pf_open(&f);
	define(&f, "p");
	define(&f, "q");
	pf_start(&f, "p");
	pf_start(&f, "q");
	pf_start(&f, "p");
	pf_start(&f, "q");
	f.log[0] = '\0';
	cr_assert_eq(cue_playlist_stop(f.playlists, "nobody", NULL, NULL, NULL), -ENOENT);
	cr_assert_eq(cue_playlist_stop(f.playlists, "q", "gate", note_stopped, &f), 2);
	pf_expect(&f, "B D 0 stopped B cancelled 0 <gate>\n0 stopped D cancelled 0 <gate>\n");
	cr_assert_eq(cue_playlist_stop(f.playlists, "q", "gate", note_stopped, &f), 0);
	cr_assert_eq(cue_playlist_stop(f.playlists, NULL, NULL, note_stopped, &f), 2);
	pf_expect(&f, "A C 0 stopped A cancelled 0\n0 stopped C cancelled 0\n");
	pf_close(&f);
}

Test(run_end, stops_that_find_nothing_emit_nothing_and_are_counted)
{
	struct cue_id nobody = { { 1 } };
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open(&f);
	define(&f, "p");
	pf_start(&f, "p");
	cr_assert_eq(cue_playlist_stop(f.playlists, "p", NULL, NULL, NULL), 1);
	f.log[0] = '\0';
	cr_assert_eq(cue_playlist_stop(f.playlists, "p", NULL, NULL, NULL), 0);
	cr_assert_eq(cue_playlist_stop(f.playlists, NULL, NULL, NULL, NULL), 0);
	cr_assert_eq(cue_run_stop(f.playlists, &nobody, NULL), -ENOENT);
	cr_assert_eq(cue_playlist_stop(f.playlists, "nobody", NULL, NULL, NULL), -ENOENT);
	pf_expect(&f, "");
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.stops_redundant, 3U);
	pf_close(&f);
}

static void note_joined(void *user, const struct cue_run_result *result)
{
	struct pf *f = user;
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(&result->run, text);
	pf_log(f, "joined %c %d %s %llu\n", pf_run(f, text), (int)result->reason,
	       result->detail ? result->detail : "-", (unsigned long long)result->emitted_count);
}

Test(run_end, joins_are_called_once_however_the_run_ends)
{
	const struct cue_filter stop = { .type = "stop" };
	struct cue_playlist_start start = { .name = "p", .on_stopped = note_joined };
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	start.user = &f;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .max_runs = 1,
	                                             .interrupts = &stop,
	                                             .n_interrupts = 1,
	                                             .steps = two,
	                                             .n_steps = 2 });
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), 0);
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), -EBUSY); /* no join */
	pf_advance(&f, 100);
	pf_expect(&f, "0 created A\n0 rejected B max_runs\n0 x\njoined A 0 - 2\n100 y\n100 stopped "
	              "A completed 2\n");
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), 0);
	pf_emit(&f, "stop");
	pf_expect(&f, "100 created C\n100 stop\njoined C 1 - 0\n100 stopped C interrupted 0\n");
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), 0);
	cr_assert_eq(cue_playlist_remove(f.playlists, "p", "reload"), 0);
	pf_expect(&f, "100 created D\njoined D 2 reload 0\n100 stopped D cancelled 0 <reload>\n");
	pf_close(&f);
}

struct again {
	struct pf *f;
	int left;
};

static void start_again(void *user, const struct cue_run_result *result)
{
	struct again *again = user;
	struct cue_playlist_start start = { .name = "p", .on_stopped = start_again, .user = again };

	if (result->reason == CUE_STOP_COMPLETED && again->left-- > 0)
		cr_assert_eq(cue_playlist_start(again->f->playlists, &start, NULL), 0);
}

Test(run_end, a_join_may_start_the_playlist_anew)
{
	struct again again = { .left = 2 };
	struct cue_playlist_start start = { .name = "p",
		                            .on_stopped = start_again,
		                            .user = &again };
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	again.f = &f;
	pf_define(&f, &(struct cue_playlist_config){
	                      .name = "p", .mode = CUE_MODE_SINGLE, .steps = two, .n_steps = 2 });
	cue_playlist_start(f.playlists, &start, NULL);
	pf_advance(&f, 1000);
	pf_expect(
	        &f,
	        "0 created A\n0 x\n100 y\n100 stopped A completed 2\n100 created B\n100 x\n200 y\n"
	        "200 stopped B completed 2\n200 created C\n200 x\n300 y\n300 stopped C completed "
	        "2\n");
	pf_close(&f);
}

static void stop_all(void *user, const struct cue_run_result *result)
{
	struct pf *f = user;

	(void)result;
	cue_playlist_stop(f->playlists, NULL, "join", NULL, NULL);
}

Test(run_end, a_join_may_stop_the_others_while_several_end)
{
	struct cue_playlist_start start = { .name = "p", .on_stopped = stop_all };
	struct pf f;

	pf_open(&f);
	start.user = &f;
	define(&f, "p");
	define(&f, "q");
	for (int i = 0; i < 3; i++)
		cue_playlist_start(f.playlists, &start, NULL);
	pf_start(&f, "q");
	f.log[0] = '\0';
	cr_assert_eq(cue_playlist_stop(f.playlists, "p", "first", NULL, NULL), 3);
	pf_expect(&f, "0 stopped A cancelled 0 <first>\n0 stopped B cancelled 0 <first>\n"
	              "0 stopped C cancelled 0 <first>\n0 stopped D cancelled 0 <join>\n");
	pf_close(&f);
}

static int stop_inside(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct pf *f = user;

	(void)bus;
	(void)event;
	return cue_playlist_stop(f->playlists, "p", "inside", NULL, NULL) < 0 ? -EIO : 0;
}

Test(run_end, a_handler_of_the_step_or_of_created_may_stop_the_run)
{
	struct pf f;

	pf_open(&f);
	define(&f, "p");
	pf_subscribe(&f, "x", 0, stop_inside, &f);
	pf_start(&f, "p");
	pf_advance(&f, 1000);
	pf_expect(&f, "0 created A\n0 x\n0 emitted A 0.0\n0 stopped A cancelled 1 <inside>\n");
	pf_subscribe(&f, "event.playlist.created", 0, stop_inside, &f);
	cr_assert_eq(pf_start(&f, "p"), 0);
	pf_advance(&f, 2000);
	pf_expect(&f, "1000 created B\n1000 stopped B cancelled 0 <inside>\n");
	pf_close(&f);
}

static int flood_then_stop(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct pf *f = user;

	(void)event;
	while (cue_bus_emit(bus, &(struct cue_emit){ .type = "noise", .time_ns = CUE_TIME_NONE },
	                    NULL) == 0)
		;
	return cue_playlist_stop(f->playlists, NULL, "flood", NULL, NULL) == 3 ? 0 : -EIO;
}

Test(run_end, a_stopped_that_the_full_queue_refuses_is_told_later)
{
	struct cue_playlist_start start = { .name = "p", .on_stopped = note_joined };
	struct cue_playlists_stats stats;
	struct cue_bus_stats bus_stats;
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .queue_events = 4 } });
	start.user = &f;
	define(&f, "p");
	for (int i = 0; i < 3; i++)
		cue_playlist_start(f.playlists, &start, NULL);
	pf_subscribe(&f, "flood", 0, flood_then_stop, &f);
	f.log[0] = '\0';
	pf_emit(&f, "flood");
	pf_expect(&f, "0 flood\n0 noise\n0 noise\n0 noise\n0 noise\n");
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.active_runs, 0);
	cr_assert_eq(cue_playlist_stop(f.playlists, NULL, "x", NULL, NULL), 0);
	cr_assert_eq(cue_playlist_remove(f.playlists, "p", NULL), 0);
	pf_advance(&f, 10);
	pf_expect(&f, "joined A 2 flood 0\n1 stopped A cancelled 0 <flood>\n"
	              "joined B 2 flood 0\n1 stopped B cancelled 0 <flood>\n"
	              "joined C 2 flood 0\n1 stopped C cancelled 0 <flood>\n");
	cue_playlists_get_stats(f.playlists, &stats);
	cue_bus_get_stats(f.bus, &bus_stats);
	cr_assert_eq(stats.cancelled, 3);
	cr_assert_eq(bus_stats.timers_armed, 0);
	pf_close(&f);
}

static int flood_then_start(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct pf *f = user;

	(void)event;
	while (cue_bus_emit(bus, &(struct cue_emit){ .type = "noise", .time_ns = CUE_TIME_NONE },
	                    NULL) == 0)
		;
	return pf_start(f, "p") == -ENOBUFS ? 0 : -EIO;
}

Test(run_end, a_start_that_can_not_be_told_does_not_happen)
{
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .queue_events = 4 } });
	define(&f, "p");
	pf_subscribe(&f, "flood", 0, flood_then_start, &f);
	pf_emit(&f, "flood");
	pf_advance(&f, 1000);
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.started, 0);
	cr_assert_eq(stats.active_runs, 0);
	cr_assert_eq(f.reports[CUE_REPORT_HANDLER_FAILED], 0);
	pf_close(&f);
}

Test(run_end, free_ends_everything_without_a_word)
{
	struct cue_playlist_start start = { .name = "p", .on_stopped = note_joined };
	struct cue_bus_stats stats;
	struct pf f;

	pf_open(&f);
	start.user = &f;
	pf_define(&f, &(struct cue_playlist_config){
	                      .name = "p", .mode = CUE_MODE_QUEUED, .steps = two, .n_steps = 2 });
	cue_playlist_start(f.playlists, &start, NULL);
	cue_playlist_start(f.playlists, &start, NULL);
	f.log[0] = '\0';
	f.playlists = cue_playlists_free(f.playlists);
	cr_assert_null(f.playlists);
	pf_expect(&f, "");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.timers_armed, 0);
	cr_assert_eq(cue_playlists_new(f.bus, &f.playlists), 0);
	pf_close(&f);
	cr_assert_null(cue_playlists_free(NULL));
}
