/* SPDX-License-Identifier: Apache-2.0 */
/* A run: a struct and one timer.
 *
 *   phase    | begin            | timer              | end (last step, interrupt, cancel)
 *   ---------+------------------+--------------------+-----------------------------------
 *   WAITING  | created; RUNNING | (not armed)        | stopped, no created before; ENDED
 *   RUNNING  | (never)          | emit an occurrence | stopped; ENDED
 *   ENDED    | (never)          | try `stopped` again| (never; it can't be found any more)
 *
 * WAITING is where queued runs are until nothing of their playlist runs.
 * Each firing of the timer emits one occurrence, the step's event and at once
 * `emitted`, then arms for the next one, at the same deadline if need be: the
 * bus dispatches in between, so that an interrupt stops the run before it.
 * Whether the run is complete is decided when its last occurrence is emitted,
 * in the same firing: `stopped` and the completion event follow `emitted`
 * directly, and an interrupt that the last event itself leads to comes too
 * late to be told. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_ATTEMPTS 8

void run_current_cause(const struct cue_bus *bus, uint64_t *ret_seq, unsigned *ret_depth)
{
	const struct cue_event *event = cue_bus_current(bus);

	*ret_seq = 0;
	*ret_depth = 0;
	if (event) {
		*ret_seq = event->seq ? event->seq : event->cause_seq;
		*ret_depth = event->depth + 1U;
	}
}

/* ---- making one ---- */

void run_free(struct run *run)
{
	cue_timer_free(run->timer);
	cascade_unref(run->cascade);
	playlist_def_unref(run->def);
	run_release_trigger(run);
	cue_payload_unref(run->end.interrupt.data);
	free((char *)(uintptr_t)run->request.request_id);
	free(run->end.own_detail);
	free(run);
}

static int pick_id(struct cue_playlists *set, struct cue_id *ret_id)
{
	for (int i = 0; i < ID_ATTEMPTS; i++) {
		int r = cue_bus_random(set->bus, ret_id->bytes, sizeof(ret_id->bytes));

		if (r < 0)
			return r;
		if (!run_table_find(&set->table, ret_id))
			return 0;
	}
	return -EIO; /* a source that repeats itself is none */
}

int run_new(struct cue_playlists *set, struct playlist_def *def, const struct run_request *request,
            struct run **ret_run)
{
	struct run *run = calloc(1, sizeof(*run) + def->n_repeating * sizeof(struct occurrence));
	int r;

