/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that hold one value: text, numbers, durations, choices. */
#include "config_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "did_you_mean.h"
#include "duration.h"

static void store(const struct config_field *field, void *object, const void *value)
{
	if (field->size > 0)
		memcpy((char *)object + field->offset, value, field->size);
}

static void read_text(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object)
{
	if (config_check_text(reader, field, node))
		store(field, object, &node->text);
}

static void read_uint(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object)
{
	uint64_t value;
	uint32_t narrow;
	int r;

	if (!config_expect(reader, field, node, JSONC_NUMBER))
		return;
	r = jsonc_u64(node, &value);
	if (r == -EINVAL) {
		config_finding(reader, DIAG_ERROR, node, "type", "\"%s\" must be a whole number",
		               field->key);
		return;
	}
	if (r < 0 || value < (uint64_t)field->min || value > (uint64_t)field->max) {
		if (field->min == field->max)
			config_finding(reader, DIAG_ERROR, node, "range", "\"%s\" must be %" PRId64,
			               field->key, field->min);
		else
			config_finding(reader, DIAG_ERROR, node, "range",
			               "\"%s\" must be from %" PRId64 " to %" PRId64, field->key,
			               field->min, field->max);
		return;
	}
	narrow = (uint32_t)value;
	if (field->size == sizeof(narrow))
		store(field, object, &narrow);
	else
		store(field, object, &value);
}

static void read_int(struct config_reader *reader, const struct config_field *field,
                     const struct jsonc_node *node, void *object)
{
	int64_t value;
	int narrow, r;

	if (!config_expect(reader, field, node, JSONC_NUMBER))
		return;
	r = jsonc_i64(node, &value);
	if (r == -EINVAL) {
		config_finding(reader, DIAG_ERROR, node, "type", "\"%s\" must be a whole number",
		               field->key);
		return;
	}
	if (r < 0 || value < field->min || value > field->max) {
		config_finding(reader, DIAG_ERROR, node, "range",
		               "\"%s\" must be from %" PRId64 " to %" PRId64, field->key,
		               field->min, field->max);
		return;
	}
	narrow = (int)value;
	if (field->size == sizeof(narrow))
		store(field, object, &narrow);
	else
		store(field, object, &value);
}

static void read_duration(struct config_reader *reader, const struct config_field *field,
                          const struct jsonc_node *node, void *object)
{
	char quoted[JSONC_QUOTE_SIZE], low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];
	const char *reason;
	uint64_t ns;

	if (node->type != JSONC_STRING) {
		config_finding(reader, DIAG_ERROR, node, "duration",
		               "\"%s\" must be a duration in quotation marks, such as \"20ms\" or "
		               "\"1.5s\", not %s",
		               field->key, jsonc_type_name(node->type));
		return;
	}
	if (duration_parse(node->text, node->text_len, &ns, &reason) < 0) {
		config_finding(reader, DIAG_ERROR, node, "duration", "\"%s\" is %s: %s", field->key,
		               config_quote(quoted, node), reason);
		return;
	}
	if (ns < (uint64_t)field->min || ns > (uint64_t)field->max) {
		duration_format((uint64_t)field->min, low);
		duration_format((uint64_t)field->max, high);
		if (field->min == 1 && ns == 0)
			config_finding(reader, DIAG_ERROR, node, "range", "\"%s\" must be above 0s",
			               field->key);
		else
			config_finding(reader, DIAG_ERROR, node, "range",
			               "\"%s\" must be from %s to %s", field->key, low, high);
		return;
	}
	store(field, object, &ns);
}

/** `"a", "b" or "c"` */
static void list_values(char *buf, size_t size, const char *const *values)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; values[i] && len < size; i++) {
		const char *joint = i == 0 ? "" : values[i + 1] ? ", " : " or ";

		len += (size_t)snprintf(buf + len, size - len, "%s\"%s\"", joint, values[i]);
	}
}

static void tell_choice(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node)
{
	char quoted[JSONC_QUOTE_SIZE], choices[256];
	const char *meant;
	size_t n = 0;

	list_values(choices, sizeof(choices), field->values);
	for (size_t i = 0; field->later && field->later[i]; i++) {
		if (strcmp(field->later[i], node->text) == 0) {
			config_finding(reader, DIAG_ERROR, node, "not-implemented",
			               "%s \"%s\" is not implemented yet; use %s", field->key,
			               field->later[i], choices);
			return;
		}
	}
	while (field->values[n])
		n++;
	meant = did_you_mean(node->text, field->values, n);
	if (meant)
		config_finding(reader, DIAG_ERROR, node, "value",
		               "\"%s\" can't be %s; did you mean \"%s\"? It must be %s", field->key,
		               config_quote(quoted, node), meant, choices);
	else
		config_finding(reader, DIAG_ERROR, node, "value",
		               "\"%s\" can't be %s; it must be %s", field->key,
		               config_quote(quoted, node), choices);
}

static void read_enum(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object)
{
	if (!config_expect(reader, field, node, JSONC_STRING))
		return;
	for (unsigned i = 0; field->values[i]; i++) {
		bool flag = i != 0;

		if (strcmp(field->values[i], node->text) != 0)
			continue;
		/* Not by the size: with 32 bits pointer and enum have the same size. */
		if (field->keeps_text)
			store(field, object, &node->text);
		else if (field->size == sizeof(flag))
			store(field, object, &flag);
		else
			store(field, object, &i);
		return;
	}
	tell_choice(reader, field, node);
}

static void read_protocol(struct config_reader *reader, const struct config_field *field,
                          const struct jsonc_node *node, void *object)
{
	static const struct {
		const char *text;
		int protocol;
	} forms[] = { { "5", 5 }, { "5.0", 5 }, { "3.1.1", 4 } };
	uint64_t number;
	int protocol = 0;

	if (jsonc_u64(node, &number) == 0)
		protocol = number == 5 ? 5 : number == 3 || number == 4 ? 4 : 0;
	for (size_t i = 0; node->type == JSONC_STRING && i < sizeof(forms) / sizeof(*forms); i++) {
		if (strcmp(node->text, forms[i].text) == 0)
			protocol = forms[i].protocol;
	}
	if (protocol != 0) {
		store(field, object, &protocol);
		return;
	}
	config_finding(reader, DIAG_ERROR, node, "value", "\"%s\" must be 5 or \"3.1.1\"",
	               field->key);
}

void config_read_scalar(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node, void *object)
{
	/* Only scalars come here (config_read.c); all others are text. */
	if (field->type == CONFIG_BOOL) {
		if (config_expect(reader, field, node, JSONC_BOOL))
			store(field, object, &node->boolean);
	} else if (field->type == CONFIG_UINT) {
		read_uint(reader, field, node, object);
	} else if (field->type == CONFIG_INT) {
		read_int(reader, field, node, object);
	} else if (field->type == CONFIG_DURATION) {
		read_duration(reader, field, node, object);
	} else if (field->type == CONFIG_ENUM) {
		read_enum(reader, field, node, object);
	} else if (field->type == CONFIG_PROTOCOL) {
		read_protocol(reader, field, node, object);
	} else {
		read_text(reader, field, node, object);
	}
}
