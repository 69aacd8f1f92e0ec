/* SPDX-License-Identifier: Apache-2.0 */
/* Ending runs, in three steps so that no callback sees an inconsistent engine: first the runs
 * leave every list and index (cue_run_detach), then `stopped` of each is appended
 * (cue_run_tell_ended), and last the callbacks run, which may call any function
 * (cue_run_finish_ended).
 *
 * A `stopped` that the bus refuses (queue full, no memory) is not lost: the run stays with the set
 * as "untold" and its timer tries again each millisecond, when the queue has drained. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TELL_AGAIN_NS CUE_NS_PER_MS

static void unlink_live(struct playlist_def *def)
{
	for (size_t i = 0; i < def->n_links; i++) {
		struct interrupt_link *link = &def->links[i];

		*link->link = link->next;
		if (link->next)
			link->next->link = link->link;
		link->link = NULL;
		link->next = NULL;
	}
}

void cue_run_push_ended(struct ended_list *ended, struct run *run)
{
	run->next_ended = NULL;
	if (ended->last)
		ended->last->next_ended = run;
	else
		ended->first = run;
	ended->last = run;
}

static struct run *pop_ended(struct ended_list *ended)
{
	struct run *run = ended->first;

	if (!run)
		return NULL;
	ended->first = run->next_ended;
	if (!ended->first)
		ended->last = NULL;
	run->next_ended = NULL;
	return run;
}

void cue_run_detach(struct run *run, const struct run_end *end, struct ended_list *ended)
{
	struct cue_playlists *set = run->set;
	struct playlist *playlist = run->def->playlist;

	cue_timer_disarm(run->timer);
	cue_run_table_remove(&set->table, run);
	cue_run_list_remove(&set->runs, run, RUNS_OF_SET);
	cue_run_list_remove(&playlist->runs, run, RUNS_OF_PLAYLIST);
	cue_run_list_remove(&run->def->runs, run, RUNS_OF_VERSION);
	cue_run_count_paused(run, -1);
	playlist->n_runs--;
	if (run->phase == RUN_RUNNING)
		playlist->n_running--;
	if (--run->def->n_runs == 0)
		unlink_live(run->def);
	run->phase = RUN_ENDED;
	run->end = *end;
	cue_payload_ref(run->end.interrupt.data);
	cue_run_push_ended(ended, run);
}

static void count(struct cue_playlists_stats *stats, enum cue_stop_reason reason)
{
	switch (reason) {
	case CUE_STOP_COMPLETED:
		stats->completed++;
		break;
	case CUE_STOP_INTERRUPTED:
		stats->interrupted++;
		break;
	case CUE_STOP_CANCELLED:
		stats->cancelled++;
		break;
	}
}

/** Keep a run for another try. This must not fail; out of memory loses the detail. */
static void keep_untold(struct cue_playlists *set, struct run *run)
{
	if (run->end.detail && !run->end.own_detail)
		run->end.detail = run->end.own_detail = strdup(run->end.detail);
	cue_run_list_append(&set->untold, run, RUNS_OF_SET);
	cue_timer_arm(run->timer, cue_bus_now(set->bus) + TELL_AGAIN_NS);
}

static bool tell(struct cue_playlists *set, struct run *run)
{
	uint64_t seq = 0;

	if (cue_lifecycle_stopped(run, &seq) < 0)
		return false;
	count(&set->stats, run->end.reason);
	if (set->observer.stopped)
		set->observer.stopped(set->observer.user, &run->id);
	/* The bus reports a refused completion event; `stopped` was appended. */
	if (run->end.reason == CUE_STOP_COMPLETED && run->def->completion)
		(void)cue_lifecycle_completion(run, seq);
	return true;
}

void cue_run_tell_ended(struct cue_playlists *set, struct ended_list *ended)
{
	struct ended_list told = { 0 };
	struct run *run;

	while ((run = pop_ended(ended))) {
		if (tell(set, run))
			cue_run_push_ended(&told, run);
		else
			keep_untold(set, run);
	}
	*ended = told;
}

/** If no run of the playlist is running, start the oldest waiting one. */
static void start_waiting(struct playlist *playlist, struct ended_list *ended)
{
	while (playlist->n_running == 0 && playlist->runs.first) {
		struct run *run = playlist->runs.first;
		struct run_end end = { .reason = CUE_STOP_CANCELLED };
		struct ended_list refused = { 0 };
		int r = cue_run_begin(run);

		if (r >= 0)
			return;
		end.detail = r == -ELOOP ? "cascade" : "limit";
		end.cause_seq = run->cause_seq;
		end.depth = run->depth;
		cue_run_detach(run, &end, &refused);
		cue_run_tell_ended(playlist->set, &refused);
		while ((run = pop_ended(&refused)))
			cue_run_push_ended(ended, run);
	}
}

void cue_run_finish_ended(struct ended_list *ended)
{
	struct run *run;

	for (run = ended->first; run; run = run->next_ended) {
		if (run->def->playlist)
			start_waiting(run->def->playlist, ended);
	}
	while ((run = pop_ended(ended))) {
		if (run->request.on_stopped)
			run->request.on_stopped(run->request.user,
			                        &(struct cue_run_result){
			                                .run = run->id,
			                                .reason = run->end.reason,
			                                .detail = run->end.detail,
			                                .emitted_count = run->emitted_count,
			                                .skipped_count = run->skipped_count,
			                        });
		cue_run_free(run);
	}
}

/* ---- order of creation ---- */

static struct run *merge(struct run *a, struct run *b)
{
	struct run *first = NULL, **tail = &first;

	while (a && b) {
		struct run **least = a->number <= b->number ? &a : &b;

		*tail = *least;
		tail = &(*least)->next_ended;
		*least = (*least)->next_ended;
	}
	*tail = a ? a : b;
	return first;
}

/* Bottom-up merge sort of a linked list (Knuth, TAOCP vol. 3, 5.2.4): it
 * allocates nothing, so an interrupt can't fail for lack of memory. */
struct run *cue_run_sort(struct run *run)
{
	struct run *piles[64] = { 0 };
	struct run *sorted = NULL;

	while (run) {
		struct run *carry = run;
		size_t i = 0;

		run = run->next_ended;
		carry->next_ended = NULL;
		for (; piles[i]; i++) {
			carry = merge(piles[i], carry);
			piles[i] = NULL;
		}
		piles[i] = carry;
	}
	for (size_t i = 0; i < sizeof(piles) / sizeof(*piles); i++)
		sorted = merge(piles[i], sorted);
	return sorted;
}

void cue_run_end_all(struct cue_playlists *set, struct ended_list *ended)
{
	ended->first = cue_run_sort(ended->first);
	cue_run_tell_ended(set, ended); /* sets `last` again */
	cue_run_finish_ended(ended);
}
