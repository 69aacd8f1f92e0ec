/* SPDX-License-Identifier: Apache-2.0 */
/* The outputs of a configuration: opened first, closed first, and kept across a reload if they do
 * not change. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine_internal.h"
#include "same_text.h"

static bool same_map(const struct config_output *a, const struct config_output *b)
{
	if (a->n_map != b->n_map)
		return false;
	for (size_t i = 0; i < a->n_map; i++) {
		if (strcmp(a->map[i].text, b->map[i].text) != 0 ||
		    a->map[i].level != b->map[i].level)
			return false;
	}
	return true;
}

static bool same_output(const struct config_output *a, const struct config_output *b)
{
	return same_text(a->name, b->name) && same_text(a->driver, b->driver) &&
	       same_text(a->chip, b->chip) && same_text(a->line, b->line) &&
	       a->active_low == b->active_low && a->safe_value == b->safe_value &&
	       same_text(a->on_event, b->on_event) && same_text(a->value, b->value) &&
	       same_map(a, b);
}

/* ---- as devices of a set ---- */

static struct output *output_of(struct device *device)
{
	return (struct output *)device;
}

static size_t count(const struct config *config)
{
	return config->n_outputs;
}

static const void *settings_at(const struct config *config, size_t index)
{
	return &config->outputs[index];
}

static bool has_settings(const struct device *device, const void *settings)
{
	return same_output(output_config((const struct output *)device), settings);
}

static int create(struct engine *engine, const void *settings, struct device **ret_device,
                  char *error)
{
	struct output *output;
	int r = output_new(engine, settings, &output, error);

	if (r >= 0)
		*ret_device = (struct device *)output;
	return r;
}

static void destroy(struct device *device)
{
	output_free(output_of(device));
}

static int open_device(struct device *device, char *error)
{
	return output_open(output_of(device), error);
}

static void close_device(struct device *device)
{
	output_close(output_of(device));
}

static void resume(struct device *device)
{
	output_resume(output_of(device));
}

static void rebind(struct device *device, const void *settings)
{
	output_rebind(output_of(device), settings);
}

const struct device_kind engine_output_kind = {
	.count = count,
	.settings_at = settings_at,
	.has_settings = has_settings,
	.create = create,
	.destroy = destroy,
	.open = open_device,
	.close = close_device,
	.resume = resume,
	.rebind = rebind,
};

/* ---- public functions ---- */

int engine_open_outputs(struct engine *engine, char error[ENGINE_ERROR_SIZE])
{
	int r;

	if (engine->outputs_opened)
		return -EALREADY;
	r = device_set_begin(&engine_output_kind, engine, engine->config.config, &engine->outputs,
	                     error);
	if (r >= 0)
		engine->outputs_opened = true;
	return r;
}

void engine_close_outputs(struct engine *engine)
{
	for (size_t i = 0; i < engine->outputs.n; i++)
		output_close(output_of(engine->outputs.items[i]));
}

int engine_output_foreach(struct engine *engine,
                          int (*visit)(void *user, const struct engine_output_info *info),
                          void *user)
{
	for (size_t i = 0; i < engine->outputs.n; i++) {
		struct engine_output_info info;
		int r;

		output_get_info(output_of(engine->outputs.items[i]), &info);
		r = visit(user, &info);
		if (r != 0)
			return r;
	}
	return 0;
}

void engine_get_output_totals(const struct engine *engine, struct engine_output_totals *ret_totals)
{
	*ret_totals = engine->output_totals;
}
