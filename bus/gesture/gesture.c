/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: define, redefine, remove, look at. */
#include "gesture_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const struct gesture_kind *kind;
} types[] = {
	[CUE_GESTURE_DOUBLE_TAP] = { "double_tap", &cue_gesture_kind_tap },
	[CUE_GESTURE_MULTI_TAP] = { "multi_tap", &cue_gesture_kind_tap },
	[CUE_GESTURE_SIMULTANEOUS] = { "simultaneous", &cue_gesture_kind_simultaneous },
	[CUE_GESTURE_SEQUENCE] = { "sequence", &cue_gesture_kind_sequence },
	[CUE_GESTURE_GATED_MIRROR] = { "gated_mirror", &cue_gesture_kind_gated_mirror },
	[CUE_GESTURE_GATED_PLAYLIST] = { "gated_playlist", &cue_gesture_kind_gated_playlist },
	[CUE_GESTURE_CLICK] = { "click", &cue_gesture_kind_click },
	[CUE_GESTURE_CYCLE] = { "cycle", &cue_gesture_kind_cycle },
};
#define N_TYPES (sizeof(types) / sizeof(*types))

const char *cue_gesture_type_name(enum cue_gesture_type type)
{
	return (size_t)type < N_TYPES ? types[type].name : NULL;
}

int cue_gesture_type_parse(const char *name, enum cue_gesture_type *ret_type)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		if (strcmp(types[i].name, name) == 0) {
			*ret_type = (enum cue_gesture_type)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* ---- one gesture ---- */

static int on_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	const struct gesture_input *input = user;
	struct gesture *gesture = input->gesture;

	(void)bus;
	if (event->origin == gesture->origin)
		return 0;
	if (gesture->registry->delays_stale)
		cue_gesture_delays_update(gesture->registry);
	return cue_gesture_order(gesture, input->roles, event);
}

static void on_unsubscribed(void *user)
{
	const struct gesture_input *input = user;

	cue_gesture_unref(input->gesture);
}

static int subscribe(struct gesture *gesture)
{
	for (size_t i = 0; i < gesture->n_inputs; i++) {
		struct gesture_input *input = &gesture->inputs[i];
		int r = cue_bus_subscribe(gesture->bus,
		                          &(struct cue_subscription_config){
		                                  .type = cue_type_name(input->type),
		                                  .priority = gesture->priority,
		                                  .handler = on_event,
		                                  .destroy = on_unsubscribed,
		                                  .user = input,
		                                  .name = gesture->name,
		                          },
		                          &input->subscription);
		if (r < 0)
			return r;
		gesture->refs++;
	}
	return 0;
}

/** Let the gesture emit what must not be missing when its definition ends. */
static void gesture_end(struct gesture *gesture)
{
	if (gesture->kind->end)
		gesture->kind->end(gesture);
}

/** Drop the registry's reference. */
static void gesture_remove(struct gesture *gesture)
{
	gesture->removed = true;
	cue_gesture_order_clear(gesture);
	for (size_t i = 0; i < gesture->n_inputs; i++)
		gesture->inputs[i].subscription =
		        cue_subscription_cancel(gesture->inputs[i].subscription);
	cue_gesture_unref(gesture);
}

/** Different from the id of a playlist with the same name. */
static void derive_id(const struct cue_bus *bus, const char *name, struct cue_id *ret_id)
{
	char space_name[sizeof("gesture/") + CUE_GESTURE_NAME_MAX];

	snprintf(space_name, sizeof(space_name), "gesture/%s", name);
	cue_id_derive(cue_bus_gateway_id(bus), space_name, ret_id);
}

