/* SPDX-License-Identifier: Apache-2.0 */
#include "device_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

void device_list_clear(struct device_list *list, const struct device_kind *kind)
{
	for (size_t i = 0; i < list->n; i++)
		kind->destroy(list->items[i]);
	free(list->items);
	*list = (struct device_list){ 0 };
}

/** The device in force with these settings, or NULL. */
static struct device *find_same(const struct device_kind *kind, const struct device_list *current,
                                const void *settings)
{
	for (size_t i = 0; i < current->n; i++) {
		if (kind->has_settings(current->items[i], settings))
			return current->items[i];
	}
	return NULL;
}

static bool holds(const struct device_set *set, const struct device *device)
{
	for (size_t i = 0; i < set->list.n; i++) {
		if (set->list.items[i] == device)
			return true;
	}
	return false;
}

static void set_clear(struct device_set *set)
{
	free(set->list.items);
	free(set->is_new);
	set->list = (struct device_list){ 0 };
	set->is_new = NULL;
}

void device_set_discard(struct device_set *set)
{
	for (size_t i = 0; i < set->list.n; i++) {
		if (set->is_new[i])
			set->kind->destroy(set->list.items[i]);
	}
	set_clear(set);
}

int device_set_new(struct device_set *set, struct engine *engine, const struct config *config,
                   const struct device_list *current, char *error)
{
	size_t n = set->kind->count(config);

	set->list.items = calloc(n + 1, sizeof(*set->list.items));
	set->is_new = calloc(n + 1, sizeof(*set->is_new));
	if (!set->list.items || !set->is_new) {
		snprintf(error, ENGINE_ERROR_SIZE, "out of memory");
		set_clear(set);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		const void *settings = set->kind->settings_at(config, i);
		struct device *device = find_same(set->kind, current, settings);

		set->is_new[i] = !device;
		if (!device) {
			int r = set->kind->create(engine, settings, &device, error);

			if (r < 0) {
				device_set_discard(set);
				return r;
			}
		}
		set->list.items[set->list.n++] = device;
	}
	return 0;
}

void device_set_close_replaced(const struct device_set *set, const struct device_list *current)
{
	for (size_t i = 0; i < current->n; i++) {
		if (!holds(set, current->items[i]))
			set->kind->close(current->items[i]);
	}
}

int device_set_open(struct device_set *set, char *error)
{
	for (size_t i = 0; i < set->list.n; i++) {
		int r = set->is_new[i] ? set->kind->open(set->list.items[i], error) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static void inherit(struct device_set *set, const struct device_list *old)
{
	for (size_t i = 0; set->kind->inherit && i < set->list.n; i++) {
		for (size_t j = 0; set->is_new[i] && j < old->n; j++)
			set->kind->inherit(set->list.items[i], old->items[j]);
	}
}

void device_set_commit(struct device_set *set, struct device_list *current,
                       const struct config *config)
{
	struct device_list old = *current;

	/* Do this last: the old devices work until they are closed. */
	inherit(set, &old);
	for (size_t i = 0; i < old.n; i++) {
		if (!holds(set, old.items[i]))
			set->kind->destroy(old.items[i]);
	}
	free(old.items);
	*current = set->list;
	set->list = (struct device_list){ 0 };
	for (size_t i = 0; i < current->n; i++)
		set->kind->rebind(current->items[i], set->kind->settings_at(config, i));
	for (size_t i = 0; set->kind->start && i < current->n; i++) {
		if (set->is_new[i])
			set->kind->start(current->items[i]);
	}
	set_clear(set);
}

int device_set_begin(const struct device_kind *kind, struct engine *engine,
                     const struct config *config, struct device_list *current, char *error)
{
	struct device_set set = { .kind = kind };
	int r = device_set_new(&set, engine, config, current, error);

	if (r >= 0)
		r = device_set_open(&set, error);
	if (r < 0) {
		device_set_discard(&set);
		return r;
	}
	device_set_commit(&set, current, config);
	return 0;
}

void device_set_close_new(struct device_set *set)
{
	for (size_t i = 0; i < set->list.n; i++) {
		if (set->is_new[i])
			set->kind->close(set->list.items[i]);
	}
}

void device_set_resume_replaced(const struct device_set *set, const struct device_list *current)
{
	for (size_t i = 0; i < current->n; i++) {
		if (!holds(set, current->items[i]))
			set->kind->resume(current->items[i]);
	}
}
