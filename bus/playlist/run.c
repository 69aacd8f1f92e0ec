/* SPDX-License-Identifier: Apache-2.0 */
/* A run: a struct and one timer.
 *
 *   phase    | begin            | timer              | end (last step, interrupt, cancel)
 *   ---------+------------------+--------------------+-----------------------------------
 *   WAITING  | created; RUNNING | (not armed)        | stopped, no created before; ENDED
 *   RUNNING  | (never)          | emit an occurrence | stopped; ENDED
 *   ENDED    | (never)          | try `stopped` again| (never; it can't be found any more)
 *
 * A queued run is WAITING until no run of its playlist is active. Each firing of the timer emits
 * one occurrence, the step's event followed by `emitted`, then arms for the next one, even at the
 * same deadline: the bus dispatches in between, so an interrupt stops the run before it. The
 * firing that emits the last occurrence also completes the run: `stopped` and the completion event
 * follow `emitted` directly, and an interrupt caused by the last event comes too late. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- making one ---- */

void cue_run_free(struct run *run)
{
	cue_timer_free(run->timer);
	cue_cascade_unref(run->cascade);
	cue_playlist_def_unref(run->def);
	cue_run_release_trigger(run);
	free(run->line);
	cue_payload_unref(run->end.interrupt.data);
	free((char *)(uintptr_t)run->request.request_id);
	free(run->end.own_detail);
	free(run);
}

int cue_run_new(struct cue_playlists *set, struct playlist_def *def,
                const struct run_request *request, struct run **ret_run)
{
	struct run *run = calloc(1, sizeof(*run) + def->n_repeating * sizeof(struct occurrence));
	int r;

	if (!run)
		return -ENOMEM;
	run->set = set;
	run->def = cue_playlist_def_ref(def);
	run->phase = RUN_WAITING;
	run->steps.heap = run->heap;
	run->request = *request;
	run->request.request_id = NULL;
	cue_payload_ref(run->request.trigger.data);
	run->asked_ns = cue_bus_now(set->bus);
	run->asked_in = cue_bus_current(set->bus) ? set->bus->stats.events : 0;
	cue_bus_current_cause(set->bus, &run->cause_seq, &run->depth);
	r = cue_cascade_current(set->bus, &run->cascade);
	cue_cascade_ref(run->cascade);
	if (r >= 0)
		r = cue_timer_new(set->bus, set->on_run_timer, run, &run->timer);
	if (r >= 0 && request->request_id) {
		run->request.request_id = strdup(request->request_id);
		r = run->request.request_id ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = cue_run_table_reserve(&set->table);
	if (r < 0) {
		cue_run_free(run);
		return r;
	}
	*ret_run = run;
	return 0;
}

void cue_run_list_append(struct run_list *list, struct run *run, enum run_list_kind kind)
{
	run->in[kind].prev = list->last;
	run->in[kind].next = NULL;
	if (list->last)
		list->last->in[kind].next = run;
	else
		list->first = run;
	list->last = run;
}

void cue_run_list_remove(struct run_list *list, struct run *run, enum run_list_kind kind)
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

void cue_run_enlist(struct run *run, const struct cue_id *id)
{
	struct cue_playlists *set = run->set;
	struct playlist *playlist = run->def->playlist;
	struct playlist_def *def = run->def;

	run->id = *id;
	run->number = set->serial++;
	cue_run_table_insert(&set->table, run);
	cue_run_list_append(&set->runs, run, RUNS_OF_SET);
	cue_run_list_append(&playlist->runs, run, RUNS_OF_PLAYLIST);
	cue_run_list_append(&def->runs, run, RUNS_OF_VERSION);
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

int cue_run_begin(struct run *run)
{
	struct cue_bus *bus = run->set->bus;
	struct playlist *playlist = run->def->playlist;
	struct occurrence first = { 0 };
	uint64_t seq = 0;
	int r;

	/* A run that starts later than its request is no longer part of the cascade of the
	 * request. */
	if (cue_bus_now(bus) != run->asked_ns) {
		run->depth = 0;
		run->cascade = cue_cascade_unref(run->cascade);
	}
	cue_run_steps_begin(&run->steps, cue_bus_now(bus), 0);
	r = cue_lifecycle_created(run, &seq);
	if (r < 0)
		return r;
	if (seq)
		run->cause_seq = seq;
	run->phase = RUN_RUNNING;
	run->has_begun = true;
	playlist->n_running++;
	run->set->stats.started++;
	cue_run_steps_peek(&run->steps, run->def, &first);
	cue_timer_arm(run->timer, cue_run_steps_deadline(&run->steps, first.at_ns));
	cue_run_become_active(run);
	return 0;
}
