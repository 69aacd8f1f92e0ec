/* SPDX-License-Identifier: Apache-2.0 */
/* Gated playlist: starts a playlist on a gate event whose condition holds. Each gate event is
 * tested by itself, so none waits for an earlier one. */
#include "gesture_internal.h"

#include <cuebus/playlist.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gated_playlist {
	struct cue_when *when; /* NULL: the default predicate on the gate event */
	char *playlist;
	bool cancel_active_runs;
	struct gesture_cooldown cooldown;
};

static int init(struct gesture *gesture, const struct cue_gesture_config *config)
{
	struct gated_playlist *gated = calloc(1, sizeof(*gated));
	int r = 0;

	gesture->impl = gated;
	if (!gated)
		return -ENOMEM;
	gated->cancel_active_runs = config->cancel_active_runs;
	gated->playlist = strdup(config->playlist);
	if (!gated->playlist)
		return -ENOMEM;
	if (config->when)
		r = cue_when_new(config->when, &gated->when, NULL);
	for (size_t i = 0; r >= 0 && i < config->n_gate; i++)
		r = cue_gesture_add_input(gesture, config->gate[i], GESTURE_ROLE_GATE);
	return r;
}

static int start(struct gesture *gesture, struct gated_playlist *gated,
                 const struct cue_event *event)
{
	struct cue_playlists *playlists = gesture->registry->playlists;
	int r;

	if (gated->cancel_active_runs) {
		r = cue_playlist_stop(playlists, gated->playlist, "gate", NULL, NULL);
		if (r < 0)
			return r;
		/* A run's on_stopped may have removed or redefined this gesture. */
		if (gesture->removed)
			return 0;
	}
	r = cue_playlist_start(playlists,
	                       &(struct cue_playlist_start){
	                               .name = gated->playlist,
	                               .cause = CUE_CAUSE_GESTURE,
	                               .trigger_type = cue_event_type_name(event),
	                               .trigger_producer_id = event->producer_id,
	                               .trigger_data = event->payload,
	                       },
	                       NULL);
	if (r >= 0)
		cue_gesture_fired(gesture, &gated->cooldown, event->time_ns);
	/* event.playlist.rejected reports a start that the mode refuses. */
	return r == -EBUSY ? 0 : r;
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct gated_playlist *gated = gesture->impl;
	bool holds = gated->when ? cue_when_eval(gated->when, gesture->bus)
	                         : cue_payload_gate(event->payload);

	(void)roles;
	if (!holds || !cue_gesture_may_fire(gesture, &gated->cooldown, event->time_ns))
		return 0;
	return start(gesture, gated, event);
}

static void clear(struct gesture *gesture)
{
	struct gated_playlist *gated = gesture->impl;

	if (!gated)
		return;
	cue_when_free(gated->when);
	free(gated->playlist);
	free(gated);
}

const struct gesture_kind cue_gesture_kind_gated_playlist = { init, handle, clear, NULL };
