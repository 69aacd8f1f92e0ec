/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs of a configuration: opened after the outputs, and kept across a reload if they do not
 * change. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine_internal.h"
#include "same_text.h"

static bool same_data(const struct cue_payload *a, const struct cue_payload *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(cue_payload_bytes(a, NULL), cue_payload_bytes(b, NULL)) == 0;
}

static bool same_range(const struct decoder_range *a, const struct decoder_range *b)
{
	return a->present == b->present && a->wrap == b->wrap && a->min == b->min &&
	       a->max == b->max && a->step == b->step && a->initial == b->initial;
}

static bool same_decoder(const struct decoder_config *a, const struct decoder_config *b)
{
	if (a->n_acceleration != b->n_acceleration)
		return false;
	for (size_t i = 0; i < a->n_acceleration; i++) {
		if (a->acceleration[i].within_ns != b->acceleration[i].within_ns ||
		    a->acceleration[i].factor != b->acceleration[i].factor)
			return false;
	}
	return a->kind == b->kind && a->debounce_ns == b->debounce_ns &&
	       a->debounce_eager == b->debounce_eager &&
	       a->steps_per_detent == b->steps_per_detent && same_range(&a->range, &b->range);
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
	       same_decoder(&a->decoder, &b->decoder) && a->producer_id == b->producer_id &&
	       same_text(a->event, b->event) && same_text(a->release_event, b->release_event) &&
	       same_data(a->data, b->data);
}

/* ---- as devices of a set ---- */

static struct input *input_of(struct device *device)
{
	return (struct input *)device;
}

static size_t count(const struct config *config)
{
	return config->n_inputs;
}

static const void *settings_at(const struct config *config, size_t index)
{
	return &config->inputs[index];
}

static bool has_settings(const struct device *device, const void *settings)
{
	return same_input(input_config((const struct input *)device), settings);
}

static int create(struct engine *engine, const void *settings, struct device **ret_device,
                  char *error)
{
	struct input *input;
	int r = input_new(engine, settings, &input, error);

	if (r >= 0)
		*ret_device = (struct device *)input;
	return r;
}

static void destroy(struct device *device)
{
	input_free(input_of(device));
}

static int open_device(struct device *device, char *error)
{
	return input_open(input_of(device), error);
}

static void close_device(struct device *device)
{
	input_close(input_of(device));
}

static void resume(struct device *device)
{
	char error[ENGINE_ERROR_SIZE];

	if (input_open(input_of(device), error) < 0)
		input_fail(input_of(device), error);
	else
		input_resume(input_of(device));
}

static void rebind(struct device *device, const void *settings)
{
	input_rebind(input_of(device), settings);
}

/** Copy the count to an input that is created again for a changed configuration. */
static void inherit(struct device *device, const struct device *old)
{
	const struct input *from = (const struct input *)old;

	if (strcmp(input_config(from)->name, input_config(input_of(device))->name) == 0)
		input_inherit(input_of(device), from);
}

static void start(struct device *device)
{
	input_start(input_of(device));
}

const struct device_kind engine_input_kind = {
	.count = count,
	.settings_at = settings_at,
	.has_settings = has_settings,
	.create = create,
	.destroy = destroy,
	.open = open_device,
	.close = close_device,
	.resume = resume,
	.rebind = rebind,
	.inherit = inherit,
	.start = start,
};

struct input *engine_input(const struct engine *engine, size_t index)
{
	return input_of(engine->inputs.items[index]);
}

struct input *engine_find_input(const struct engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->inputs.n; i++) {
		if (strcmp(input_config(engine_input(engine, i))->name, name) == 0)
			return engine_input(engine, i);
	}
	return NULL;
}

/* ---- public functions ---- */

int engine_open_inputs(struct engine *engine, char error[ENGINE_ERROR_SIZE])
{
	int r;

	if (engine->opened)
		return -EALREADY;
	r = engine->outputs_opened ? 0 : engine_open_outputs(engine, error);
	if (r >= 0)
		r = device_set_begin(&engine_input_kind, engine, engine->config.config,
		                     &engine->inputs, error);
	if (r >= 0)
		engine->opened = true;
	return r;
}

int engine_input_restore(struct engine *engine, const char *name, enum decoder_kind kind,
                         int64_t value)
{
	struct input *input = engine_find_input(engine, name);

	return input ? input_restore(input, kind, value) : -ENOENT;
}

int engine_input_position(struct engine *engine, const char *name, int64_t position,
                          uint64_t time_ns, int64_t *ret_change)
{
	struct input *input = engine_find_input(engine, name);

	return input ? input_set_position(input, position, time_ns, ret_change) : -ENOENT;
}

struct decoder_range engine_input_range(const struct engine *engine, const char *name)
{
	const struct input *input = engine_find_input(engine, name);

	return input ? input_config(input)->decoder.range : (struct decoder_range){ 0 };
}

int engine_input_foreach(struct engine *engine,
                         int (*visit)(void *user, const struct engine_input_info *info), void *user)
{
	for (size_t i = 0; i < engine->inputs.n; i++) {
		struct engine_input_info info;
		int r;

		input_get_info(engine_input(engine, i), &info);
		r = visit(user, &info);
		if (r != 0)
			return r;
	}
	return 0;
}
