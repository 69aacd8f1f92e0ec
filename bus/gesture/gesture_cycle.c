/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cycle: each source event emits the next of `values`; a cycle of two is a toggle. It has one place
 * for all producers, the index of the value that is in force, so that a lamp has one state however
 * many buttons it has.
 *
 * | event        | then                                                          |
 * |--------------|---------------------------------------------------------------|
 * | `reset`      | no place: the next source event emits the first value         |
 * | in `set`     | emit that value; its index is the place                       |
 * | `source`     | emit the value after the place (after the last, the first);   |
 * |              | its index is the place. After `idle_reset`: the first value   |
 * | of type      | of another emitter, with one of the values: the first index   |
 * | `emit`       | with that value is the place, unless the place has it already |
 *
 * An event that is several of these is the uppermost one in the table. An event that is older than
 * the last one that moved the cycle is outdated, and ignored. A value that the bus refuses to emit
 * does not move it.
 */
#include "gesture_internal.h"

#include <cuebus/json_writer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_value.h"

#define NOWHERE (-1)

struct set {
	const struct cue_type *type;
	int32_t place;
};

struct cycle {
	struct gesture_filter source, reset;
	struct cue_payload **values;
	size_t n_values;
	struct set *sets;
	size_t n_sets;
	int32_t place;
	bool moved; /* since the definition */
	bool restore;
	uint64_t moved_ns; /* time of the last event that moved it */
	uint64_t idle_reset_ns;
	struct gesture_cooldown cooldown;
	struct cue_id values_id;
};

/** Whether the place means the same as before a restart: the values must be the same. */
static int derive_values_id(struct cycle *cycle, const struct cue_bus *bus)
{
	struct cue_writer w = { 0 };
	char *text;
	size_t len;
	int r;

	cue_writer_array_begin(&w);
	for (size_t i = 0; i < cycle->n_values; i++)
		cue_writer_payload(&w, cycle->values[i]);
	cue_writer_array_end(&w);
	r = cue_writer_finish(&w, &text, &len);
	if (r < 0)
		return r;
	cue_id_derive(cue_bus_gateway_id(bus), text, &cycle->values_id);
	free(text);
	return 0;
}

static int init_values(struct cycle *cycle, const struct cue_gesture_config *config)
{
	cycle->values = calloc(config->n_values, sizeof(*cycle->values));
	if (!cycle->values)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_values; i++)
		cycle->values[cycle->n_values++] =
		        cue_payload_ref(config->values[i] ? config->values[i] : cue_payload_null());
	return 0;
}

static int init_sets(struct gesture *gesture, struct cycle *cycle,
                     const struct cue_gesture_config *config)
{
	int r = 0;

	cycle->sets = calloc(config->n_sets + 1, sizeof(*cycle->sets));
	if (!cycle->sets)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < config->n_sets; i++) {
		struct set *set = &cycle->sets[cycle->n_sets++];

		set->place = (int32_t)config->sets[i].place;
		r = cue_bus_intern(gesture->bus, config->sets[i].type, &set->type);
		if (r >= 0)
			r = cue_gesture_add_input(gesture, config->sets[i].type, GESTURE_ROLE_SET);
	}
	return r;
}

static int init(struct gesture *gesture, const struct cue_gesture_config *config)
{
	struct cycle *cycle = calloc(1, sizeof(*cycle));
	int r;

	gesture->impl = cycle;
	gesture->ordered = true;
	if (!cycle)
		return -ENOMEM;
	cycle->place = NOWHERE;
	cycle->restore = config->restore;
	cycle->idle_reset_ns = config->idle_reset_ns;
	r = init_values(cycle, config);
	if (r >= 0)
		r = derive_values_id(cycle, gesture->bus);
	if (r >= 0)
		r = init_sets(gesture, cycle, config);
	if (r >= 0)
		r = cue_gesture_filter_init(gesture, &cycle->source, &config->source,
		                            GESTURE_ROLE_SOURCE);
	if (r >= 0)
		r = cue_gesture_filter_init(gesture, &cycle->reset, &config->reset,
		                            GESTURE_ROLE_RESET);
	if (r >= 0 && config->follow)
		r = cue_gesture_add_input(gesture, config->emit, GESTURE_ROLE_FOLLOW);
	return r;
}

/* ---- events ---- */

static void move(struct gesture *gesture, struct cycle *cycle, int32_t place, uint64_t time_ns)
{
	if (cycle->restore && cycle->place != place)
		gesture->registry->stats.cycles_moved++;
	cycle->place = place;
	cycle->moved_ns = time_ns;
	cycle->moved = true;
}

