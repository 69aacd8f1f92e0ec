/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gated mirror: emits the mirrored events again while its gate is open.
 *
 * | `when` | gates | before the first gate event | from then on                         |
 * |--------|-------|-----------------------------|--------------------------------------|
 * | no     | some  | `initial`                   | default predicate on the gate's data |
 * | yes    | some  | `initial`                   | `when`, asked at each mirrored event |
 * | yes    | none  | `when`, asked at each mirrored event | the same                    |
 *
 * An event whose type is both gate and mirrored changes the gate first.
 */
#include "gesture_internal.h"

#include <errno.h>
#include <stdlib.h>

struct mirror {
	struct cue_when *when; /* NULL: the default predicate */
	bool gated;            /* a gate event decided, or there are no gates */
	bool open;             /* state of the gate while `when` is not evaluated */
	uint64_t gate_ns;      /* time of the latest gate event */
	uint32_t producer_id;
	struct gesture_cooldown cooldown;
};

static int init(struct gesture *gesture, const struct cue_gesture_config *config)
{
	struct mirror *mirror = calloc(1, sizeof(*mirror));
	int r = 0;

	gesture->impl = mirror;
	/* `when` tests the current state: waiting would only delay the test. */
	gesture->ordered = !config->when;
	if (!mirror)
		return -ENOMEM;
	mirror->open = config->initial;
	mirror->gated = config->n_gate == 0;
	mirror->producer_id = config->output_producer_id;
	if (config->when)
		r = cue_when_new(config->when, &mirror->when, NULL);
	for (size_t i = 0; r >= 0 && i < config->n_gate; i++)
		r = cue_gesture_add_input(gesture, config->gate[i], GESTURE_ROLE_GATE);
	for (size_t i = 0; r >= 0 && i < config->n_mirror; i++)
		r = cue_gesture_add_input(gesture, config->mirror[i], GESTURE_ROLE_MIRROR);
	return r;
}

static bool is_open(const struct mirror *mirror, const struct cue_bus *bus)
{
	if (mirror->when && mirror->gated)
		return cue_when_eval(mirror->when, bus);
	return mirror->open;
}

static int re_emit(struct gesture *gesture, struct mirror *mirror, const struct cue_event *event)
{
	__attribute__((cleanup(cue_payload_unrefp))) struct cue_payload *payload = NULL;
	int r;

	if (!cue_gesture_may_fire(gesture, &mirror->cooldown, event->time_ns))
		return 0;
	r = cue_gesture_payload_mirror(gesture, event->payload, &payload);
	if (r < 0)
		return r;
	if (cue_gesture_emit(gesture, gesture->emit ? gesture->emit : cue_event_type_name(event),
	                     mirror->producer_id, payload, event->time_ns))
		cue_gesture_fired(gesture, &mirror->cooldown, event->time_ns);
	return 0;
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct mirror *mirror = gesture->impl;

	/* A gate event that comes too late even for the wait is outdated. */
	if ((roles & GESTURE_ROLE_GATE) && event->time_ns >= mirror->gate_ns) {
		mirror->gate_ns = event->time_ns;
		mirror->gated = true;
		if (!mirror->when)
			mirror->open = cue_payload_gate(event->payload);
	}
	if ((roles & GESTURE_ROLE_MIRROR) && is_open(mirror, gesture->bus))
		return re_emit(gesture, mirror, event);
	return 0;
}

static void clear(struct gesture *gesture)
{
	struct mirror *mirror = gesture->impl;

	if (!mirror)
		return;
	cue_when_free(mirror->when);
	free(mirror);
}

const struct gesture_kind cue_gesture_kind_gated_mirror = { init, handle, clear, NULL };
