/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of texts, filters and lines, or a single value where a list is allowed too. */
#include "config_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- event types, topics, filters ---- */

/** The elements of a list, or a single value as a list of one. */
static const struct jsonc_node *first_of(const struct jsonc_node *node, size_t *ret_n)
{
	*ret_n = node->type == JSONC_ARRAY ? node->n : 1;
	return node->type == JSONC_ARRAY ? node->first : node;
}

static const struct jsonc_node *next_of(const struct jsonc_node *list,
                                        const struct jsonc_node *child)
{
	return child == list ? NULL : child->next;
}

static void read_texts(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, void *object)
{
	const struct jsonc_node *child;
	const char **array;
	size_t n, i = 0;

	if (field->type == CONFIG_TOPICS && !config_expect(reader, field, node, JSONC_ARRAY))
		return;
	if (node->type == JSONC_ARRAY && !config_check_count(reader, field, node))
		return;
	child = first_of(node, &n);
	array = config_alloc(reader, n, sizeof(*array));
	for (; array && child; child = next_of(node, child)) {
		if (config_check_text(reader, field, child))
			array[i++] = child->text;
	}
	if (array)
		config_store_array(field, object, array, i);
}

static void read_filters(struct config_reader *reader, const struct config_field *field,
                         const struct jsonc_node *node, void *object)
{
	const struct jsonc_node *child;
	struct cue_filter *array;
	size_t n, i = 0;

	if (node->type == JSONC_ARRAY && !config_check_count(reader, field, node))
		return;
	child = first_of(node, &n);
	array = config_alloc(reader, n, sizeof(*array));
	for (; array && child; child = next_of(node, child)) {
		if (config_filter(reader, field, child, &array[i]))
			i++;
	}
	if (array)
		config_store_array(field, object, array, i);
}

/* ---- lines ---- */

/** Write an offset in its one normal form: lines are compared as text. */
static const char *offset_text(struct config_reader *reader, uint64_t offset)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, offset);
	const char *copy = arena_strndup(reader->arena, text, (size_t)len);

	if (!copy)
		reader->error = -ENOMEM;
	return copy;
}

/** Read a name, or an offset as a number. NULL: a finding or reader->error has the reason. */
static const char *line_text(struct config_reader *reader, const struct config_field *field,
                             const struct jsonc_node *node)
{
	uint64_t offset;

	if (jsonc_u64(node, &offset) == 0 && offset <= UINT32_MAX)
		return offset_text(reader, offset);
	if (node->type == JSONC_STRING && node->text_len > 0)
		return node->text;
	config_finding(reader, DIAG_ERROR, node, "type",
	               "\"%s\" must be a line's name such as \"GPIO17\", or an offset such as 17",
	               field->key);
	return NULL;
}

static void read_lines(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, void *object)
{
	const char *lines[DRIVER_LINES_MAX] = { NULL };
	const struct jsonc_node *child = node;
	size_t n = 1;

	if (field->type == CONFIG_LINES) {
		if (!config_expect(reader, field, node, JSONC_ARRAY) ||
		    !config_check_count(reader, field, node))
			return;
		child = first_of(node, &n);
	}
	for (size_t i = 0; i < n; i++, child = next_of(node, child)) {
		lines[i] = line_text(reader, field, child);
		if (!lines[i])
			return;
	}
	if (field->size > 0) {
		memcpy((char *)object + field->offset, lines, field->size);
		if (field->size == sizeof(lines))
			memcpy((char *)object + field->count_offset, &n, sizeof(n));
	}
}

void config_read_list(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object)
{
	if (field->type == CONFIG_FILTERS || field->type == CONFIG_INTERRUPTS)
		read_filters(reader, field, node, object);
	else if (field->type == CONFIG_LINE || field->type == CONFIG_LINES)
		read_lines(reader, field, node, object);
	else
		read_texts(reader, field, node, object);
}
