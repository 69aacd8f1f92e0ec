/* SPDX-License-Identifier: Apache-2.0 */
/* The outputs of a configuration: opened first, closed first, and kept across a reload if they do
 * not change. */
#include "engine_internal.h"
#include "same_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct output *find_same(const struct engine *engine, const struct config_output *config)
{
	for (size_t i = 0; i < engine->n_outputs; i++) {
		if (same_output(output_config(engine->outputs[i]), config))
			return engine->outputs[i];
	}
	return NULL;
}

static bool holds(const struct output_set *set, const struct output *output)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->items[i] == output)
			return true;
	}
	return false;
}

void output_set_discard(struct output_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->is_new[i])
			output_free(set->items[i]);
	}
	free(set->items);
	free(set->is_new);
	*set = (struct output_set){ 0 };
}

int output_set_new(struct engine *engine, const struct config *config, struct output_set *set,
                   char error[ENGINE_ERROR_SIZE])
{
	set->items = calloc(config->n_outputs + 1, sizeof(struct output *));
	set->is_new = calloc(config->n_outputs + 1, sizeof(*set->is_new));
	if (!set->items || !set->is_new) {
		snprintf(error, ENGINE_ERROR_SIZE, "out of memory");
		output_set_discard(set);
		return -ENOMEM;
	}
	for (size_t i = 0; i < config->n_outputs; i++) {
		struct output *output = find_same(engine, &config->outputs[i]);

		set->is_new[i] = !output;
		if (!output) {
			int r = output_new(engine, &config->outputs[i], &output, error);

			if (r < 0) {
				output_set_discard(set);
				return r;
			}
		}
		set->items[set->n++] = output;
	}
	return 0;
}

int output_set_open(struct output_set *set, char error[ENGINE_ERROR_SIZE])
{
	for (size_t i = 0; i < set->n; i++) {
		int r = set->is_new[i] ? output_open(set->items[i], error) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void output_set_commit(struct engine *engine, struct output_set *set)
{
	struct output_set old = { .items = engine->outputs, .n = engine->n_outputs };

	for (size_t i = 0; i < old.n; i++) {
		if (!holds(set, old.items[i]))
			output_free(old.items[i]);
	}
	free(old.items);
	engine->outputs = set->items;
	engine->n_outputs = set->n;
	for (size_t i = 0; i < set->n; i++)
		output_rebind(set->items[i], &engine->config.config->outputs[i]);
	free(set->is_new);
	*set = (struct output_set){ 0 };
}

void output_set_close_replaced(struct engine *engine, const struct output_set *set)
{
	for (size_t i = 0; i < engine->n_outputs; i++) {
		if (!holds(set, engine->outputs[i]))
			output_close(engine->outputs[i]);
	}
}

void output_set_back_out(struct engine *engine, struct output_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->is_new[i])
			output_close(set->items[i]);
	}
	for (size_t i = 0; i < engine->n_outputs; i++) {
		if (!holds(set, engine->outputs[i]))
			output_resume(engine->outputs[i]);
	}
	output_set_discard(set);
}

/* ---- public functions ---- */

int engine_open_outputs(struct engine *engine, char error[ENGINE_ERROR_SIZE])
{
	struct output_set set = { 0 };
	int r;

	if (engine->outputs_opened)
		return -EALREADY;
	r = output_set_new(engine, engine->config.config, &set, error);
	if (r < 0)
		return r;
	r = output_set_open(&set, error);
	if (r < 0) {
		output_set_discard(&set);
		return r;
	}
	engine->outputs_opened = true;
	output_set_commit(engine, &set);
	return 0;
}

void engine_close_outputs(struct engine *engine)
{
	for (size_t i = 0; i < engine->n_outputs; i++)
		output_close(engine->outputs[i]);
}

int engine_output_foreach(struct engine *engine,
                          int (*visit)(void *user, const struct engine_output_info *info),
                          void *user)
{
	for (size_t i = 0; i < engine->n_outputs; i++) {
		struct engine_output_info info;
		int r;

		output_get_info(engine->outputs[i], &info);
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
