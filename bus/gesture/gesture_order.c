/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events reach a detector in the order of their times.
 *
 * A debounced input's event is dispatched after its debounce with the time of its first edge, so
 * inputs with different debounce are not dispatched in the order of their times. A gesture with
 * such sources holds each event for `wait_ns` after the event's time, while an earlier one may
 * still come (gesture_delays.c computes the wait), and handles the held events by time.
 *
 *   wait | held | an event                                     | then
 *   0    | none | any                                          | taken at once
 *   any  | any  | fits                                         | held in the order of time, of
 *        |      |                                              | equal times behind
 *   any  | full | later than the oldest held                   | the oldest is taken early, again
 *   any  | full | earlier, or none is held                     | taken at once
 *
 * Then every event whose wait is over is handled: ordered by the end of the wait, then by the
 * gesture's priority, then by the order of definition. One timer on the bus serves all gestures;
 * those that hold events are in a heap.
 *
 * An event that comes even later (its contact bounced for longer than the debounce) is handled at
 * once; each detector documents how.
 */
#include "gesture_internal.h"

#include <errno.h>
#include <stdlib.h>

struct gesture_held {
	struct cue_event event;
	unsigned roles;
};

static struct gesture_held *at(const struct gesture_order *hold, size_t i)
{
	return &hold->ring[(hold->head + i) & (hold->cap - 1)];
}

static uint64_t due_ns(const struct gesture *gesture)
{
	uint64_t time_ns = at(&gesture->hold, 0)->event.time_ns;
	uint64_t wait_ns = gesture->hold.wait_ns;

	return time_ns > UINT64_MAX - wait_ns ? UINT64_MAX : time_ns + wait_ns;
}

/* ---- the heap of gestures that hold events ---- */

static bool goes_before(const struct gesture *a, const struct gesture *b)
{
	uint64_t a_ns = due_ns(a), b_ns = due_ns(b);

	if (a_ns != b_ns)
		return a_ns < b_ns;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->order < b->order;
}

static void put(struct cue_gestures *gestures, size_t place, struct gesture *gesture)
{
	gestures->holding[place] = gesture;
	gesture->hold.place = place;
}

