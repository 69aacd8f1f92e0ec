/* SPDX-License-Identifier: Apache-2.0 */
/* What an event does to playlists: interrupts first (CUE_PRIORITY_INTERRUPT),
 * then triggers (CUE_PRIORITY_TRIGGER), so an event that is both stops the run
 * there is and starts a new one. An interrupt never ends a run that the same
 * event has started, whatever the priority of the handler that started it. */
#include "playlist_internal.h"

#include <errno.h>

static bool any_matches(const struct playlist_filter *filters, size_t n,
                        const struct type_node *node, const struct cue_event *event)
{
	for (size_t i = 0; i < n; i++) {
		if (filters[i].node == node && cue_match_eval(filters[i].match, event->payload))
			return true;
	}
	return false;
}

int playlist_on_trigger(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct type_node *node = type_node_ref(user);
	uint64_t order = 0;
	size_t i;
	int ret = 0;

	/* A callback may define and remove meanwhile: find the place anew each
	 * time, and leave what was added in this dispatch for the next event. */
	while ((i = type_node_find_trigger(node, order)) < node->n_triggers) {
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
		r = run_start(entry->playlist, &request, &id);
		/* The rest is told by `rejected` or by the bus itself. */
		if (r == -ENOMEM || r == -EIO)
			ret = r;
	}
	type_node_unref(node);
	return ret;
}

/** Whether the event stops the runs on a version of a definition now. */
static bool interrupts(const struct playlist_def *def, const struct type_node *node,
                       const struct cue_event *event)
{
	const struct playlist *playlist = def->playlist;

	if (!any_matches(def->interrupts, def->n_interrupts, node, event))
		return false;
	/* An event dispatched late may be older than the one before it. */
	if (playlist->was_interrupted &&
	    event->time_ns < playlist->interrupted_ns + def->interrupt_debounce_ns &&
	    def->interrupt_debounce_ns > 0) {
		node->set->stats.interrupts_debounced++;
		return false;
	}
	return true;
}

static void detach_all(const struct playlist_def *def, const struct run_end *end,
                       struct ended_list *ended)
{
	uint64_t dispatch = def->playlist->set->bus->stats.events;

	for (struct run *run = def->runs.first, *next; run; run = next) {
		next = run->in[RUNS_OF_VERSION].next;
		if (run->asked_in != dispatch)
			run_detach(run, end, ended);
	}
}

int playlist_on_interrupt(void *user, struct cue_bus *bus, const struct cue_event *event)
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
	run_current_cause(bus, &end.cause_seq, &end.depth);
	for (struct interrupt_link *link = node->live, *next; link; link = next) {
		/* The detached runs keep the definition, so `link` stays. */
		next = link->next;
		if (!interrupts(link->def, node, event))
			continue;
		if (!end.interrupt.type)
			end.interrupt = lifecycle_quote(bus, &by);
		detach_all(link->def, &end, &ended);
	}
	for (const struct run *run = ended.first; run; run = run->next_ended) {
		run->def->playlist->was_interrupted = true;
		run->def->playlist->interrupted_ns = event->time_ns;
	}
	run_end_all(set, &ended);
	cue_payload_unref(end.interrupt.data);
	return 0;
}
