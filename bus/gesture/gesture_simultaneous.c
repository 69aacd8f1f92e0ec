/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simultaneous: events of `required` distinct producers within one window.
 *
 * It keeps, in order of time, the latest event of each producer, and only those within the window
 * of the newest. With `required` events it fires and drops all, so it keeps fewer than that between
 * events, however many producers there are.
 */
#include "gesture_internal.h"

#include <errno.h>
#include <stdlib.h>

struct simultaneous {
	struct cue_match *match; /* NULL: every event counts */
	uint64_t window_ns;
	size_t required;
	struct gesture_cooldown cooldown;
	struct gesture_kept kept;
	struct cue_event events[]; /* room for `required` */
};

static int init(struct gesture *gesture, const struct cue_gesture_config *config)
{
	struct simultaneous *s =
	        calloc(1, sizeof(*s) + config->required_sources * sizeof(s->events[0]));
	int r = 0;

	gesture->impl = s;
	gesture->ordered = true;
	if (!s)
		return -ENOMEM;
	s->window_ns = config->window_ns;
	s->required = config->required_sources;
	s->kept.events = s->events;
	cue_gesture_kept_begin(&s->kept, gesture, 0);
	if (config->source.match)
		r = cue_match_new(config->source.match, &s->match, NULL);
	if (r >= 0)
		r = cue_gesture_add_input(gesture, config->source.type, GESTURE_ROLE_SOURCE);
	return r;
}

/** Make room for a producer's event.
 * @return false if the kept event is later and therefore stays. */
static bool drop_of_producer(struct simultaneous *s, const struct cue_event *event)
{
	for (size_t i = 0; i < s->kept.n; i++) {
		if (s->events[i].producer_id != event->producer_id)
			continue;
		if (s->events[i].time_ns > event->time_ns)
			return false;
		cue_gesture_kept_drop(&s->kept, i, 1);
		return true;
	}
	return true;
}

static void drop_too_old(struct simultaneous *s)
{
	uint64_t newest_ns = s->events[s->kept.n - 1].time_ns;
	size_t drop = 0;

	while (newest_ns - s->events[drop].time_ns > s->window_ns)
		drop++;
	cue_gesture_kept_drop(&s->kept, 0, drop);
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct simultaneous *s = gesture->impl;
	int r;

	(void)roles;
	if (!cue_match_eval(s->match, event->payload) || !drop_of_producer(s, event))
		return 0;
	cue_gesture_kept_insert(&s->kept, event);
	drop_too_old(s);
	if (s->kept.n < s->required)
		return 0;
	r = cue_gesture_fire_events(gesture, &s->cooldown, "events", &s->kept, 0);
	cue_gesture_kept_clear(&s->kept);
	return r;
}

static void clear(struct gesture *gesture)
{
	struct simultaneous *s = gesture->impl;

	if (!s)
		return;
	cue_gesture_kept_end(&s->kept);
	cue_match_free(s->match);
	free(s);
}

const struct gesture_kind cue_gesture_kind_simultaneous = { init, handle, clear };
