/* SPDX-License-Identifier: Apache-2.0 */
#include "schema_config.h"

#include <inttypes.h>
#include <string.h>

#include "config_table.h"
#include "duration.h"
#include "schema_text.h"

static void print_range(FILE *out, const struct config_field *field)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	if (field->type != CONFIG_DURATION) {
		if (field->min == field->max)
			fprintf(out, "`%" PRId64 "`", field->min);
		else
			fprintf(out, "integer, %" PRId64 " to %" PRId64, field->min, field->max);
		return;
	}
	duration_format((uint64_t)field->min, low);
	duration_format((uint64_t)field->max, high);
	if (field->min == 1)
		fprintf(out, "duration, above 0s, up to %s", high);
	else
		fprintf(out, "duration, %s to %s", low, high);
}

static const char *type_text(const struct config_field *field)
{
	switch (field->type) {
	case CONFIG_STRING:
		return "string";
	case CONFIG_PATH:
		return "path";
	case CONFIG_URL:
		return "URL";
	case CONFIG_NAME:
		return "name";
	case CONFIG_TOPIC:
		return "topic";
	case CONFIG_TOPICS:
		return "array of topics";
	case CONFIG_BOOL:
		return "boolean";
	case CONFIG_PROTOCOL:
		return "`5` or `\"3.1.1\"`";
	case CONFIG_EVENT:
	case CONFIG_EMIT:
		return "event type";
	case CONFIG_EVENTS:
		return "event type or array";
	case CONFIG_FILTER:
		return "filter";
	case CONFIG_FILTERS:
	case CONFIG_INTERRUPTS:
		return "filter or array";
	case CONFIG_WHEN:
		return "condition";
	case CONFIG_DATA:
		return "any JSON";
	case CONFIG_OBJECT:
	case CONFIG_STRUCT:
	case CONFIG_QOS:
	case CONFIG_LEVELS:
		return "object";
	case CONFIG_ALLOW_EVENTS:
		return "boolean or array of event types";
	case CONFIG_ALLOW_COMMANDS:
		return "boolean, group or array of commands";
	case CONFIG_LINE:
		return "name or offset";
	case CONFIG_LINES:
		return "array of lines";
	case CONFIG_POINTER:
		return "JSON Pointer";
	case CONFIG_MAP:
		return "object of objects";
	case CONFIG_LIST:
		return "array of objects";
	case CONFIG_UINT:
	case CONFIG_INT:
	case CONFIG_DURATION:
	case CONFIG_ENUM:
		break;
	}
	return NULL;
}

static void print_values(FILE *out, const struct config_field *field)
{
	for (size_t i = 0; field->values[i]; i++)
		fprintf(out, "%s`%s`", i > 0 ? ", " : "", field->values[i]);
}

/** The variants of one group in @p bits: "`double_tap`, `multi_tap`". */
static void print_variants(FILE *out, const struct config_table *table, uint32_t bits,
                           const char *before)
{
	for (size_t i = 0; i < CONFIG_VARIANTS_MAX && table->variants[i].key; i++) {
		const struct config_variant *variant = &table->variants[i];
		const struct config_field *by = config_table_find(table, variant->key);
		bool any = false;

		for (unsigned v = 0; by->values[v]; v++) {
			if ((bits & (1U << (variant->shift + v))) == 0)
				continue;
			if (!any)
				fprintf(out, " %s `%s`", before, variant->key);
			fprintf(out, "%s `%s`", any ? "," : "", by->values[v]);
			any = true;
		}
		if (any)
			fputc('.', out);
	}
}

void schema_text_type(FILE *out, const struct config_field *field)
{
	if (field->type == CONFIG_ENUM)
		print_values(out, field);
	else if (type_text(field))
		fputs(type_text(field), out);
	else
		print_range(out, field);
}

void schema_text_doc(FILE *out, const struct config_table *table, const struct config_field *field)
{
	fputs(field->doc, out);
	if (field->not_implemented)
		fputs(" *Not implemented yet.*", out);
	print_variants(out, table, field->variants, "Only with");
	print_variants(out, table, field->required_in, "Required with");
}

static void print_field(FILE *out, const struct config_table *table,
                        const struct config_field *field)
{
	fprintf(out, "| `%s` | ", field->key);
	schema_text_type(out, field);
	if (field->required)
		fputs(" | **required** | ", out);
	else if (field->initial && *field->initial)
		fprintf(out, " | `%s` | ", field->initial);
	else
		fputs(" | | ", out);
	schema_text_doc(out, table, field);
	fputs(" |\n", out);
}

static void print_table(FILE *out, const struct config_table *table)
{
	fprintf(out, "### %s\n\n| key | type | default | |\n|---|---|---|---|\n", table->title);
	for (size_t i = 0; i < table->n_fields; i++)
		print_field(out, table, &table->fields[i]);
	fputc('\n', out);
	for (size_t i = 0; i < table->n_fields; i++) {
		if (table->fields[i].table)
			print_table(out, table->fields[i].table);
	}
}

void schema_config_markdown(FILE *stream)
{
	print_table(stream, &config_table_root);
}
