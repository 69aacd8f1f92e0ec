/* SPDX-License-Identifier: Apache-2.0 */
/* Common to all gestures that fire: cooldown and emitting. */
#include "gesture_internal.h"

#include <string.h>

/** |a - b|: event times are not always in order. */
static uint64_t distance_ns(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;
}

bool cue_gesture_may_fire(struct gesture *gesture, const struct gesture_cooldown *cooldown,
                          uint64_t time_ns)
{
	if (!cooldown->fired || distance_ns(time_ns, cooldown->time_ns) >= gesture->cooldown_ns)
		return true;
	gesture->cooled_down++;
	gesture->registry->stats.cooled_down++;
	return false;
}

void cue_gesture_fired(struct gesture *gesture, struct gesture_cooldown *cooldown, uint64_t time_ns)
{
	cooldown->fired = true;
	cooldown->time_ns = time_ns;
	gesture->fired++;
	gesture->registry->stats.fired++;
}

bool cue_gesture_emit(struct gesture *gesture, const char *type, uint32_t producer_id,
                      struct cue_payload *payload, uint64_t time_ns)
{
	const struct cue_event *cause = gesture->handled;

	/* The handled event may have been held: it need not be the one being dispatched. */
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

/** Time of the completing event: the latest one. */
static uint64_t latest_ns(const struct cue_event *events, size_t n)
{
	uint64_t time_ns = events[0].time_ns;

	for (size_t i = 1; i < n; i++) {
		if (events[i].time_ns > time_ns)
			time_ns = events[i].time_ns;
	}
	return time_ns;
}

int cue_gesture_fire_events(struct gesture *gesture, struct gesture_cooldown *cooldown,
                            const char *key, const struct gesture_kept *kept, uint32_t producer_id)
{
	__attribute__((cleanup(cue_payload_unrefp))) struct cue_payload *payload = NULL;
	uint64_t time_ns = latest_ns(kept->events, kept->n);
	int r;

	if (!cue_gesture_may_fire(gesture, cooldown, time_ns))
		return 0;
	r = cue_gesture_payload_events(gesture, key, kept->events, kept->n, &payload);
	if (r < 0)
		return r;
	if (cue_gesture_emit(gesture, gesture->emit, producer_id, payload, time_ns))
		cue_gesture_fired(gesture, cooldown, time_ns);
	return 0;
}
