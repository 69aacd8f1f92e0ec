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
 * @param ret_again set if the producer comes twice within the window.
 * @return false if the kept event is later and therefore stays. */
static bool drop_of_producer(struct simultaneous *s, const struct cue_event *event, bool *ret_again)
{
	for (size_t i = 0; i < s->kept.n; i++) {
		if (s->events[i].producer_id != event->producer_id)
			continue;
		if (s->events[i].time_ns > event->time_ns)
			return false;
		*ret_again = event->time_ns - s->events[i].time_ns <= s->window_ns;
		cue_gesture_kept_drop(&s->kept, i, 1);
		return true;
	}
	return true;
}

/** @return 0; -ENOMEM. */
static int drop_too_old(struct gesture *gesture, struct simultaneous *s, bool again)
{
	uint64_t newest_ns = s->events[s->kept.n - 1].time_ns, gap_ns = 0;
	struct near_miss miss = { .reason = "same_producer", .required = s->required };
	size_t drop = 0;

	for (; newest_ns - s->events[drop].time_ns > s->window_ns; drop++)
		gap_ns = newest_ns - s->events[drop].time_ns;
	cue_gesture_kept_drop(&s->kept, 0, drop);
	miss.count = s->kept.n;
	if (cue_gesture_is_near(gesture, gap_ns, s->window_ns)) {
		miss.reason = "window";
		miss.exceeded_ns = gap_ns - s->window_ns;
	} else if (!again || !gesture->tells_near_misses) {
		return 0;
	}
	return s->kept.n < s->required ? cue_gesture_near_miss(gesture, &miss) : 0;
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct simultaneous *s = gesture->impl;
	bool again = false;
	int r;

	(void)roles;
	if (!cue_match_eval(s->match, event->payload) || !drop_of_producer(s, event, &again))
		return 0;
	cue_gesture_kept_insert(&s->kept, event);
	r = drop_too_old(gesture, s, again);
	if (s->kept.n < s->required)
		return r;
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

const struct gesture_kind cue_gesture_kind_simultaneous = { init, handle, clear, NULL };
