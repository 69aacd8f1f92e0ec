/* SPDX-License-Identifier: Apache-2.0 */
/* Events that set an output but whose data has no level at the output's `value`. */
#include "lint.h"

#include <cuebus/payload.h>
#include <cuebus/pointer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "output_value.h"
#include "own_types.h"

struct target {
	const char *on_event;
	size_t index; /* of the output */
};

/** The outputs by event type, for fast look-up: there may be many steps and many outputs. */
struct targets {
	struct lint *lint;
	struct target *items;
	size_t n;
};

static int by_event(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	int order = strcmp(x->on_event, y->on_event);

	if (order != 0)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int compare_event(const void *key, const void *item)
{
	return strcmp(key, ((const struct target *)item)->on_event);
}

/** @return the first output that the event sets, or NULL; the others follow it. */
static const struct target *first_of(const struct targets *targets, const char *type)
{
	const struct target *found = type ? bsearch(type, targets->items, targets->n,
	                                            sizeof(*targets->items), compare_event)
	                                  : NULL;

	while (found && found > targets->items && strcmp(found[-1].on_event, type) == 0)
		found--;
	return found;
}

static const struct target *next_of(const struct targets *targets, const struct target *target)
{
	const struct target *next = target + 1;

	if (next == targets->items + targets->n || strcmp(next->on_event, target->on_event) != 0)
		return NULL;
	return next;
}

/* ---- steps: their data is known ---- */

static void check_value(struct lint *lint, const struct config_output *output,
                        const struct cJSON *value, const struct jsonc_node *place)
{
	bool container = cJSON_IsObject(value) || cJSON_IsArray(value);
	char reason[OUTPUT_VALUE_TEXT_SIZE], quoted[JSONC_QUOTE_SIZE];
	bool level;

	if (output_value_level(output, value, &level) == 0)
		return;
	config_finding(lint->reader, container ? DIAG_ERROR : DIAG_WARNING, place, "output-value",
	               "output %s ignores this: %s%s", jsonc_quote(quoted, output->name),
	               output_value_describe(output, value, reason),
	               container ? "; \"value\" of the output names the member that it takes" : "");
}

/** If the pointer finds nothing, the event may be meant for another output. */
static void check_step(struct lint *lint, const struct config_output *output,
                       struct cue_payload *data, const struct jsonc_node *place)
{
	struct cue_pointer *pointer;
	const struct cJSON *value;
	int r = cue_pointer_new(output->value, &pointer);

	if (r >= 0) {
		r = cue_pointer_get(pointer, data ? data : cue_payload_null(), &value);
		cue_pointer_free(pointer);
	}
	if (r >= 0)
		check_value(lint, output, value, place);
	else if (r == -ENOMEM)
		lint->reader->error = r;
}

/** Check the data of one event against the outputs that it sets. */
static void check_data(const struct targets *targets, const char *type, struct cue_payload *data,
                       const struct jsonc_node *place)
{
	const struct target *t = first_of(targets, type);

	for (; t; t = next_of(targets, t))
		check_step(targets->lint, &targets->lint->config->outputs[t->index], data, place);
}

/** A cycle's values are known too. */
static void check_values(const struct targets *targets, size_t i)
{
	const struct cue_gesture_config *def = &targets->lint->config->gestures[i].def;
	const struct jsonc_node *values = jsonc_get(targets->lint->gestures[i], "values");

	for (size_t k = 0; k < def->n_values; k++)
		check_data(targets, def->emit, def->values[k], jsonc_element(values, k));
}

static void check_steps(const struct targets *targets, size_t i)
{
	struct lint *lint = targets->lint;
	const struct cue_playlist_config *def = &lint->config->playlists[i].def;
	const struct jsonc_node *node = jsonc_get(lint->playlists[i], "steps")->first;

	for (size_t k = 0; k < def->n_steps; k++, node = node->next) {
		const struct jsonc_node *data = jsonc_get(node, "data");

		check_data(targets, def->steps[k].emit, def->steps[k].data, data ? data : node);
	}
}

/* ---- events whose data is an object, whatever is in it ---- */

/** @param what, @param name the event's source, for the message. */
static void check_object(const struct targets *targets, const char *type, const char *what,
                         const char *name)
{
	char quoted[JSONC_QUOTE_SIZE];

	for (const struct target *t = first_of(targets, type); t; t = next_of(targets, t)) {
		struct lint *lint = targets->lint;
		const struct jsonc_node *node = lint->outputs[t->index];
		const struct jsonc_node *value = jsonc_get(node, "value");

		if (*lint->config->outputs[t->index].value)
			continue;
		config_finding(
		        lint->reader, DIAG_ERROR, value ? value : jsonc_get(node, "on_event"),
		        "output-value",
		        "the data of \"%s\" from %s%s%s is an object; \"value\" must name one "
		        "of its members",
		        type, what, name ? " " : "", name ? jsonc_quote(quoted, name) : "");
	}
}

static void check_objects(const struct targets *targets)
{
	const struct config *config = targets->lint->config;

	for (size_t i = 0; i < OWN_TYPES_COUNT; i++)
		check_object(targets, own_types[i], "the gateway", NULL);
	for (size_t i = 0; i < config->n_inputs; i++) {
		check_object(targets, config->inputs[i].event, "input", config->inputs[i].name);
		check_object(targets, config->inputs[i].release_event, "input",
		             config->inputs[i].name);
	}
	for (size_t i = 0; i < config->n_gestures; i++) {
		const struct cue_gesture_config *def = &config->gestures[i].def;

		if (def->type != CUE_GESTURE_CYCLE)
			check_object(targets, def->emit, "gesture", def->name);
		for (size_t k = 0; k < CUE_CLICKS; k++)
			check_object(targets, def->clicks[k], "gesture", def->name);
	}
	for (size_t i = 0; i < config->n_playlists; i++)
		check_object(targets, config->playlists[i].def.completion, "playlist",
		             config->playlists[i].def.name);
}

void lint_outputs(struct lint *lint)
{
	const struct config *config = lint->config;
	struct targets targets = { .lint = lint };

	targets.items = config_alloc(lint->reader, config->n_outputs, sizeof(*targets.items));
	if (!targets.items)
		return;
	for (size_t i = 0; i < config->n_outputs; i++) {
		if (config->outputs[i].on_event && config->outputs[i].value)
			targets.items[targets.n++] =
			        (struct target){ config->outputs[i].on_event, i };
	}
	qsort(targets.items, targets.n, sizeof(*targets.items), by_event);
	for (size_t i = 0; i < config->n_playlists; i++) {
		if (lint_playlist_is_sound(lint, i))
			check_steps(&targets, i);
	}
	for (size_t i = 0; i < config->n_gestures; i++) {
		if (lint_gesture_is_sound(lint, i))
			check_values(&targets, i);
	}
	check_objects(&targets);
}