static void go_to(struct gesture *gesture, struct cycle *cycle, int32_t place,
                  const struct cue_event *event)
{
	if (!cue_gesture_emit(gesture, gesture->emit, event->producer_id, cycle->values[place],
	                      event->time_ns))
		return;
	cue_gesture_fired(gesture, &cycle->cooldown, event->time_ns);
	move(gesture, cycle, place, event->time_ns);
}

static void go_on(struct gesture *gesture, struct cycle *cycle, const struct cue_event *event)
{
	bool idle = cycle->idle_reset_ns > 0 && cycle->moved &&
	            event->time_ns - cycle->moved_ns > cycle->idle_reset_ns;
	size_t next = idle ? 0 : (size_t)(cycle->place + 1);

	if (cue_gesture_may_fire(gesture, &cycle->cooldown, event->time_ns))
		go_to(gesture, cycle, (int32_t)(next % cycle->n_values), event);
}

static bool has_value(const struct cycle *cycle, size_t place, const struct cue_event *event)
{
	return cue_json_equal(cue_payload_json(cycle->values[place]),
	                      cue_payload_json(event->payload));
}

static void follow(struct gesture *gesture, struct cycle *cycle, const struct cue_event *event)
{
	if (cycle->place != NOWHERE && has_value(cycle, (size_t)cycle->place, event)) {
		move(gesture, cycle, cycle->place, event->time_ns);
		return;
	}
	for (size_t i = 0; i < cycle->n_values; i++) {
		if (has_value(cycle, i, event)) {
			move(gesture, cycle, (int32_t)i, event->time_ns);
			return;
		}
	}
}

static const struct set *find_set(const struct cycle *cycle, const struct cue_type *type)
{
	for (size_t i = 0; i < cycle->n_sets; i++) {
		if (cycle->sets[i].type == type)
			return &cycle->sets[i];
	}
	return NULL;
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct cycle *cycle = gesture->impl;

	if (event->time_ns < cycle->moved_ns)
		return 0;
	if ((roles & GESTURE_ROLE_RESET) && cue_gesture_filter_takes(&cycle->reset, event))
		move(gesture, cycle, NOWHERE, event->time_ns);
	else if (roles & GESTURE_ROLE_SET)
		go_to(gesture, cycle, find_set(cycle, event->type)->place, event);
	else if ((roles & GESTURE_ROLE_SOURCE) && cue_gesture_filter_takes(&cycle->source, event))
		go_on(gesture, cycle, event);
	else if (roles & GESTURE_ROLE_FOLLOW)
		follow(gesture, cycle, event);
	return 0;
}

/* ---- over a restart ---- */

void cue_gesture_cycle_info(const struct gesture *gesture, struct cue_gesture_info *info)
{
	const struct cycle *cycle = gesture->type == CUE_GESTURE_CYCLE ? gesture->impl : NULL;

	info->place = cycle ? cycle->place : NOWHERE;
	if (!cycle)
		return;
	info->restore = cycle->restore;
	info->values_id = cycle->values_id;
}

int cue_gesture_cycle_restore(struct gesture *gesture, int32_t place,
                              const struct cue_id *values_id)
{
	struct cycle *cycle = gesture->type == CUE_GESTURE_CYCLE ? gesture->impl : NULL;

	if (!cycle || !cycle->restore)
		return -ENOENT;
	if (!cue_id_equal(&cycle->values_id, values_id) || place < NOWHERE ||
	    place >= (int32_t)cycle->n_values)
		return -ESTALE;
	/* What happened since the start is newer. */
	if (cycle->moved)
		return 0;
	/* Idle time begins again with the start. */
	move(gesture, cycle, place, cue_bus_now(gesture->bus));
	return 0;
}

static void end(struct gesture *gesture)
{
	struct cycle *cycle = gesture->impl;

	if (cycle->restore)
		move(gesture, cycle, NOWHERE, cycle->moved_ns);
}

static void clear(struct gesture *gesture)
{
	struct cycle *cycle = gesture->impl;

	if (!cycle)
		return;
	for (size_t i = 0; i < cycle->n_values; i++)
		cue_payload_unref(cycle->values[i]);
	cue_gesture_filter_clear(&cycle->source);
	cue_gesture_filter_clear(&cycle->reset);
	free(cycle->values);
	free(cycle->sets);
	free(cycle);
}

const struct gesture_kind cue_gesture_kind_cycle = { init, handle, clear, end };
