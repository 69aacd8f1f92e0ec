/* SPDX-License-Identifier: Apache-2.0 */
/* What every reader of values needs: findings, memory, types. */
#include "config_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finding {
	enum diag_severity severity;
	const struct jsonc_node *node;
	struct jsonc_place place; /**< of the value or of its key */
	const char *rule;
};

__attribute__((format(printf, 3, 0))) static void add_finding(struct config_reader *reader,
                                                              const struct finding *finding,
                                                              const char *format, va_list args)
{
	const char *rule = finding->rule;
	char *text = NULL;
	char *path = jsonc_pointer(finding->node);

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	if (!text || !path)
		reader->error = -ENOMEM;
	diag_add(reader->diag, finding->severity,
	         (struct diag_place){ finding->node->file, finding->place.line,
	                              finding->place.column, path },
	         rule, "%s", text ? text : "(no memory for the message)");
	free(text);
	free(path);
}

void config_finding(struct config_reader *reader, enum diag_severity severity,
                    const struct jsonc_node *node, const char *rule, const char *format, ...)
{
	const struct finding finding = { severity, node, node->place, rule };
	va_list args;

	va_start(args, format);
	add_finding(reader, &finding, format, args);
	va_end(args);
}

void config_key_finding(struct config_reader *reader, enum diag_severity severity,
                        const struct jsonc_node *node, const char *rule, const char *format, ...)
{
	const struct finding finding = { severity, node, node->key ? node->key_place : node->place,
		                         rule };
	va_list args;

	va_start(args, format);
	add_finding(reader, &finding, format, args);
	va_end(args);
}

void *config_alloc(struct config_reader *reader, size_t n, size_t size)
{
	void *p = arena_array(reader->arena, n ? n : 1, size);

	if (!p)
		reader->error = -ENOMEM;
	return p;
}

const char *config_quote(char buf[JSONC_QUOTE_SIZE], const struct jsonc_node *node)
{
	return jsonc_quote(buf, node->written ? node->written : node->text);
}

bool config_key_is_free(const char *key)
{
	return strncmp(key, "x-", 2) == 0;
}

bool config_expect(struct config_reader *reader, const struct config_field *field,
                   const struct jsonc_node *node, enum jsonc_type type)
{
	if (node->type == type)
		return true;
	config_finding(reader, DIAG_ERROR, node, "type", "\"%s\" must be %s, not %s", field->key,
	               jsonc_type_name(type), jsonc_type_name(node->type));
	return false;
}

void config_store_array(const struct config_field *field, void *object, void *array, size_t n)
{
	if (field->size == 0)
		return;
	memcpy((char *)object + field->offset, &array, sizeof(array));
	memcpy((char *)object + field->count_offset, &n, sizeof(n));
}

bool config_check_count(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node)
{
	if (node->n < (size_t)field->min) {
		config_finding(reader, DIAG_ERROR, node, "range", "\"%s\" can't be empty",
		               field->key);
		return false;
	}
	if (field->max != 0 && node->n > (size_t)field->max) {
		config_finding(reader, DIAG_ERROR, node, "range",
		               "\"%s\" has %zu entries; at most %" PRId64 " are allowed",
		               field->key, node->n, field->max);
		return false;
	}
	return true;
}
