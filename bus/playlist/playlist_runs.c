/* SPDX-License-Identifier: Apache-2.0 */
/* The public calls on runs. */
#include "playlist_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

int cue_playlist_start(struct cue_playlists *playlists, const struct cue_playlist_start *start,
                       struct cue_id *ret_run)
{
	struct playlist *playlist = cue_playlist_find(playlists, start->name);
	struct run_request request = {
		.cause = start->cause,
		.request_id = start->request_id,
		.trigger = { .producer_id = start->trigger_producer_id,
		             .data = start->trigger_data },
		.on_stopped = start->on_stopped,
		.user = start->user,
	};
	struct cue_id id;
	int r;

	if (!playlist)
		return -ENOENT;
	if (start->trigger_type) {
		r = cue_bus_intern(playlists->bus, start->trigger_type, &request.trigger.type);
		if (r < 0)
			return r;
	}
	r = cue_run_start(playlist, &request, &id);
	if (r < 0)
		return r;
	if (ret_run)
		*ret_run = id;
	return 0;
}

static struct run_end cancelled(const struct cue_bus *bus, const char *detail)
{
	struct run_end end = { .reason = CUE_STOP_CANCELLED, .detail = detail };

	cue_bus_current_cause(bus, &end.cause_seq, &end.depth);
	return end;
}

int cue_run_stop(struct cue_playlists *playlists, const struct cue_id *run_id, const char *detail)
{
	struct run *run = cue_run_table_find(&playlists->table, run_id);
	struct run_end end = cancelled(playlists->bus, detail);
	struct ended_list ended = { 0 };
	struct cue_bus *bus = playlists->bus;

	if (!run) {
		playlists->stats.stops_redundant++;
		return -ENOENT;
	}
	cue_bus_begin(bus);
	cue_run_detach(run, &end, &ended);
	cue_run_end_all(playlists, &ended);
	cue_bus_end(bus);
	return 0;
}

int cue_playlist_stop(struct cue_playlists *playlists, const char *name, const char *detail,
                      void (*stopped)(void *user, const struct cue_id *run), void *user)
{
	struct playlist *playlist = name ? cue_playlist_find(playlists, name) : NULL;
	const struct run_list *runs = playlist ? &playlist->runs : &playlists->runs;
	struct run_end end = cancelled(playlists->bus, detail);
	struct ended_list ended = { 0 };
	struct cue_bus *bus = playlists->bus;
	int n = 0;

	if (name && !playlist)
		return -ENOENT;
	cue_bus_begin(bus);
	for (; runs->first && n < INT_MAX; n++)
		cue_run_detach(runs->first, &end, &ended);
	for (const struct run *run = ended.first; stopped && run; run = run->next_ended)
		stopped(user, &run->id);
	playlists->stats.stops_redundant += n == 0;
	cue_run_end_all(playlists, &ended);
	cue_bus_end(bus);
	return n;
}

int cue_run_steer(struct cue_playlists *playlists, const struct cue_id *run_id,
                  const struct cue_steer *steer)
{
	struct run *run = cue_run_table_find(&playlists->table, run_id);
	int r;

	if (!run)
		return -ENOENT;
	cue_bus_begin(playlists->bus);
	r = cue_run_steer_one(run, steer);
	cue_bus_end(playlists->bus);
	return r;
}

int cue_playlist_steer(struct cue_playlists *playlists, const char *name,
                       const struct cue_steer *steer,
                       void (*steered)(void *user, const struct cue_id *run), void *user)
{
	struct playlist *playlist = name ? cue_playlist_find(playlists, name) : NULL;
	enum run_list_kind kind = name ? RUNS_OF_PLAYLIST : RUNS_OF_SET;
	struct run *first;
	int n = 0, r = 0;

	if (name && !playlist)
		return -ENOENT;
	first = playlist ? playlist->runs.first : playlists->runs.first;
	for (struct run *run = first; run && r >= 0; run = run->in[kind].next) {
		if (run->phase == RUN_RUNNING)
			r = cue_run_check_steer(run, steer);
	}
	cue_bus_begin(playlists->bus);
	for (struct run *run = first; run && r >= 0 && n < INT_MAX; run = run->in[kind].next) {
		if (run->phase != RUN_RUNNING)
			continue;
		r = cue_run_steer_one(run, steer);
		n += r == 1;
		if (r == 1 && steered)
			steered(user, &run->id);
	}
	cue_bus_end(playlists->bus);
	return r < 0 ? r : n;
}

static enum cue_run_state state_of(const struct run *run)
{
	if (run->phase != RUN_RUNNING)
		return CUE_RUN_QUEUED;
	return run->line && run->line->paused ? CUE_RUN_PAUSED : CUE_RUN_RUNNING;
}

static int visit_run(const struct run *run,
                     int (*visit)(void *user, const struct cue_run_info *info), void *user)
{
	bool running = run->phase == RUN_RUNNING;
	struct cue_run_info info = {
		.run = run->id,
		.playlist = run->def->name,
		.state = state_of(run),
		.start_ns = running ? run->steps.start_ns : run->asked_ns,
		.offset_ns = running ? cue_run_position(run, cue_bus_now(run->set->bus)) : 0,
		.tempo = run->line ? run->line->tempo : CUE_TEMPO_AS_WRITTEN,
		.emitted_count = run->emitted_count,
	};

	return visit(user, &info);
}

int cue_run_foreach_newest(struct cue_playlists *playlists, const char *name, size_t max,
                           int (*visit)(void *user, const struct cue_run_info *info), void *user)
{
	const struct playlist *playlist = name ? cue_playlist_find(playlists, name) : NULL;
	enum run_list_kind kind = name ? RUNS_OF_PLAYLIST : RUNS_OF_SET;
	const struct run_list *runs = playlist ? &playlist->runs : &playlists->runs;
	const struct run *run = runs->first;
	int r = 0;

	if (name && !playlist)
		return -ENOENT;
	if (max < (playlist ? playlist->n_runs : playlists->table.n)) {
		run = max > 0 ? runs->last : NULL;
		while (max > 1) {
			run = run->in[kind].prev;
			max--;
		}
	}
	for (; run && r == 0; run = run->in[kind].next)
		r = visit_run(run, visit, user);
	return r;
}

int cue_run_foreach(struct cue_playlists *playlists, const char *name,
                    int (*visit)(void *user, const struct cue_run_info *info), void *user)
{
	return cue_run_foreach_newest(playlists, name, SIZE_MAX, visit, user);
}

/* ---- the observer ---- */

void cue_playlists_observe(struct cue_playlists *playlists, const struct cue_run_observer *observer)
{
	playlists->observer = observer ? *observer : (struct cue_run_observer){ 0 };
}

void cue_playlists_observe_again(struct cue_playlists *playlists)
{
	for (const struct run *run = playlists->runs.first; run; run = run->in[RUNS_OF_SET].next)
		cue_run_observe_active(run);
}