/** Restore the heap order for the gesture at @p place. */
static void sift(struct cue_gestures *gestures, size_t place)
{
	struct gesture *gesture = gestures->holding[place];

	while (place > 0 && goes_before(gesture, gestures->holding[(place - 1) / 2])) {
		put(gestures, place, gestures->holding[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * place + 1;

		if (child + 1 < gestures->n_holding &&
		    goes_before(gestures->holding[child + 1], gestures->holding[child]))
			child++;
		if (child >= gestures->n_holding || !goes_before(gestures->holding[child], gesture))
			break;
		put(gestures, place, gestures->holding[child]);
		place = child;
	}
	put(gestures, place, gesture);
}

static void leave_heap(struct gesture *gesture)
{
	struct cue_gestures *gestures = gesture->registry;
	size_t place = gesture->hold.place;

	gestures->n_holding--;
	if (place == gestures->n_holding)
		return;
	put(gestures, place, gestures->holding[gestures->n_holding]);
	sift(gestures, place);
}

static void arm(struct cue_gestures *gestures)
{
	if (gestures->n_holding > 0)
		cue_timer_arm(gestures->hold_timer, due_ns(gestures->holding[0]));
	else
		cue_timer_disarm(gestures->hold_timer);
}

/* ---- one gesture's events ---- */

/** Make room for one more event. @return 0; -ENOMEM. */
static int reserve(struct gesture *gesture)
{
	struct cue_gestures *gestures = gesture->registry;
	struct gesture_order *hold = &gesture->hold;

	if (hold->n == 0 && gestures->n_holding == gestures->cap_holding) {
		size_t cap = gestures->cap_holding ? 2 * gestures->cap_holding : 16;
		struct gesture **holding =
		        reallocarray(gestures->holding, cap, sizeof(struct gesture *));

		if (!holding)
			return -ENOMEM;
		gestures->holding = holding;
		gestures->cap_holding = cap;
	}
	if (hold->n == hold->cap) {
		size_t cap = hold->cap ? 2 * hold->cap : 16;
		struct gesture_held *ring = calloc(cap, sizeof(*ring));

		if (!ring)
			return -ENOMEM;
		for (size_t i = 0; i < hold->n; i++)
			ring[i] = *at(hold, i);
		free(hold->ring);
		hold->ring = ring;
		hold->head = 0;
		hold->cap = cap;
	}
	return 0;
}

static void count(struct gesture *gesture, const struct cue_event *event, bool held)
{
	struct cue_gestures_stats *stats = &gesture->registry->stats;
	size_t bytes = cue_payload_size(event->payload);

	if (held) {
		gesture->hold.bytes += bytes;
		stats->held_bytes += bytes;
		stats->held_events++;
	} else {
		gesture->hold.bytes -= bytes;
		stats->held_bytes -= bytes;
		stats->held_events--;
	}
}

/** Insert an event; the caller has made room. */
static void insert(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct cue_gestures *gestures = gesture->registry;
	struct gesture_order *hold = &gesture->hold;
	size_t i = hold->n++;

	for (; i > 0 && at(hold, i - 1)->event.time_ns > event->time_ns; i--)
		*at(hold, i) = *at(hold, i - 1);
	*at(hold, i) = (struct gesture_held){ *event, roles };
	cue_payload_ref(event->payload);
	count(gesture, event, true);
	if (hold->n == 1)
		put(gestures, gestures->n_holding++, gesture);
	if (i == 0)
		sift(gestures, hold->place);
}

static struct gesture_held pop(struct gesture *gesture)
{
	struct gesture_order *hold = &gesture->hold;
	struct gesture_held held = *at(hold, 0);

	if (hold->n == 1)
		leave_heap(gesture);
	hold->head = (hold->head + 1) & (hold->cap - 1);
	hold->n--;
	count(gesture, &held.event, false);
	if (hold->n > 0)
		sift(gesture->registry, hold->place);
	return held;
}

/** Remove the oldest held event and handle it. */
static void take(struct gesture *gesture)
{
	struct gesture_held held = pop(gesture);
	int r = cue_gesture_handle(gesture, held.roles, &held.event);

	if (r < 0)
		cue_bus_handler_failed(gesture->bus, r, &held.event, gesture->name);
	cue_payload_unref(held.event.payload);
}

static void take_due(struct cue_gestures *gestures, uint64_t now_ns)
{
	while (gestures->n_holding > 0 && due_ns(gestures->holding[0]) <= now_ns)
		take(gestures->holding[0]);
	arm(gestures);
}

static bool is_full(const struct gesture *gesture, const struct cue_event *event)
{
	const struct cue_gestures_stats *all = &gesture->registry->stats;
	const struct gesture_order *hold = &gesture->hold;
	size_t bytes = cue_payload_size(event->payload);

	return hold->n >= CUE_GESTURE_HELD_MAX ||
	       hold->bytes + bytes > CUE_GESTURE_HELD_BYTES_MAX ||
	       all->held_events >= CUE_GESTURES_HELD_MAX ||
	       all->held_bytes + bytes > CUE_GESTURES_HELD_BYTES_MAX;
}

static int take_early(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	gesture->registry->stats.taken_early++;
	return cue_gesture_handle(gesture, roles, event);
}

int cue_gesture_order(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct gesture_order *hold = &gesture->hold;

	if (hold->wait_ns == 0 && hold->n == 0)
		return cue_gesture_handle(gesture, roles, event);
	while (is_full(gesture, event)) {
		if (hold->n == 0 || event->time_ns < at(hold, 0)->event.time_ns)
			return take_early(gesture, roles, event);
		gesture->registry->stats.taken_early++;
		take(gesture);
	}
	if (reserve(gesture) < 0)
		return take_early(gesture, roles, event);
	insert(gesture, roles, event);
	take_due(gesture->registry, cue_bus_now(gesture->bus));
	return 0;
}

void cue_gesture_order_set_wait(struct gesture *gesture, uint64_t wait_ns)
{
	if (wait_ns == gesture->hold.wait_ns)
		return;
	gesture->hold.wait_ns = wait_ns;
	if (gesture->hold.n == 0)
		return;
	sift(gesture->registry, gesture->hold.place);
	arm(gesture->registry);
}

void cue_gesture_order_clear(struct gesture *gesture)
{
	if (gesture->hold.n == 0)
		return;
	leave_heap(gesture);
	for (size_t i = 0; i < gesture->hold.n; i++) {
		count(gesture, &at(&gesture->hold, i)->event, false);
		cue_payload_unref(at(&gesture->hold, i)->event.payload);
	}
	gesture->hold.n = 0;
	arm(gesture->registry);
}

void cue_gesture_order_due(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	(void)deadline_ns;
	take_due(user, cue_bus_now(bus));
}