static int fill(struct gesture *gesture, const struct cue_gesture_config *config)
{
	int r = 0;

	derive_id(gesture->bus, config->name, &gesture->id);
	gesture->name = strdup(config->name);
	if (!gesture->name)
		return -ENOMEM;
	if (config->emit) {
		gesture->emit = strdup(config->emit);
		/* intern now, so that a limit on types fails here and not when the gesture fires */
		r = gesture->emit ? cue_bus_intern(gesture->bus, config->emit, &gesture->outputs[0])
		                  : -ENOMEM;
	}
	for (size_t i = 0; r >= 0 && config->type == CUE_GESTURE_CLICK && i < CUE_CLICKS; i++) {
		if (config->clicks[i])
			r = cue_bus_intern(gesture->bus, config->clicks[i], &gesture->outputs[i]);
	}
	if (r >= 0)
		r = cue_gesture_peripheral_write(&gesture->id, config->name, config->metadata,
		                                 &gesture->peripheral, &gesture->peripheral_len);
	if (r >= 0)
		r = gesture->kind->init(gesture, config);
	if (r >= 0)
		r = subscribe(gesture);
	return r;
}

/** @param config already checked. */
static int gesture_new(struct cue_gestures *gestures, const struct cue_gesture_config *config,
                       uint32_t origin, struct gesture **ret_gesture)
{
	struct gesture *gesture = calloc(1, sizeof(*gesture));
	int r;

	if (!gesture)
		return -ENOMEM;
	gesture->registry = gestures;
	gesture->bus = gestures->bus;
	gesture->refs = 1;
	gesture->origin = origin;
	gesture->type = config->type;
	gesture->kind = types[config->type].kind;
	gesture->priority = config->priority;
	gesture->order = gestures->next_order++;
	gesture->cooldown_ns = config->cooldown_ns;
	gesture->tells_near_misses = config->near_miss;
	r = fill(gesture, config);
	if (r < 0) {
		gesture_remove(gesture);
		return r;
	}
	*ret_gesture = gesture;
	return 0;
}

/* ---- the registry ---- */

int cue_gestures_new(struct cue_bus *bus, struct cue_playlists *playlists,
                     struct cue_gestures **ret_gestures)
{
	struct cue_gestures *gestures = calloc(1, sizeof(*gestures));
	int r;

	if (!gestures)
		return -ENOMEM;
	gestures->bus = bus;
	gestures->playlists = playlists;
	/* Held events wait for inputs only: they must not wait behind overdue playlists. */
	r = cue_timer_new_urgent(bus, cue_gesture_order_due, gestures, &gestures->hold_timer);
	if (r < 0) {
		free(gestures);
		return r;
	}
	*ret_gestures = gestures;
	return 0;
}

struct cue_gestures *cue_gestures_free(struct cue_gestures *gestures)
{
	if (!gestures)
		return NULL;
	for (size_t i = 0; i < gestures->n; i++)
		gesture_remove(gestures->items[i]);
	gestures->bus->definitions -= (uint32_t)gestures->n;
	cue_timer_free(gestures->hold_timer);
	free(gestures->holding);
	free(gestures->items);
	free(gestures);
	return NULL;
}

