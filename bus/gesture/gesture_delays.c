/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long each gesture waits for events that come late.
 *
 * The delay of an event is the time from its own time to its dispatch. A type's delays lie between
 * the shortest and the longest delay of its emitters:
 *
 *   emitted by                      | delay
 *   an input                        | its debounce (cue_gestures_add_delay())
 *   a playlist, a publisher outside | 0
 *   a gesture that orders its events| the longest of its inputs: it waits for them
 *   a mirror with `when`            | as what it mirrors
 *
 * A gesture that orders its events and whose inputs differ in delay waits for the longest. If all
 * delays are equal, events come in order and nothing waits. The longest delays are computed first,
 * because those of gestures follow from them.
 */
#include "gesture_internal.h"

#define NOT_KNOWN_YET UINT64_MAX

static struct cue_type *type_of(const struct gesture *gesture, const struct cue_type *type)
{
	/* The bus owns its types; all other code gets them as const. */
	return gesture->bus->types.by_id[type->id];
}

/** Whether this input's delay matters to what the gesture emits. */
static bool counts(const struct gesture *gesture, const struct gesture_input *input)
{
	/* That edges were lost is said at once, and waits for nothing. */
	if (input->roles == GESTURE_ROLE_LOST)
		return false;
	return gesture->ordered || (input->roles & GESTURE_ROLE_MIRROR);
}

static struct type_delay delay_of_inputs(const struct gesture *gesture)
{
	struct type_delay all = { .known = true, .shortest_ns = NOT_KNOWN_YET };

	for (size_t i = 0; i < gesture->n_inputs; i++) {
		const struct type_delay *delay = &gesture->inputs[i].type->delay;
		uint64_t shortest_ns = delay->known ? delay->shortest_ns : 0;

		if (!counts(gesture, &gesture->inputs[i]))
			continue;
		if (delay->longest_ns > all.longest_ns)
			all.longest_ns = delay->longest_ns;
		if (shortest_ns < all.shortest_ns)
			all.shortest_ns = shortest_ns;
	}
	return all;
}

/** Whether it emits the types that it mirrors. */
static bool keeps_type(const struct gesture *gesture)
{
	return gesture->type == CUE_GESTURE_GATED_MIRROR && !gesture->emit;
}

/** Call @p change for each type that the gesture emits. @return whether any call made a change. */
static bool each_output(const struct gesture *gesture,
                        bool (*change)(struct type_delay *delay, const struct gesture *gesture))
{
	bool changed = false;

	for (size_t i = 0; i < CUE_CLICKS; i++) {
		if (gesture->outputs[i])
			changed |= change(&type_of(gesture, gesture->outputs[i])->delay, gesture);
	}
	for (size_t i = 0; keeps_type(gesture) && i < gesture->n_inputs; i++) {
		if (gesture->inputs[i].roles & GESTURE_ROLE_MIRROR)
			changed |=
			        change(&type_of(gesture, gesture->inputs[i].type)->delay, gesture);
	}
	return changed;
}

/** A type that only gestures emit has no delay of its own. */
static bool begin(struct type_delay *delay, const struct gesture *gesture)
{
	(void)gesture;
	if (!delay->known)
		*delay = (struct type_delay){ .known = true, .shortest_ns = NOT_KNOWN_YET };
	return true;
}

/** A mirror that keeps the type passes on events of another emitter: of a publisher, if nothing
 * here emits them. */
static bool begin_mirrored(struct type_delay *delay, const struct gesture *gesture)
{
	(void)gesture;
	delay->known = true;
	return true;
}

static bool lengthen(struct type_delay *delay, const struct gesture *gesture)
{
	uint64_t longest_ns = delay_of_inputs(gesture).longest_ns;

	if (longest_ns <= delay->longest_ns)
		return false;
	delay->longest_ns = longest_ns;
	return true;
}

static bool shorten(struct type_delay *delay, const struct gesture *gesture)
{
	struct type_delay inputs = delay_of_inputs(gesture);
	uint64_t shortest_ns = gesture->ordered ? inputs.longest_ns : inputs.shortest_ns;

	if (shortest_ns >= delay->shortest_ns)
		return false;
	delay->shortest_ns = shortest_ns;
	return true;
}

/** Repeat until nothing changes. A longer chain is cut at the cascade depth anyway. */
static void settle(struct cue_gestures *gestures,
                   bool (*change)(struct type_delay *delay, const struct gesture *gesture))
{
	bool changed = true;

	for (uint32_t n = 0; changed && n <= gestures->bus->limits.cascade_depth; n++) {
		changed = false;
		for (size_t i = 0; i < gestures->n; i++)
			changed |= each_output(gestures->items[i], change);
	}
}

static void reset(const struct gesture *gesture)
{
	for (size_t i = 0; i < gesture->n_inputs; i++) {
		struct cue_type *type = type_of(gesture, gesture->inputs[i].type);

		type->delay = type->input_delay;
	}
	for (size_t i = 0; i < CUE_CLICKS; i++) {
		if (gesture->outputs[i]) {
			struct cue_type *type = type_of(gesture, gesture->outputs[i]);

			type->delay = type->input_delay;
		}
	}
}

void cue_gesture_delays_update(struct cue_gestures *gestures)
{
	gestures->delays_stale = false;
	for (size_t i = 0; i < gestures->n; i++)
		reset(gestures->items[i]);
	for (size_t i = 0; i < gestures->n; i++) {
		if (!keeps_type(gestures->items[i]))
			each_output(gestures->items[i], begin);
	}
	for (size_t i = 0; i < gestures->n; i++) {
		if (keeps_type(gestures->items[i]))
			each_output(gestures->items[i], begin_mirrored);
	}
	settle(gestures, lengthen);
	settle(gestures, shorten);
	for (size_t i = 0; i < gestures->n; i++) {
		struct gesture *gesture = gestures->items[i];
		struct type_delay delay = delay_of_inputs(gesture);

		gesture->longest_delay_ns = delay.longest_ns;
		cue_gesture_order_set_wait(gesture,
		                           gesture->ordered && delay.shortest_ns < delay.longest_ns
		                                   ? delay.longest_ns
		                                   : 0);
	}
}

void cue_gestures_clear_delays(struct cue_gestures *gestures)
{
	struct intern_table *types = &gestures->bus->types;

	for (size_t i = 0; i < types->n; i++)
		types->by_id[i]->input_delay = types->by_id[i]->delay = (struct type_delay){ 0 };
	gestures->delays_stale = true;
}

void cue_gestures_add_delay(struct cue_gestures *gestures, const char *type, uint64_t delay_ns)
{
	const struct cue_type *interned;
	struct type_delay *delay;

	/* A type that does not fit can't be emitted. */
	if (cue_bus_intern(gestures->bus, type, &interned) < 0)
		return;
	delay = &gestures->bus->types.by_id[interned->id]->input_delay;
	if (!delay->known || delay_ns < delay->shortest_ns)
		delay->shortest_ns = delay_ns;
	if (!delay->known || delay_ns > delay->longest_ns)
		delay->longest_ns = delay_ns;
	delay->known = true;
	gestures->delays_stale = true;
}
