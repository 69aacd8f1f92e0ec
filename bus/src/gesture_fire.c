/* SPDX-License-Identifier: Apache-2.0 */
/* What gestures have in common when they fire: cooldown, emitting, and the
 * events they keep until then. */
#include "gesture_internal.h"

#include <string.h>

uint64_t gesture_distance_ns(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;
}

bool gesture_may_fire(struct gesture *gesture, const struct gesture_cooldown *cooldown,
                      uint64_t time_ns)
{
	if (!cooldown->fired ||
	    gesture_distance_ns(time_ns, cooldown->time_ns) >= gesture->cooldown_ns)
		return true;
	gesture->cooled_down++;
	gesture->registry->stats.cooled_down++;
	return false;
}

void gesture_fired(struct gesture *gesture, struct gesture_cooldown *cooldown, uint64_t time_ns)
{
	cooldown->fired = true;
	cooldown->time_ns = time_ns;
	gesture->fired++;
	gesture->registry->stats.fired++;
}

bool gesture_emit(struct gesture *gesture, const char *type, uint32_t producer_id,
                  struct cue_payload *payload, uint64_t time_ns)
{
	const struct cue_event *cause = gesture->handled;

	/* The event handled may have waited: it need not be the one being dispatched. */
	return cue_bus_emit_caused(gesture->bus,
	                           &(struct cue_emit){
	                                   .type = type,
	                                   .producer_id = producer_id,
	                                   .origin = gesture->origin,
	                                   .payload = payload,
	                                   .time_ns = time_ns,
	                           },
	                           cause->seq ? cause->seq : cause->cause_seq, cause->depth + 1U,
	                           NULL) >= 0;
}

/** The completing event's time: of those dispatched, the latest. */
static uint64_t latest_ns(const struct cue_event *events, size_t n)
{
	uint64_t time_ns = events[0].time_ns;

	for (size_t i = 1; i < n; i++) {
		if (events[i].time_ns > time_ns)
			time_ns = events[i].time_ns;
	}
	return time_ns;
}

int gesture_fire_events(struct gesture *gesture, struct gesture_cooldown *cooldown, const char *key,
                        const struct cue_event *events, size_t n, uint32_t producer_id)
{
	__attribute__((cleanup(cue_payload_unrefp))) struct cue_payload *payload = NULL;
	uint64_t time_ns = latest_ns(events, n);
	int r;

	if (!gesture_may_fire(gesture, cooldown, time_ns))
		return 0;
	r = gesture_payload_events(gesture, key, events, n, &payload);
	if (r < 0)
		return r;
	if (gesture_emit(gesture, gesture->emit, producer_id, payload, time_ns))
		gesture_fired(gesture, cooldown, time_ns);
	return 0;
}

/* ---- events kept ---- */

size_t gesture_events_drop(struct cue_event *events, size_t n, size_t drop)
{
	for (size_t i = 0; i < drop; i++)
		cue_payload_unref(events[i].payload);
	memmove(events, events + drop, (n - drop) * sizeof(*events));
	return n - drop;
}

size_t gesture_events_append(struct cue_event *events, size_t n, const struct cue_event *event)
{
	events[n] = *event;
	cue_payload_ref(event->payload);
	return n + 1;
}

size_t gesture_events_insert(struct cue_event *events, size_t n, const struct cue_event *event)
{
	size_t at = n;

	while (at > 0 && events[at - 1].time_ns > event->time_ns)
		at--;
	memmove(events + at + 1, events + at, (n - at) * sizeof(*events));
	gesture_events_append(events, at, event);
	return n + 1;
}

void *gesture_producer(struct gesture *gesture, struct producer_table *table, uint32_t producer_id)
{
	bool forgot;
	void *item = producer_table_get(table, producer_id, &forgot);

	if (forgot) {
		gesture->producers_forgotten++;
		gesture->registry->stats.producers_forgotten++;
	}
	return item;
}
