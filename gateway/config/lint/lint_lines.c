/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a chip that are used twice. */
#include "lint.h"

#include <stdlib.h>
#include <string.h>

struct line_use {
	const char *chip; /* NULL: any chip with the line */
	const char *line;
	const struct jsonc_node *node;
	size_t order;
};

static int by_line(const void *a, const void *b)
{
	const struct line_use *x = a, *y = b;
	int order = strcmp(x->line, y->line);

	if (order != 0)
		return order;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_gpio(const struct jsonc_node *node)
{
	const struct jsonc_node *driver = jsonc_get(node, "driver");

	return driver && driver->type == JSONC_STRING && strcmp(driver->text, "gpio") == 0;
}

static const char *text_of(const struct jsonc_node *node)
{
	return node && (node->type == JSONC_STRING || node->type == JSONC_NUMBER) ? node->text
	                                                                          : NULL;
}

/** Collect the lines from the tree, so that inputs and outputs are handled alike. */
static size_t collect(const struct jsonc_node *section, struct line_use *uses, size_t n)
{
	const struct jsonc_node *device = NULL;

	if (section && section->type == JSONC_OBJECT)
		device = section->first;
	for (; device; device = device->next) {
		const struct jsonc_node *lines = jsonc_get(device, "lines");
		const struct jsonc_node *line = jsonc_get(device, "line");

		if (!is_gpio(device))
			continue;
		if (lines && !line && lines->type == JSONC_ARRAY)
			line = lines->first;
		for (unsigned i = 0; line && i < DRIVER_LINES_MAX; i++) {
			if (text_of(line))
				uses[n] = (struct line_use){ text_of(jsonc_get(device, "chip")),
					                     text_of(line), line, n };
			n += text_of(line) != NULL;
			line = line->key ? NULL : line->next;
		}
	}
	return n;
}

static bool is_same(const struct line_use *a, const struct line_use *b)
{
	/* Without a chip the first one with that name is used, which may be the same. */
	return !a->chip || !b->chip || strcmp(a->chip, b->chip) == 0;
}

static const char *owner_of(const struct jsonc_node *line)
{
	const struct jsonc_node *device =
	        line->parent->type == JSONC_ARRAY ? line->parent->parent : line->parent;

	return device->key;
}

void lint_lines(struct lint *lint)
{
	const struct jsonc_node *inputs = jsonc_get(lint->root, "inputs");
	const struct jsonc_node *outputs = jsonc_get(lint->root, "outputs");
	size_t devices = (inputs ? inputs->n : 0) + (outputs ? outputs->n : 0);
	struct line_use *uses =
	        config_alloc(lint->reader, devices * DRIVER_LINES_MAX, sizeof(*uses));
	size_t n;

	if (!uses)
		return;
	n = collect(inputs, uses, 0);
	n = collect(outputs, uses, n);
	qsort(uses, n, sizeof(*uses), by_line);
	for (size_t i = 1; i < n; i++) {
		/* Compare only with the nearest use before it: one finding for each superfluous
		 * use. */
		for (size_t k = i; k-- > 0 && strcmp(uses[k].line, uses[i].line) == 0;) {
			char quoted[JSONC_QUOTE_SIZE], owner[JSONC_QUOTE_SIZE];

			if (!is_same(&uses[k], &uses[i]))
				continue;
			config_finding(lint->reader, DIAG_ERROR, uses[i].node, "line-in-use",
			               "line %s is used by %s already (line %u of %s)",
			               jsonc_quote(quoted, uses[i].line),
			               jsonc_quote(owner, owner_of(uses[k].node)),
			               uses[k].node->place.line, uses[k].node->file);
			break;
		}
	}
}
