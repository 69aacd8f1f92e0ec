/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Double and multi tap: per producer, `count` taps in a row, each within the window of the one
 * before.
 *
 * | taps kept | a tap that is           | then                                 |
 * |-----------|-------------------------|--------------------------------------|
 * | none      | any                     | keep it                              |
 * | some      | within the window       | keep it; with `count` fire, drop all |
 * | some      | later than the window   | keep it alone                        |
 * | some      | earlier than the window | it is too old: drop it               |
 *
 * Taps are kept in order of their times, not of their arrival, so the result does not depend on the
 * order of dispatch.
 */
#include "gesture_internal.h"

#include <errno.h>
#include <stdlib.h>

struct taps {
	struct gesture_kept kept;
	struct gesture_cooldown cooldown;
	struct cue_event events[]; /* room for `count` */
};

struct tap {
	struct cue_match *match; /* NULL: every event is a tap */
	uint64_t window_ns;
	size_t count;
	struct producer_table producers;
};

static void clear_taps(void *item)
{
	cue_gesture_kept_end(&((struct taps *)item)->kept);
}

static int init(struct gesture *gesture, const struct cue_gesture_config *config)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	size_t item_size;
	int r = 0;

	gesture->impl = tap;
	gesture->ordered = true;
	if (!tap)
		return -ENOMEM;
	tap->window_ns = config->window_ns;
	tap->count = config->type == CUE_GESTURE_DOUBLE_TAP ? 2 : config->count;
	item_size = sizeof(struct taps) + tap->count * sizeof(struct cue_event);
	if (config->source.match)
		r = cue_match_new(config->source.match, &tap->match, NULL);
	if (r >= 0)
		r = cue_producer_table_init(&tap->producers, gesture->bus->limits.gesture_producers,
		                            item_size, clear_taps);
	if (r >= 0)
		r = cue_gesture_add_input(gesture, config->source.type, GESTURE_ROLE_SOURCE);
	return r;
}

/** Drop the taps before the last gap wider than the window. @return 0; -ENOMEM. */
static int drop_too_old(struct gesture *gesture, struct taps *taps)
{
	const struct tap *tap = gesture->impl;
	size_t first = taps->kept.n - 1;
	uint64_t gap_ns = 0;
	int r = 0;

	for (; first > 0; first--) {
		gap_ns = taps->events[first].time_ns - taps->events[first - 1].time_ns;
		if (gap_ns > tap->window_ns)
			break;
	}
	if (first > 0 && cue_gesture_is_near(gesture, gap_ns, tap->window_ns))
		r = cue_gesture_near_miss(
		        gesture, &(struct near_miss){ .reason = "window",
		                                      .exceeded_ns = gap_ns - tap->window_ns,
		                                      .count = first,
		                                      .required = tap->count });
	cue_gesture_kept_drop(&taps->kept, 0, first);
	return r;
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct tap *tap = gesture->impl;
	struct taps *taps;
	int r;

	(void)roles;
	if (!cue_match_eval(tap->match, event->payload))
		return 0;
	taps = cue_gesture_producer(gesture, &tap->producers, event->producer_id);
	if (!taps)
		return -ENOMEM;
	taps->kept.events = taps->events;
	cue_gesture_kept_insert(&taps->kept, event);
	r = drop_too_old(gesture, taps);
	if (taps->kept.n < tap->count)
		return r;
	r = cue_gesture_fire_events(gesture, &taps->cooldown, "events", &taps->kept,
	                            event->producer_id);
	cue_gesture_kept_clear(&taps->kept);
	return r;
}

static void clear(struct gesture *gesture)
{
	struct tap *tap = gesture->impl;

	if (!tap)
		return;
	cue_producer_table_clear(&tap->producers);
	cue_match_free(tap->match);
	free(tap);
}

const struct gesture_kind cue_gesture_kind_tap = { init, handle, clear, NULL };
