/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_under_test.h"

#include <math.h>
#include <string.h>

void invariants_fail(struct invariants *inv, const char *text, uint64_t seq)
{
	if (!*inv->failure)
		snprintf(inv->failure, sizeof(inv->failure), "%s (seq %llu)", text,
		         (unsigned long long)seq);
}

int invariants_run(struct invariants *inv, const char *id)
{
	for (int i = 0; i < inv->n_runs; i++) {
		if (strcmp(inv->runs[i].id, id) == 0)
			return i;
	}
	if (inv->n_runs == INV_RUNS) {
		invariants_fail(inv, "more runs than the model has", 0);
		return 0;
	}
	snprintf(inv->runs[inv->n_runs].id, CUE_ID_TEXT_SIZE, "%s", id);
	return inv->n_runs++;
}

static const char *text_of(const cJSON *json, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

	return text ? text : "";
}

static int64_t number_of(const cJSON *json, const char *key)
{
	return (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static void require(struct invariants *inv, bool holds, const char *text,
                    const struct cue_event *event)
{
	if (!holds)
		invariants_fail(inv, text, event->seq);
}

static void see_emitted(struct invariants *inv, struct inv_run *run, const struct cue_event *event,
                        const cJSON *json)
{
	const struct cue_event *step = &inv->previous;
	double offset = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, "offset"));

	require(inv, run->created && !run->stopped, "emitted outside of the run's life", event);
	require(inv,
	        step->type && strcmp(cue_event_type_name(step), text_of(json, "event_type")) == 0,
	        "emitted does not follow its step's event", event);
	require(inv, step->producer_id == (uint32_t)number_of(json, "producer_id"),
	        "emitted tells another producer", event);
	require(inv, event->cause_seq == step->seq, "emitted is not caused by its step", event);
	require(inv, step->cause_seq == run->created_seq, "a step is not caused by created", event);
	require(inv,
	        run->steered || (uint64_t)llround(offset * 1e9) == event->time_ns - run->created_ns,
	        "emitted at another time than scheduled", event);
	run->emitted++;
}

static void see_stopped(struct invariants *inv, struct inv_run *run, const struct cue_event *event,
                        const cJSON *json)
{
	bool completed = strcmp(text_of(json, "reason"), "completed") == 0;
	const cJSON *skipped = cJSON_GetObjectItemCaseSensitive(json, "skipped_count");

	require(inv, !run->stopped, "a second stopped", event);
	require(inv, !run->rejected, "a rejected run stopped", event);
	require(inv, run->created || !completed, "completed but never created", event);
	require(inv, run->emitted == number_of(json, "emitted_count"), "emitted_count is wrong",
	        event);
	if (skipped)
		inv->skipped += (uint64_t)cJSON_GetNumberValue(skipped);
	run->stopped = true;
	run->stopped_seq = event->seq;
}

static void see_lifecycle(struct invariants *inv, struct inv_run *run,
                          const struct cue_event *event, const cJSON *json)
{
	const char *kind = cue_event_type_name(event) + sizeof("event.playlist.") - 1;

	require(inv, event->producer_id == 0 && event->origin == 0, "producer or origin", event);
	if (strcmp(kind, "created") == 0) {
		require(inv, !run->created && !run->stopped && !run->rejected,
		        "created twice or late", event);
		run->created = true;
		run->created_seq = event->seq;
		run->created_ns = event->time_ns;
	} else if (strcmp(kind, "emitted") == 0) {
		see_emitted(inv, run, event, json);
	} else if (strcmp(kind, "stopped") == 0) {
		see_stopped(inv, run, event, json);
	} else if (cJSON_HasObjectItem(json, "offset")) {
		require(inv, run->created && !run->stopped, "steered outside of the run's life",
		        event);
		run->steered = true;
	} else {
		require(inv, !run->created && !run->stopped && !run->rejected,
		        "rejected bears the id of another run", event);
		run->rejected = true;
	}
}

void invariants_see(struct invariants *inv, const struct cue_event *event, const cJSON *json)
{
	const char *id = text_of(json, "playlist_id");
	int stopped = -1;

	require(inv, event->seq == inv->previous.seq + 1, "a gap in seq", event);
	require(inv, event->time_ns >= inv->previous.time_ns, "time goes back", event);
	if (*id) {
		int i = invariants_run(inv, id);
		struct inv_run *run = &inv->runs[i];

		if (strncmp(cue_event_type_name(event), "event.", 6) == 0) {
			bool was = run->stopped;

			see_lifecycle(inv, run, event, json);
			stopped = run->stopped && !was ? i : -1;
		} else {
			require(inv, inv->previous_stopped == i,
			        "completion does not follow stopped", event);
			require(inv, event->cause_seq == run->stopped_seq, "completion's cause",
			        event);
		}
	}
	inv->previous_stopped = stopped;
	inv->previous = *event;
	inv->previous.payload = NULL;
}

void invariants_finish(struct invariants *inv, const struct cue_bus *bus,
                       const struct cue_playlists *playlists)
{
	struct cue_bus_stats stats;
	struct cue_playlists_stats counts;
	uint64_t started = 0, stopped = 0, rejected = 0, emitted = 0;

	cue_bus_get_stats(bus, &stats);
	cue_playlists_get_stats(playlists, &counts);
	for (int i = 0; i < inv->n_runs; i++) {
		const struct inv_run *run = &inv->runs[i];

		if (run->created && !run->stopped)
			invariants_fail(inv, "a run without stopped", run->created_seq);
		started += run->created;
		stopped += run->stopped;
		rejected += run->rejected;
		emitted += (uint64_t)run->emitted;
	}
	if (stats.timers_armed != 0 || cue_bus_next_deadline(bus) != CUE_TIME_NONE)
		invariants_fail(inv, "a timer is left behind", 0);
	if (counts.active_runs != 0)
		invariants_fail(inv, "active runs are left", 0);
	if (counts.started != started || counts.rejected != rejected ||
	    counts.steps_emitted != emitted ||
	    counts.completed + counts.interrupted + counts.cancelled != stopped ||
	    counts.steps_skipped != inv->skipped)
		invariants_fail(inv, "the counters tell something else than the events", 0);
}
