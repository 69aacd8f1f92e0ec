/* SPDX-License-Identifier: Apache-2.0 */
/* `on`: events that steer the running runs of a playlist.
 *
 *   value of `seek`, `tempo` | taken from
 *   -------------------------+-----------------------------------------------------------
 *   fixed                    | the definition
 *   a pointer                | the event's data: a number, seconds or a factor
 *   a pointer, and there is  | nothing: the event is ignored, and counted
 *   no number in range       |
 *
 * An event steers after its interrupts have acted and before it triggers, so it never steers a run
 * that it starts. It steers the runs of each definition by the version with which they began. */
#include "playlist_internal.h"

#include <cjson/cJSON.h>

/** Read the value from the event's data. @return false: there is none in range. */
static bool take_value(const struct playlist_steering *steering, const struct cue_event *event,
                       struct cue_steer *steer)
{
	const uint64_t most_s = CUE_DURATION_MAX_NS / CUE_NS_PER_S;
	const cJSON *value;
	double number;

	if (!steering->pointer)
		return true;
	if (cue_pointer_get(steering->pointer, event->payload, &value) < 0 ||
	    !cJSON_IsNumber(value))
		return false;
	number = value->valuedouble;
	if (steer->action == CUE_STEER_SEEK) {
		if (!(number >= 0 && number <= (double)most_s))
			return false;
		steer->offset_ns = (uint64_t)(number * (double)CUE_NS_PER_S + 0.5);
		return true;
	}
	if (!(number >= 0.01 && number <= 100))
		return false;
	steer->tempo = (uint32_t)(number * CUE_TEMPO_AS_WRITTEN + 0.5);
	return true;
}

static const struct playlist_steering *find_steering(const struct playlist_def *def,
                                                     const struct type_node *node)
{
	for (size_t i = 0; i < def->n_steerings; i++) {
		if (def->steerings[i].node == node)
			return &def->steerings[i];
	}
	return NULL;
}

/** The running runs that the type steers, but none that the same event has started. */
static struct run *collect(const struct type_node *node)
{
	uint64_t dispatch = node->set->bus->stats.events;
	struct ended_list runs = { 0 };

	for (const struct interrupt_link *link = node->live; link; link = link->next) {
		if (!find_steering(link->def, node))
			continue;
		for (struct run *run = link->def->runs.first; run;
		     run = run->in[RUNS_OF_VERSION].next) {
			if (run->phase == RUN_RUNNING && run->asked_in != dispatch)
				cue_run_push_ended(&runs, run);
		}
	}
	return cue_run_sort(runs.first);
}

void cue_playlist_on_steering(struct type_node *node, const struct cue_event *event)
{
	struct cue_bus *bus = node->set->bus;

	cue_bus_begin(bus);
	for (struct run *run = collect(node), *next; run; run = next) {
		const struct playlist_steering *steering = find_steering(run->def, node);
		struct cue_steer steer = steering->steer;

		next = run->next_ended;
		run->next_ended = NULL;
		if (!take_value(steering, event, &steer) || cue_run_steer_one(run, &steer) < 0)
			node->set->stats.steerings_ignored++;
	}
	cue_bus_end(bus);
}
