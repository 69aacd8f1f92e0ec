/* SPDX-License-Identifier: Apache-2.0 */
/* The definitions by name, and the slots for their files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "definition_store_internal.h"

bool definition_list_find(const struct definition_list *list, const char *name, size_t *ret_at)
{
	size_t from = 0, to = list->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(list->items[middle].name, name);

		if (order == 0) {
			*ret_at = middle;
			return true;
		}
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	*ret_at = from;
	return false;
}

int definition_list_insert(struct definition_store *store, enum definition_kind kind, size_t at,
                           const struct definition *definition)
{
	struct definition_list *list = &store->kinds[kind];
	struct definition *items = array_grow(list->items, list->n, &list->size, sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	memmove(&list->items[at + 1], &list->items[at], (list->n - at) * sizeof(*list->items));
	list->items[at] = *definition;
	list->n++;
	store->bytes += definition->size;
	return 0;
}

void definition_list_take_out(struct definition_store *store, enum definition_kind kind, size_t at)
{
	struct definition_list *list = &store->kinds[kind];

	store->bytes -= list->items[at].size;
	free(list->items[at].name);
	list->n--;
	memmove(&list->items[at], &list->items[at + 1], (list->n - at) * sizeof(*list->items));
}

/** An unused file number. */
static uint32_t free_file(struct definition_store *store)
{
	for (;;) {
		uint32_t file = ++store->next_file;

		while (store->next_taken < store->n_taken &&
		       store->taken_files[store->next_taken] < file)
			store->next_taken++;
		if (store->next_taken == store->n_taken ||
		    store->taken_files[store->next_taken] != file)
			return file;
	}
}

uint32_t definition_take_slot(struct definition_store *store, uint32_t file)
{
	struct definition_slot *slots;

	if (file == 0) {
		for (size_t i = 0; i < store->n_slots; i++) {
			if (!store->slots[i].used) {
				store->slots[i].used = true;
				return (uint32_t)i;
			}
		}
	}
	slots = array_grow(store->slots, store->n_slots, &store->slots_size, sizeof(*slots));
	if (!slots)
		return DEFINITION_NO_SLOT;
	store->slots = slots;
	store->slots[store->n_slots] = (struct definition_slot){
		.file = file ? file : free_file(store),
		.used = true,
		.next_queued = DEFINITION_NO_SLOT,
	};
	return (uint32_t)store->n_slots++;
}

int definition_store_add(struct definition_store *store, const struct definition_text *text,
                         struct definition_blob *blob, uint32_t file)
{
	struct definition definition = { .size = definition_file_size(text),
		                         .in_force = blob != NULL };
	size_t at;
	int r;

	definition.name = strndup(text->name, text->name_len);
	if (!definition.name)
		return -ENOMEM;
	r = definition_list_find(&store->kinds[text->kind], definition.name, &at) ? -EEXIST : 0;
	if (r >= 0) {
		definition.slot = definition_take_slot(store, file);
		r = definition.slot == DEFINITION_NO_SLOT
		            ? -ENOMEM
		            : definition_list_insert(store, text->kind, at, &definition);
		if (r < 0 && definition.slot != DEFINITION_NO_SLOT)
			store->slots[definition.slot].used = false;
	}
	if (r < 0) {
		free(definition.name);
		return r;
	}
	store->slots[definition.slot].blob = blob;
	if (file == 0)
		definition_queue(store, definition.slot, 0);
	return 0;
}
