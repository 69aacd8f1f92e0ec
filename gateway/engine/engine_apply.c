/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the inputs, and switching to a new configuration. For outputs see engine_outputs.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "same_text.h"

/** The inputs of one configuration, before the engine takes them. */
struct input_set {
	struct input **items;
	/** created for this configuration; the others are kept from the previous one */
	bool *is_new;
	size_t n;
};

static bool same_data(const struct cue_payload *a, const struct cue_payload *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(cue_payload_bytes(a, NULL), cue_payload_bytes(b, NULL)) == 0;
}

static bool same_input(const struct config_input *a, const struct config_input *b)
{
	if (a->n_lines != b->n_lines)
		return false;
	for (size_t i = 0; i < a->n_lines; i++) {
		if (!same_text(a->lines[i], b->lines[i]))
			return false;
	}
	return same_text(a->name, b->name) && same_text(a->driver, b->driver) &&
	       same_text(a->chip, b->chip) && a->bias == b->bias &&
	       a->active_low == b->active_low && same_text(a->file, b->file) &&
	       a->decoder.kind == b->decoder.kind &&
	       a->decoder.debounce_ns == b->decoder.debounce_ns &&
	       a->decoder.steps_per_detent == b->decoder.steps_per_detent &&
	       a->producer_id == b->producer_id && same_text(a->event, b->event) &&
	       same_text(a->release_event, b->release_event) && same_data(a->data, b->data);
}

/** The open input with the same settings as @p config, or NULL. */
static struct input *find_same(const struct engine *engine, const struct config_input *config)
{
	for (size_t i = 0; i < engine->n_inputs; i++) {
		if (same_input(input_config(engine->inputs[i]), config))
			return engine->inputs[i];
	}
	return NULL;
}

static bool holds(const struct input_set *set, const struct input *input)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->items[i] == input)
			return true;
	}
	return false;
}

/** Free the set and the inputs created for it. */
static void set_discard(struct input_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->is_new[i])
			input_free(set->items[i]);
	}
	free(set->items);
	free(set->is_new);
	*set = (struct input_set){ 0 };
}

/** Copy the count to an input that is created again for a changed configuration. */
static void carry_value(const struct engine *engine, struct input *input)
{
	for (size_t i = 0; i < engine->n_inputs; i++) {
		const struct config_input *old = input_config(engine->inputs[i]);
		struct engine_input_info info;

		if (strcmp(old->name, input_config(input)->name) != 0)
			continue;
		input_get_info(engine->inputs[i], &info);
		if (info.restore)
			(void)input_restore(input, old->decoder.kind, info.counted);
	}
}

static int set_new(struct engine *engine, const struct config *config, struct input_set *set,
                   char error[ENGINE_ERROR_SIZE])
{
	set->items = calloc(config->n_inputs + 1, sizeof(struct input *));
	set->is_new = calloc(config->n_inputs + 1, sizeof(*set->is_new));
	if (!set->items || !set->is_new) {
		snprintf(error, ENGINE_ERROR_SIZE, "out of memory");
		set_discard(set);
		return -ENOMEM;
	}
	for (size_t i = 0; i < config->n_inputs; i++) {
		struct input *input = find_same(engine, &config->inputs[i]);

		set->is_new[i] = !input;
		if (!input) {
			int r = input_new(engine, &config->inputs[i], &input, error);

			if (r < 0) {
				set_discard(set);
				return r;
			}
		}
		set->items[set->n++] = input;
	}
	return 0;
}

static int set_open(struct input_set *set, char error[ENGINE_ERROR_SIZE])
{
	for (size_t i = 0; i < set->n; i++) {
		int r = set->is_new[i] ? input_open(set->items[i], error) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/** Move the set to the engine; free inputs that are not in it. */
static void set_commit(struct engine *engine, struct input_set *set)
{
	struct input_set old = { .items = engine->inputs, .n = engine->n_inputs };

	/* Do this last: the old inputs count until they are closed. */
	for (size_t i = 0; i < set->n; i++) {
		if (set->is_new[i])
			carry_value(engine, set->items[i]);
	}
	for (size_t i = 0; i < old.n; i++) {
		if (!holds(set, old.items[i]))
			input_free(old.items[i]);
	}
	free(old.items);
	engine->inputs = set->items;
	engine->n_inputs = set->n;
	for (size_t i = 0; i < set->n; i++) {
		input_rebind(set->items[i], &engine->config.config->inputs[i]);
		if (set->is_new[i])
			input_start(set->items[i]);
	}
	free(set->is_new);
	*set = (struct input_set){ 0 };
}

int engine_open_inputs(struct engine *engine, char error[ENGINE_ERROR_SIZE])
{
	struct input_set set = { 0 };
	int r;

	if (engine->opened)
		return -EALREADY;
	r = engine->outputs_opened ? 0 : engine_open_outputs(engine, error);
	if (r < 0)
		return r;
	r = set_new(engine, engine->config.config, &set, error);
	if (r < 0)
		return r;
	r = set_open(&set, error);
	if (r < 0) {
		set_discard(&set);
		return r;
	}
	engine->opened = true;
	set_commit(engine, &set);
	return 0;
}

/* ---- reload ---- */

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

/** Close changed inputs first: the new ones may need the same lines. */
static void close_replaced(struct engine *engine, const struct input_set *set)
{
	for (size_t i = 0; i < engine->n_inputs; i++) {
		if (!holds(set, engine->inputs[i]))
			input_close(engine->inputs[i]);
	}
}

static void reopen_replaced(struct engine *engine, const struct input_set *set)
{
	char error[ENGINE_ERROR_SIZE];

	for (size_t i = 0; i < engine->n_inputs; i++) {
		struct input *input = engine->inputs[i];

		if (holds(set, input))
			continue;
		if (input_open(input, error) < 0)
			input_fail(input, error);
		else
			input_resume(input);
	}
}

static void set_close_new(struct input_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->is_new[i])
			input_close(set->items[i]);
	}
}

/** Create both sets or none. */
static int make_sets(struct engine *engine, const struct config *config, struct output_set *outputs,
                     struct input_set *inputs, char error[ENGINE_ERROR_SIZE])
{
	int r = output_set_new(engine, config, outputs, error);

	if (r < 0)
		return r;
	r = set_new(engine, config, inputs, error);
	if (r < 0)
		output_set_discard(outputs);
	return r;
}

int engine_apply(struct engine *engine, const struct config *config, char error[ENGINE_ERROR_SIZE])
{
	static const struct cue_playlist_limits no_limits = {
		.events_per_second = UINT32_MAX,
		.shortest_interval_ns = 1,
	};
	const struct config *old = engine->config.config;
	struct output_set outputs = { 0 };
	struct input_set inputs = { 0 };
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
		output_set_close_replaced(engine, &outputs);
		close_replaced(engine, &inputs);
		r = output_set_open(&outputs, error);
		if (r >= 0)
			r = set_open(&inputs, error);
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
		set_close_new(&inputs);
		if (engine->opened) {
			output_set_back_out(engine, &outputs);
			reopen_replaced(engine, &inputs);
		}
		set_discard(&inputs);
		return r;
	}
	engine->config.config = config;
	cue_bus_refresh_types(engine->bus);
	engine_tell_delays(engine, config);
	if (engine->opened) {
		output_set_commit(engine, &outputs);
		set_commit(engine, &inputs);
	}
	return 0;
}
