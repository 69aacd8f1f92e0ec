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

/** What the reference calls a type; NULL: its range or values do. */
static const char *type_text(const struct config_field *field)
{
	static const char *const texts[] = {
		[CONFIG_STRING] = "string",
		[CONFIG_PATH] = "path",
		[CONFIG_URL] = "URL",
		[CONFIG_NAME] = "name",
		[CONFIG_TOPIC] = "topic",
		[CONFIG_TOPICS] = "array of topics",
		[CONFIG_BOOL] = "boolean",
		[CONFIG_PROTOCOL] = "`5` or `\"3.1.1\"`",
		[CONFIG_EVENT] = "event type",
		[CONFIG_EMIT] = "event type",
		[CONFIG_EVENTS] = "event type or array",
		[CONFIG_FILTER] = "filter",
		[CONFIG_FILTERS] = "filter or array",
		[CONFIG_INTERRUPTS] = "filter or array",
		[CONFIG_EMITS] = "event type, or object of them",
		[CONFIG_VALUES] = "array of any JSON",
		[CONFIG_PLACES] = "object",
		[CONFIG_WHEN] = "condition",
		[CONFIG_DATA] = "any JSON",
		[CONFIG_OBJECT] = "object",
		[CONFIG_STRUCT] = "object",
		[CONFIG_QOS] = "object",
		[CONFIG_LEVELS] = "object",
		[CONFIG_STEERINGS] = "object",
		[CONFIG_ALLOW_EVENTS] = "boolean or array of event types",
		[CONFIG_ALLOW_COMMANDS] = "boolean, group or array of commands",
		[CONFIG_LINE] = "name or offset",
		[CONFIG_LINES] = "array of lines",
		[CONFIG_POINTER] = "JSON Pointer",
		[CONFIG_MAP] = "object of objects",
		[CONFIG_LIST] = "array of objects",
	};

	return (size_t)field->type < sizeof(texts) / sizeof(*texts) ? texts[field->type] : NULL;
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
