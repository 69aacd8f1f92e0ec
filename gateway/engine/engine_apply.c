/* SPDX-License-Identifier: Apache-2.0 */
/* Switching to a new configuration. */
#include <errno.h>
#include <stdio.h>

#include "engine_internal.h"
#include "same_text.h"

/* A new member: compare it below. */
_Static_assert(sizeof(struct cue_limits) == 4 * sizeof(uint64_t) + 10 * sizeof(uint32_t),
               "four members of 64 bits, nine of 32 and their padding");

/** Not memcmp(): the padding holds anything. */
static bool same_limits(const struct cue_limits *a, const struct cue_limits *b)
{
	return a->queue_bytes == b->queue_bytes && a->state_bytes == b->state_bytes &&
	       a->gesture_bytes == b->gesture_bytes && a->trigger_bytes == b->trigger_bytes &&
	       a->event_types == b->event_types && a->queue_events == b->queue_events &&
	       a->state_entries == b->state_entries && a->cascade_depth == b->cascade_depth &&
	       a->json_depth == b->json_depth && a->definitions == b->definitions &&
	       a->active_runs == b->active_runs && a->quote_bytes == b->quote_bytes &&
	       a->gesture_producers == b->gesture_producers;
}

/** Refuse changes of settings that are fixed when the bus is created. */
static int check_fixed(const struct config *old, const struct config *new,
                       char error[ENGINE_ERROR_SIZE])
{
	if (!same_text(old->gateway.id, new->gateway.id)) {
		snprintf(error, ENGINE_ERROR_SIZE,
		         "gateway.id changed from \"%s\" to \"%s\": that needs a restart",
		         old->gateway.id, new->gateway.id);
		return -EINVAL;
	}
	if (!same_limits(&old->limits.bus, &new->limits.bus)) {
		snprintf(
		        error, ENGINE_ERROR_SIZE,
		        "a member of limits that sizes the bus changed (event_types, queue_events, "
		        "queue_bytes, state_entries, state_bytes, trigger_bytes, gesture_bytes, "
		        "cascade_depth, json_depth, definitions, active_runs, quote_bytes or "
		        "gesture_producers): that needs a restart");
		return -EINVAL;
	}
	return 0;
}

/** Create both sets or none. */
static int make_sets(struct engine *engine, const struct config *config, struct device_set *outputs,
                     struct device_set *inputs, char error[ENGINE_ERROR_SIZE])
{
	int r = device_set_new(outputs, engine, config, &engine->outputs, error);

	if (r < 0)
		return r;
	r = device_set_new(inputs, engine, config, &engine->inputs, error);
	if (r < 0)
		device_set_discard(outputs);
	return r;
}

/** Put the devices in force to work again. Close all before opening any, as engine_apply() does. */
static void back_out(struct engine *engine, struct device_set *outputs, struct device_set *inputs)
{
	device_set_close_new(inputs);
	device_set_close_new(outputs);
	device_set_resume_replaced(outputs, &engine->outputs);
	device_set_resume_replaced(inputs, &engine->inputs);
	device_set_discard(outputs);
	device_set_discard(inputs);
}

int engine_apply(struct engine *engine, const struct config *config, char error[ENGINE_ERROR_SIZE])
{
	static const struct cue_playlist_limits no_limits = {
		.events_per_second = UINT32_MAX,
		.shortest_interval_ns = 1,
	};
	const struct config *old = engine->config.config;
	struct device_set outputs = { .kind = &engine_output_kind };
	struct device_set inputs = { .kind = &engine_input_kind };
	int r;

	r = check_fixed(old, config, error);
	if (r >= 0)
		r = engine_check_definitions(engine, old, config, error);
	if (r < 0)
		return r;
	if (engine->opened) {
		r = make_sets(engine, config, &outputs, &inputs, error);
		if (r < 0)
			return r;
		/* Close all before opening any: a line may change from an input to an output. */
		device_set_close_replaced(&outputs, &engine->outputs);
		device_set_close_replaced(&inputs, &engine->inputs);
		r = device_set_open(&outputs, error);
		if (r >= 0)
			r = device_set_open(&inputs, error);
	}
	if (r >= 0) {
		/* Each configuration was checked against its own limits: going back must not fail
		 * because of the limits of the other. */
		cue_playlists_set_limits(engine->playlists, &no_limits);
		r = engine_swap_definitions(engine, old, config, error);
		cue_playlists_set_limits(engine->playlists,
		                         &(r < 0 ? old : config)->limits.playlist);
	}
	if (r < 0) {
		if (engine->opened)
			back_out(engine, &outputs, &inputs);
		return r;
	}
	engine->config.config = config;
	cue_bus_refresh_types(engine->bus);
	engine_tell_delays(engine, config);
	if (engine->opened) {
		device_set_commit(&outputs, &engine->outputs, config);
		device_set_commit(&inputs, &engine->inputs, config);
	}
	return 0;
}
