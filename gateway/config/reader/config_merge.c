/* SPDX-License-Identifier: Apache-2.0 */
#include "config_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
	const struct jsonc_node *x = *(struct jsonc_node *const *)a;
	const struct jsonc_node *y = *(struct jsonc_node *const *)b;

	return strcmp(x->key, y->key);
}

/** The members in order of key, for fast look-up: sections may have thousands. NULL: no memory. */
static struct jsonc_node **index_of(const struct jsonc_node *object)
{
	struct jsonc_node **index = calloc(object->n ? object->n : 1, sizeof(struct jsonc_node *));
	size_t n = 0;

	if (!index)
		return NULL;
	for (struct jsonc_node *child = object->first; child; child = child->next)
		index[n++] = child;
	qsort(index, n, sizeof(struct jsonc_node *), by_key);
	return index;
}

static void tell_twice(struct config_reader *reader, const struct jsonc_node *second,
                       const struct jsonc_node *first)
{
	char quoted[JSONC_QUOTE_SIZE];

	config_key_finding(reader, DIAG_ERROR, second, "duplicate-key",
	                   "%s is given twice; the first is in %s:%u:%u",
	                   jsonc_quote(quoted, second->key), first->file, first->key_place.line,
	                   first->key_place.column);
}

static void merge_section(struct config_reader *reader, struct jsonc_node *section,
                          struct jsonc_node *other)
{
	size_t n = section->n;
	struct jsonc_node **index = index_of(section);
	struct jsonc_node *next;

	if (!index) {
		reader->error = -ENOMEM;
		return;
	}
	for (struct jsonc_node *child = other->first; child; child = next) {
		struct jsonc_node **found;

		next = child->next;
		found = bsearch(&child, index, n, sizeof(struct jsonc_node *), by_key);
		if (found && config_key_is_free(child->key))
			continue;
		if (found) {
			tell_twice(reader, child, *found);
			continue;
		}
		jsonc_append(section, child);
	}
	free(index);
}

void config_merge(struct config_reader *reader, struct jsonc_node *root, struct jsonc_node *other)
{
	struct jsonc_node *next;

	for (struct jsonc_node *child = other->first; child; child = next) {
		struct jsonc_node *section = jsonc_get(root, child->key);

		next = child->next;
		if (!section)
			jsonc_append(root, child);
		else if (section->type == JSONC_OBJECT && child->type == JSONC_OBJECT)
			merge_section(reader, section, child);
		else if (strcmp(child->key, "version") == 0 && child->type == section->type &&
		         child->text && strcmp(child->text, section->text) == 0)
			continue;
		else if (strcmp(child->key, "version") == 0)
			config_finding(reader, DIAG_ERROR, child, "duplicate-key",
			               "another \"version\" than in %s", section->file);
		else if (!config_key_is_free(child->key))
			tell_twice(reader, child, section);
	}
}
