/* SPDX-License-Identifier: Apache-2.0 */
/* A gesture is referenced by the registry and by each of its subscriptions. The bus releases a
 * cancelled subscription only when no dispatch can reach it, so a gesture that is removed, even by
 * its own handler, stays valid until that handler has returned. */
#include "gesture_internal.h"

#include <errno.h>
#include <stdlib.h>

void cue_gesture_unref(struct gesture *gesture)
{
	if (--gesture->refs > 0)
		return;
	gesture->kind->clear(gesture);
	free(gesture->hold.ring);
	free(gesture->inputs);
	free(gesture->name);
	free(gesture->emit);
	free(gesture->peripheral);
	free(gesture);
}

int cue_gesture_handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	int r;

	gesture->refs++; /* its handler may remove it */
	gesture->handled = event;
	r = gesture->kind->handle(gesture, roles, event);
	gesture->handled = NULL;
	cue_gesture_unref(gesture);
	return r;
}

int cue_gesture_add_input(struct gesture *gesture, const char *type, enum gesture_role role)
{
	const struct cue_type *interned;
	int r;

	r = cue_bus_intern(gesture->bus, type, &interned);
	if (r < 0)
		return r;
	for (size_t i = 0; i < gesture->n_inputs; i++) {
		if (gesture->inputs[i].type == interned) {
			gesture->inputs[i].roles |= (unsigned)role;
			return 0;
		}
	}
	if (gesture->n_inputs == gesture->cap_inputs) {
		size_t cap = gesture->cap_inputs ? 2 * gesture->cap_inputs : 2;
		struct gesture_input *inputs = reallocarray(gesture->inputs, cap, sizeof(*inputs));

		if (!inputs)
			return -ENOMEM;
		gesture->inputs = inputs;
		gesture->cap_inputs = cap;
	}
	gesture->inputs[gesture->n_inputs++] = (struct gesture_input){
		.gesture = gesture,
		.type = interned,
		.roles = (unsigned)role,
	};
	return 0;
}

int cue_gesture_filter_init(struct gesture *gesture, struct gesture_filter *filter,
                            const struct cue_filter *config, enum gesture_role role)
{
	int r = 0;

	if (!config->type)
		return 0;
	r = cue_bus_intern(gesture->bus, config->type, &filter->type);
	if (r >= 0 && config->match)
		r = cue_match_new(config->match, &filter->match, NULL);
	return r < 0 ? r : cue_gesture_add_input(gesture, config->type, role);
}

void cue_gesture_filter_clear(struct gesture_filter *filter)
{
	filter->match = cue_match_free(filter->match);
}

bool cue_gesture_filter_takes(const struct gesture_filter *filter, const struct cue_event *event)
{
	return event->type == filter->type && cue_match_eval(filter->match, event->payload);
}
