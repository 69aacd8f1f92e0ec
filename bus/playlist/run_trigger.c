/* SPDX-License-Identifier: Apache-2.0 */
/* The data of the event that started a run, kept while the run is active: a waiting run quotes it
 * in its `created`, a journal keeps it for the next boot.
 *
 *   run      | data                     | then
 *   ---------+--------------------------+--------------------------------------
 *   begins   | fits in trigger_bytes    | kept, counted once for all its runs
 *   or waits | does not                 | dropped, counted, `omitted` is LIMIT
 *   ends     | kept, by the last run    | no longer counted
 *
 * A run that begins at once quotes the data before it can be dropped. */
#include "playlist_internal.h"

#include "payload_internal.h"

static void keep(struct run *run)
{
	struct told_event *trigger = &run->request.trigger;
	struct cue_playlists *set = run->set;
	size_t bytes;

	if (run->keeps_trigger || !trigger->data)
		return;
	run->keeps_trigger = true;
	if (!cue_payload_keep(trigger->data))
		return;
	bytes = cue_payload_size(trigger->data);
	set->stats.trigger_bytes += bytes;
	if (set->stats.trigger_bytes <= cue_bus_limits(set->bus)->trigger_bytes)
		return;
	cue_run_release_trigger(run);
	trigger->omitted = CUE_OMITTED_LIMIT;
	set->stats.triggers_dropped++;
}

void cue_run_release_trigger(struct run *run)
{
	struct told_event *trigger = &run->request.trigger;

	if (run->keeps_trigger && cue_payload_release(trigger->data))
		run->set->stats.trigger_bytes -= cue_payload_size(trigger->data);
	run->keeps_trigger = false;
	trigger->data = cue_payload_unref(trigger->data);
}

void cue_run_become_active(struct run *run)
{
	keep(run);
	cue_run_observe_active(run);
}