/** @param ret_at place of the gesture, or the place to insert it. */
static bool find(const struct cue_gestures *gestures, const char *name, size_t *ret_at)
{
	size_t low = 0, high = gestures->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(gestures->items[middle]->name, name);

		if (order == 0) {
			*ret_at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return false;
}

static int reserve(struct cue_gestures *gestures)
{
	size_t cap = gestures->cap ? 2 * gestures->cap : 16;
	struct gesture **items;

	if (gestures->bus->definitions >= gestures->bus->limits.definitions)
		return -ENOSPC;
	if (gestures->n < gestures->cap)
		return 0;
	items = reallocarray(gestures->items, cap, sizeof(struct gesture *));
	if (!items)
		return -ENOMEM;
	gestures->items = items;
	gestures->cap = cap;
	return 0;
}

static uint32_t next_origin(struct cue_bus *bus)
{
	if (++bus->last_origin == 0) /* means "no gesture" */
		bus->last_origin = 1;
	return bus->last_origin;
}

static int refuse_without_playlists(struct cue_predicate_error *error)
{
	if (error) {
		*error = (struct cue_predicate_error){
			.path = "/type",
			.text = "a gated playlist needs playlists, and this program has none",
		};
	}
	return -EINVAL;
}

int cue_gesture_define(struct cue_gestures *gestures, const struct cue_gesture_config *config,
                       struct cue_id *ret_id, struct cue_predicate_error *ret_error)
{
	struct gesture *gesture;
	bool known;
	size_t at;
	int r;

	r = cue_gesture_check(config, ret_error);
	if (r < 0)
		return r;
	if (config->type == CUE_GESTURE_GATED_PLAYLIST && !gestures->playlists)
		return refuse_without_playlists(ret_error);
	known = find(gestures, config->name, &at);
	r = known ? 0 : reserve(gestures);
	if (r < 0)
		return r;
	/* Events of the old definition that still wait in the queue count as the new one's own
	 * output too. */
	r = gesture_new(gestures, config,
	                known ? gestures->items[at]->origin : next_origin(gestures->bus), &gesture);
	if (r < 0)
		return r;
	cue_bus_begin(gestures->bus);
	if (known) {
		gesture_end(gestures->items[at]);
		gesture_remove(gestures->items[at]);
	} else {
		memmove(&gestures->items[at + 1], &gestures->items[at],
		        (gestures->n - at) * sizeof(struct gesture *));
		gestures->n++;
		gestures->bus->definitions++;
	}
	gestures->items[at] = gesture;
	gestures->delays_stale = true;
	if (ret_id)
		*ret_id = gesture->id;
	cue_bus_end(gestures->bus);
	return 0;
}

int cue_gesture_remove(struct cue_gestures *gestures, const char *name)
{
	struct gesture *gesture;
	size_t at;

	if (!find(gestures, name, &at))
		return -ENOENT;
	gesture = gestures->items[at];
	cue_bus_begin(gestures->bus);
	gesture_end(gesture);
	gestures->n--;
	gestures->bus->definitions--;
	memmove(&gestures->items[at], &gestures->items[at + 1],
	        (gestures->n - at) * sizeof(struct gesture *));
	gestures->delays_stale = true;
	gesture_remove(gesture);
	cue_bus_end(gestures->bus);
	return 0;
}

static struct cue_gesture_info info_of(const struct gesture *gesture)
{
	struct cue_gesture_info info = {
		.name = gesture->name,
		.id = gesture->id,
		.type = gesture->type,
		.fired = gesture->fired,
		.cooled_down = gesture->cooled_down,
		.producers_forgotten = gesture->producers_forgotten,
		.wait_ns = gesture->hold.wait_ns,
		.emit = gesture->emit,
	};

	cue_gesture_cycle_info(gesture, &info);
	return info;
}

int cue_gesture_foreach(struct cue_gestures *gestures,
                        int (*visit)(void *user, const struct cue_gesture_info *info), void *user)
{
	if (gestures->delays_stale)
		cue_gesture_delays_update(gestures);
	for (size_t i = 0; i < gestures->n; i++) {
		struct cue_gesture_info info = info_of(gestures->items[i]);
		int r = visit(user, &info);

		if (r != 0)
			return r;
	}
	return 0;
}

int cue_gesture_get(const struct cue_gestures *gestures, const char *name,
                    struct cue_gesture_info *ret_info)
{
	size_t at;

	if (!find(gestures, name, &at))
		return -ENOENT;
	*ret_info = info_of(gestures->items[at]);
	return 0;
}

int cue_gesture_restore(struct cue_gestures *gestures, const char *name, int32_t place,
                        const struct cue_id *values_id)
{
	size_t at;

	if (!find(gestures, name, &at))
		return -ENOENT;
	return cue_gesture_cycle_restore(gestures->items[at], place, values_id);
}

void cue_gestures_get_stats(const struct cue_gestures *gestures,
                            struct cue_gestures_stats *ret_stats)
{
	*ret_stats = gestures->stats;
	ret_stats->definitions = (uint32_t)gestures->n;
}