	if (!run)
		return -ENOMEM;
	run->set = set;
	run->def = playlist_def_ref(def);
	run->phase = RUN_WAITING;
	run->steps.heap = run->heap;
	run->request = *request;
	run->request.request_id = NULL;
	cue_payload_ref(run->request.trigger.data);
	run->asked_ns = cue_bus_now(set->bus);
	run->asked_in = cue_bus_current(set->bus) ? set->bus->stats.events : 0;
	run_current_cause(set->bus, &run->cause_seq, &run->depth);
	r = cascade_current(set->bus, &run->cascade);
	cascade_ref(run->cascade);
	if (r >= 0)
		r = cue_timer_new(set->bus, run_on_timer, run, &run->timer);
	if (r >= 0 && request->request_id) {
		run->request.request_id = strdup(request->request_id);
		r = run->request.request_id ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = run_table_reserve(&set->table);
	if (r < 0) {
		run_free(run);
		return r;
	}
	*ret_run = run;
	return 0;
}

void run_list_append(struct run_list *list, struct run *run, enum run_list_kind kind)
{
	run->in[kind].prev = list->last;
	run->in[kind].next = NULL;
	if (list->last)
		list->last->in[kind].next = run;
	else
		list->first = run;
	list->last = run;
}

void run_list_remove(struct run_list *list, struct run *run, enum run_list_kind kind)
{
	struct run *prev = run->in[kind].prev, *next = run->in[kind].next;

	if (prev)
		prev->in[kind].next = next;
	else
		list->first = next;
	if (next)
		next->in[kind].prev = prev;
	else
		list->last = prev;
}

void run_enlist(struct run *run, const struct cue_id *id)
{
	struct cue_playlists *set = run->set;
	struct playlist *playlist = run->def->playlist;
	struct playlist_def *def = run->def;

	run->id = *id;
	run->number = set->serial++;
	run_table_insert(&set->table, run);
	run_list_append(&set->runs, run, RUNS_OF_SET);
	run_list_append(&playlist->runs, run, RUNS_OF_PLAYLIST);
	run_list_append(&def->runs, run, RUNS_OF_VERSION);
	playlist->n_runs++;
	if (def->n_runs++ > 0)
		return;
	for (size_t i = 0; i < def->n_links; i++) {
		struct interrupt_link *link = &def->links[i];

		link->next = link->node->live;
		link->link = &link->node->live;
		if (link->next)
			link->next->link = &link->next;
		link->node->live = link;
	}
}

int run_begin(struct run *run)
{
	struct cue_bus *bus = run->set->bus;
	struct playlist *playlist = run->def->playlist;
	struct occurrence first = { 0 };
	uint64_t seq = 0;
	int r;

	/* A run that has waited for time to pass is no longer part of the
	 * cascade that asked for it. */
	if (cue_bus_now(bus) != run->asked_ns) {
		run->depth = 0;
		run->cascade = cascade_unref(run->cascade);
	}
	run_steps_begin(&run->steps, cue_bus_now(bus), 0);
	r = lifecycle_created(run, &seq);
	if (r < 0)
		return r;
	if (seq)
		run->cause_seq = seq;
	run->phase = RUN_RUNNING;
	run->has_begun = true;
	playlist->n_running++;
	run->set->stats.started++;
	run_steps_peek(&run->steps, run->def, &first);
	cue_timer_arm(run->timer, run_steps_deadline(&run->steps, first.at_ns));
	run_become_active(run);
	return 0;
}

/* ---- starting ---- */

static int reject(const struct playlist_def *def, const struct run_request *request,
                  const char *reason, const char *detail, int error)
{
	struct cue_playlists *set = def->playlist->set;
	struct cue_id id;
	int r = pick_id(set, &id);

	if (r < 0)
		return r;
	set->stats.rejected++;
	/* If the bus refuses the event it has reported that itself. */
	(void)lifecycle_rejected(def, &id, request, reason, detail);
	return error;
}

/** @return 0 when mode and limits allow one more run, or what to return. */
static int admit(const struct playlist *playlist, const struct run_request *request)
{
	const struct playlist_def *def = playlist->def;
	const struct cue_playlists *set = playlist->set;
	uint32_t limit = cue_bus_limits(set->bus)->active_runs;
	size_t n_staying = set->table.n;
	char detail[96];

	switch (def->mode) {
	case CUE_MODE_SINGLE:
		if (playlist->n_runs > 0)
			return reject(def, request, "busy",
			              "a run is active and the mode is single", -EBUSY);
		break;
	case CUE_MODE_RESTART:
		n_staying -= playlist->n_runs;
		break;
	case CUE_MODE_PARALLEL:
	case CUE_MODE_QUEUED:
		if (playlist->n_runs < def->max_runs)
			break;
		if (def->max_runs == 1)
			snprintf(detail, sizeof(detail),
			         "the 1 run that max_runs allows is active");
		else
			snprintf(detail, sizeof(detail), "all %u runs that max_runs allows are %s",
			         def->max_runs,
			         def->mode == CUE_MODE_QUEUED ? "active or waiting" : "active");
		return reject(def, request, "max_runs", detail, -EBUSY);
	}
	if (n_staying < limit)
		return 0;
	snprintf(detail, sizeof(detail), "%u %s active, the limit of this gateway", limit,
	         limit == 1 ? "run is" : "runs are");
	return reject(def, request, "active_runs", detail, -ENOSPC);
}

/** Let the bus cut, count and report a start that comes too deep in a cascade,
 *  before anything has changed. */
static int check_depth(struct cue_bus *bus)
{
	uint64_t cause_seq;
	unsigned depth;

	run_current_cause(bus, &cause_seq, &depth);
	if (depth <= cue_bus_limits(bus)->cascade_depth)
		return 0;
	(void)cue_bus_emit_caused(
	        bus,
	        &(struct cue_emit){ .type = "event.playlist.created", .time_ns = CUE_TIME_NONE },
	        cause_seq, depth, NULL);
	return -ELOOP;
}

static void cancel_for_restart(struct playlist *playlist, struct ended_list *ended)
{
	struct run_end end = { .reason = CUE_STOP_CANCELLED, .detail = "restart" };

	run_current_cause(playlist->set->bus, &end.cause_seq, &end.depth);
	while (playlist->runs.first)
		run_detach(playlist->runs.first, &end, ended);
}

static int start(struct playlist *playlist, const struct run_request *request,
                 struct cue_id *ret_id, struct ended_list *ended)
{
	struct cue_playlists *set = playlist->set;
	struct ended_list unborn = { 0 };
	struct cue_id id;
	struct run *run;
	bool waits;
	int r;

	r = check_depth(set->bus);
	if (r >= 0)
		r = admit(playlist, request);
	if (r >= 0)
		r = pick_id(set, &id);
	if (r >= 0)
		r = run_new(set, playlist->def, request, &run);
	if (r < 0)
		return r;
	if (playlist->def->mode == CUE_MODE_RESTART)
		cancel_for_restart(playlist, ended);
	waits = playlist->def->mode == CUE_MODE_QUEUED && playlist->n_runs > 0;
	run_enlist(run, &id);
	run_tell_ended(set, ended);
	r = waits ? 0 : run_begin(run);
	if (r < 0) {
		run_detach(run, &(struct run_end){ 0 }, &unborn);
		run_free(run);
		return r;
	}
	if (waits)
		run_become_active(run);
	*ret_id = id;
	return 0;
}

int run_start(struct playlist *playlist, const struct run_request *request, struct cue_id *ret_id)
{
	struct cue_bus *bus = playlist->set->bus;
	struct run_request quoted = *request;
	struct ended_list ended = { 0 };
	int r;

	quoted.trigger = lifecycle_quote(bus, &request->trigger);
	cue_bus_begin(bus);
	r = start(playlist, &quoted, ret_id, &ended);
	run_finish_ended(&ended);
	cue_bus_end(bus);
	cue_payload_unref(quoted.trigger.data);
	return r;
}
