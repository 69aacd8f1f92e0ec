/* SPDX-License-Identifier: Apache-2.0 */
/* How an event affects playlists: interrupts first (CUE_PRIORITY_INTERRUPT), then triggers
 * (CUE_PRIORITY_TRIGGER), so an event that is both stops the active run and starts a new one. An
 * interrupt never ends a run that the same event has started, whatever the priority of the handler
 * that started it.
 *
 * The debounce of interrupts is per source, because a single contact bounces. So for each type and
 * producer the playlist remembers the last interrupt that stopped a run:
 *
 *   event time         | same type and producer         | another
 *   later, by less     | ignored                        | stops
 *   later, by as much  | stops                          | stops
 *   equal or earlier   | stops: an input with the longer| stops
 *                      | debounce comes late            |
 *
 * A definition without any debounce remembers nothing, which costs it nothing: if a redefinition
 * adds one, the first interrupt of each source stops runs, which is the safe side.
 *
 * Producers come from outside, so the number of sources is bounded. An evicted source is not
 * debounced: its next interrupt stops runs as well. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>

/** Sources of interrupts that a playlist distinguishes for its debounce. */
#define PAST_INTERRUPTS_MAX 32U

static bool any_matches(const struct playlist_filter *filters, size_t n,
                        const struct type_node *node, const struct cue_event *event)
{
	for (size_t i = 0; i < n; i++) {
		if (filters[i].node == node && cue_match_eval(filters[i].match, event->payload))
			return true;
	}
	return false;
}

int cue_playlist_on_trigger(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct type_node *node = cue_type_node_ref(user);
	uint64_t order = 0;
	size_t i;
	int ret = 0;

	/* A callback may define and remove playlists: find the place again each time, and skip
	 * triggers added in this dispatch until the next event. */
	while ((i = cue_type_node_find_trigger(node, order)) < node->n_triggers) {
		const struct trigger_entry *entry = &node->triggers[i];
		struct run_request request = {
			.cause = CUE_CAUSE_TRIGGER,
			.trigger = { .type = event->type,
			             .producer_id = event->producer_id,
			             .data = event->payload },
		};
		const struct playlist_def *def;
		struct cue_id id;
		int r;

		order = entry->order + 1;
		if (entry->since == bus->stats.events)
			continue;
		def = entry->playlist->def;
		if (!any_matches(def->triggers, def->n_triggers, node, event))
			continue;
		r = cue_run_start(entry->playlist, &request, &id);
		/* `rejected` or the bus itself reports other errors. */
		if (r == -ENOMEM || r == -EIO)
			ret = r;
	}
	cue_type_node_unref(node);
	return ret;
}

/* ---- the debounce ---- */

static struct past_interrupt *find_past(const struct playlist *playlist,
                                        const struct cue_event *event)
{
	for (size_t i = 0; i < playlist->n_past; i++) {
		struct past_interrupt *past = &playlist->past_interrupts[i];

		if (past->type == event->type && past->producer_id == event->producer_id)
			return past;
	}
	return NULL;
}

/** Make a place for one more, evicting the oldest if there are too many. NULL: no memory. */
static struct past_interrupt *add_past(struct playlist *playlist)
{
	struct past_interrupt *oldest = playlist->past_interrupts;

	if (playlist->n_past == playlist->cap_past && playlist->cap_past < PAST_INTERRUPTS_MAX) {
		size_t cap = playlist->cap_past ? 2 * playlist->cap_past : 2;
		struct past_interrupt *past =
		        reallocarray(playlist->past_interrupts, cap, sizeof(*past));

		if (!past)
			return NULL;
		playlist->past_interrupts = past;
		playlist->cap_past = cap;
	}
	if (playlist->n_past < playlist->cap_past)
		return &playlist->past_interrupts[playlist->n_past++];
	for (size_t i = 1; i < playlist->n_past; i++) {
		if (playlist->past_interrupts[i].time_ns < oldest->time_ns)
			oldest = &playlist->past_interrupts[i];
	}
	return oldest;
}

/** The event has stopped runs of the playlist. */
static void remember(struct playlist *playlist, const struct cue_event *event)
{
	struct past_interrupt *past = find_past(playlist, event);

	if (past) {
		if (event->time_ns > past->time_ns)
			past->time_ns = event->time_ns;
		return;
	}
	past = add_past(playlist);
	if (past)
		*past = (struct past_interrupt){ event->type, event->producer_id, event->time_ns };
}

/** Whether the event stops the runs on a version of a definition. */
static bool interrupts(const struct playlist_def *def, const struct type_node *node,
                       const struct cue_event *event)
{
	const struct past_interrupt *past = def->debounces ? find_past(def->playlist, event) : NULL;
	bool debounced = false;

	for (size_t i = 0; i < def->n_interrupts; i++) {
		const struct playlist_filter *filter = &def->interrupts[i];

		if (filter->node != node || !cue_match_eval(filter->match, event->payload))
			continue;
		if (!past || event->time_ns <= past->time_ns ||
		    event->time_ns - past->time_ns >= filter->debounce_ns)
			return true;
		debounced = true;
	}
	if (debounced)
		node->set->stats.interrupts_debounced++;
	return false;
}

static void detach_all(const struct playlist_def *def, const struct run_end *end,
                       struct ended_list *ended)
{
	uint64_t dispatch = def->playlist->set->bus->stats.events;

	for (struct run *run = def->runs.first, *next; run; run = next) {
		next = run->in[RUNS_OF_VERSION].next;
		if (run->asked_in != dispatch)
			cue_run_detach(run, end, ended);
	}
}

int cue_playlist_on_interrupt(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct type_node *node = user;
	struct cue_playlists *set = node->set;
	struct ended_list ended = { 0 };
	struct run_end end = { .reason = CUE_STOP_INTERRUPTED };
	const struct told_event by = { .type = event->type,
		                       .producer_id = event->producer_id,
		                       .data = event->payload };

	if (!node->live) {
		set->stats.interrupts_redundant++;
		return 0;
	}
	cue_bus_current_cause(bus, &end.cause_seq, &end.depth);
	for (struct interrupt_link *link = node->live, *next; link; link = next) {
		/* The detached runs keep the definition, so `link` stays. */
		next = link->next;
		if (!interrupts(link->def, node, event))
			continue;
		if (!end.interrupt.type)
			end.interrupt = cue_lifecycle_quote(bus, &by);
		detach_all(link->def, &end, &ended);
	}
	for (const struct run *run = ended.first; run; run = run->next_ended) {
		if (run->def->debounces)
			remember(run->def->playlist, event);
	}
	/* The last run of a version takes its links with it, and a callback may do anything. */
	cue_type_node_ref(node);
	cue_run_end_all(set, &ended);
	cue_payload_unref(end.interrupt.data);
	cue_playlist_on_steering(node, event);
	cue_type_node_unref(node);
	return 0;
}
