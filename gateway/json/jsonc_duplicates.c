/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
	const struct jsonc_node *x = *(struct jsonc_node *const *)a;
	const struct jsonc_node *y = *(struct jsonc_node *const *)b;
	int order = strcmp(x->key, y->key);

	if (order != 0)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void report(const struct jsonc_node *node, const struct jsonc_node *first, struct diag *diag)
{
	char quoted[JSONC_QUOTE_SIZE];
	char *path = jsonc_pointer(node);

	diag_add(diag, DIAG_ERROR,
	         (struct diag_place){ node->file, node->key_place.line, node->key_place.column,
	                              path },
	         "duplicate-key", "key %s is given twice; the first is on line %u",
	         jsonc_quote(quoted, first->key), first->key_place.line);
	free(path);
}

/** Unlink all children marked by an index past the end, in one pass. */
static void sweep(struct jsonc_node *object)
{
	struct jsonc_node *child = object->first;

	object->first = object->last = NULL;
	object->n = 0;
	while (child) {
		struct jsonc_node *next = child->next;

		if (child->index != SIZE_MAX)
			jsonc_append(object, child);
		child = next;
	}
}

static int check_object(struct jsonc_node *object, struct diag *diag)
{
	struct jsonc_node **sorted, *kept;
	bool found = false;
	size_t n = 0;

	sorted = malloc(object->n * sizeof(struct jsonc_node *));
	if (!sorted)
		return -ENOMEM;
	for (struct jsonc_node *child = object->first; child; child = child->next)
		sorted[n++] = child;
	qsort(sorted, n, sizeof(struct jsonc_node *), by_key);
	kept = sorted[0];
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i]->key, kept->key) != 0) {
			kept = sorted[i];
			continue;
		}
		report(sorted[i], kept, diag);
		sorted[i]->index = SIZE_MAX;
		found = true;
	}
	free(sorted);
	if (found)
		sweep(object);
	return 0;
}

int jsonc_drop_duplicates(struct jsonc_node *root, struct diag *diag)
{
	int r;

	if (root->type == JSONC_OBJECT && root->n > 1) {
		r = check_object(root, diag);
		if (r < 0)
			return r;
	}
	/* The parser bounds the depth of the recursion. */
	for (struct jsonc_node *child = root->first; child; child = child->next) {
		r = jsonc_drop_duplicates(child, diag);
		if (r < 0)
			return r;
	}
	return 0;
}
