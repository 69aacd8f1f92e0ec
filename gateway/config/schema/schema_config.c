/* SPDX-License-Identifier: Apache-2.0 */
#include "schema_config.h"

#include <cuebus/json_writer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_table.h"
#include "json_indent.h"
#include "schema_parts.h"

/* 1 to 65535 */
#define PORT                                                                                       \
	"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

#define EVENT_PATTERN "^[a-z0-9_-]+([.][a-z0-9_-]+){0,7}([.][*])?$"

static void raw(struct cue_writer *w, const char *json)
{
	cue_writer_raw(w, json, strlen(json));
}

static void text_member(struct cue_writer *w, const char *key, const char *text)
{
	cue_writer_key(w, key);
	cue_writer_string(w, text);
}

static void number_member(struct cue_writer *w, const char *key, int64_t value)
{
	cue_writer_key(w, key);
	cue_writer_i64(w, value);
}

static void ref_member(struct cue_writer *w, const char *name)
{
	char ref[64] = "#/$defs/";

	strncat(ref, name, sizeof(ref) - strlen(ref) - 1);
	text_member(w, "$ref", ref);
}

/** A reference to the part @p name; a name also has a length. */
static void ref_field(struct cue_writer *w, const struct config_field *field, const char *name)
{
	ref_member(w, name);
	if (field->type == CONFIG_NAME)
		number_member(w, "maxLength", field->max);
}

static void ref_object(struct cue_writer *w, const char *name)
{
	cue_writer_object_begin(w);
	ref_member(w, name);
	cue_writer_object_end(w);
}

/* ---- one field ---- */

static void array_of(struct cue_writer *w, const struct config_field *field, const char *name)
{
	text_member(w, "type", "array");
	if (field->min > 0)
		number_member(w, "minItems", field->min);
	if (field->max > 0)
		number_member(w, "maxItems", field->max);
	cue_writer_key(w, "items");
	ref_object(w, name);
}

static void one_or_array_of(struct cue_writer *w, const struct config_field *field,
                            const char *name)
{
	cue_writer_key(w, "oneOf");
	cue_writer_array_begin(w);
	ref_object(w, name);
	cue_writer_object_begin(w);
	array_of(w, field, name);
	cue_writer_object_end(w);
	cue_writer_array_end(w);
}

static void string_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "string");
	if (field->type == CONFIG_POINTER) {
		text_member(w, "pattern", "^(/([^/~]|~[01])*)*$");
		return;
	}
	if (field->type == CONFIG_URL)
		text_member(w, "pattern",
		            "^mqtts?://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:0*" PORT ")?/?$");
	number_member(w, "minLength", field->type == CONFIG_STRING ? field->min : 1);
	if (field->max > 0)
		number_member(w, "maxLength", field->max);
}

static void integer_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "integer");
	number_member(w, "minimum", field->min);
	number_member(w, "maximum", field->max);
}

static void enum_field(struct cue_writer *w, const struct config_field *field)
{
	cue_writer_key(w, "enum");
	cue_writer_array_begin(w);
	for (size_t i = 0; field->values[i]; i++)
		cue_writer_string(w, field->values[i]);
	cue_writer_array_end(w);
}

static void protocol_field(struct cue_writer *w, const struct config_field *field)
{
	(void)field;
	cue_writer_key(w, "enum");
	raw(w, "[5,\"5\",\"5.0\",4,3,\"3.1.1\"]");
}

static void map_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "object");
	cue_writer_key(w, "propertyNames");
	ref_object(w, "name");
	cue_writer_key(w, "patternProperties");
	raw(w, "{\"^x-\":true}");
	cue_writer_key(w, "additionalProperties");
	ref_object(w, field->table->name);
}

static void qos_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "object");
	number_member(w, "maxProperties", field->max);
	cue_writer_key(w, "propertyNames");
	raw(w, "{\"pattern\":\"" EVENT_PATTERN "\"}");
	cue_writer_key(w, "additionalProperties");
	raw(w, "{\"enum\":[0,1,\"off\"]}");
}

static void levels_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "object");
	number_member(w, "maxProperties", field->max);
	cue_writer_key(w, "propertyNames");
	raw(w, "{\"maxLength\":256}");
	cue_writer_key(w, "additionalProperties");
	raw(w, "{\"enum\":[true,false,1,0]}");
}

static void steerings_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "object");
	number_member(w, "maxProperties", field->max);
	cue_writer_key(w, "propertyNames");
	ref_object(w, "event_type");
	cue_writer_key(w, "additionalProperties");
	ref_object(w, "steering");
}

static void values_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "array");
	number_member(w, "minItems", field->min);
	number_member(w, "maxItems", field->max);
}

static void places_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", "object");
	number_member(w, "maxProperties", field->max);
	cue_writer_key(w, "propertyNames");
	ref_object(w, "event_type");
	cue_writer_key(w, "additionalProperties");
	cue_writer_object_begin(w);
	text_member(w, "type", "integer");
	number_member(w, "minimum", 0);
	number_member(w, "maximum", field->max - 1);
	cue_writer_object_end(w);
}

static void allow_field(struct cue_writer *w, const struct config_field *field)
{
	cue_writer_key(w, "oneOf");
	cue_writer_array_begin(w);
	raw(w, "{\"type\":\"boolean\"}");
	if (field->type == CONFIG_ALLOW_COMMANDS)
		raw(w, "{\"enum\":[\"use\",\"admin\"]}");
	cue_writer_object_begin(w);
	text_member(w, "type", "array");
	number_member(w, "maxItems", field->max);
	cue_writer_key(w, "items");
	raw(w, field->type == CONFIG_ALLOW_EVENTS
	               ? "{\"type\":\"string\",\"maxLength\":130,"
	                 "\"pattern\":\"" EVENT_PATTERN "\"}"
	               : "{\"type\":\"string\",\"pattern\":\"^[a-z]+(/[a-z]+)?$\"}");
	cue_writer_object_end(w);
	cue_writer_array_end(w);
}

/** The definition or table that a field of this type refers to, or is a list of; NULL: none. */
static const char *referred(const struct config_field *field)
{
	static const char *const names[] = {
		[CONFIG_NAME] = "name",
		[CONFIG_TOPIC] = "topic",
		[CONFIG_TOPICS] = "topic_prefix",
		[CONFIG_DURATION] = "duration",
		[CONFIG_EVENT] = "event_type",
		[CONFIG_EMIT] = "open_event_type",
		[CONFIG_EVENTS] = "event_type",
		[CONFIG_FILTER] = "filter",
		[CONFIG_FILTERS] = "filter",
		[CONFIG_INTERRUPTS] = "interrupt",
		[CONFIG_EMITS] = "emits",
		[CONFIG_WHEN] = "when",
		[CONFIG_LINE] = "line",
		[CONFIG_LINES] = "line",
		[CONFIG_LIST] = NULL, /* the last type, so that every type has an element */
	};

	if (field->type == CONFIG_DURATION && field->min == 1)
		return "positive_duration";
	return field->table ? field->table->name : names[field->type];
}

static void by_reference(struct cue_writer *w, const struct config_field *field)
{
	ref_field(w, field, referred(field));
}

static void by_array(struct cue_writer *w, const struct config_field *field)
{
	array_of(w, field, referred(field));
}

static void one_or_many(struct cue_writer *w, const struct config_field *field)
{
	one_or_array_of(w, field, referred(field));
}

static void plain_field(struct cue_writer *w, const struct config_field *field)
{
	text_member(w, "type", field->type == CONFIG_BOOL ? "boolean" : "object");
}

static void field_type(struct cue_writer *w, const struct config_field *field)
{
	/* By type; CONFIG_DATA takes anything, and has none. */
	static void (*const writers[])(struct cue_writer *, const struct config_field *) = {
		[CONFIG_NAME] = by_reference,
		[CONFIG_TOPIC] = by_reference,
		[CONFIG_DURATION] = by_reference,
		[CONFIG_EVENT] = by_reference,
		[CONFIG_EMIT] = by_reference,
		[CONFIG_EMITS] = by_reference,
		[CONFIG_FILTER] = by_reference,
		[CONFIG_WHEN] = by_reference,
		[CONFIG_LINE] = by_reference,
		[CONFIG_STRUCT] = by_reference,
		[CONFIG_TOPICS] = by_array,
		[CONFIG_LINES] = by_array,
		[CONFIG_LIST] = by_array,
		[CONFIG_EVENTS] = one_or_many,
		[CONFIG_FILTERS] = one_or_many,
		[CONFIG_INTERRUPTS] = one_or_many,
		[CONFIG_STRING] = string_field,
		[CONFIG_PATH] = string_field,
		[CONFIG_URL] = string_field,
		[CONFIG_POINTER] = string_field,
		[CONFIG_UINT] = integer_field,
		[CONFIG_INT] = integer_field,
		[CONFIG_BOOL] = plain_field,
		[CONFIG_OBJECT] = plain_field,
		[CONFIG_ENUM] = enum_field,
		[CONFIG_PROTOCOL] = protocol_field,
		[CONFIG_ALLOW_EVENTS] = allow_field,
		[CONFIG_ALLOW_COMMANDS] = allow_field,
		[CONFIG_QOS] = qos_field,
		[CONFIG_LEVELS] = levels_field,
		[CONFIG_STEERINGS] = steerings_field,
		[CONFIG_VALUES] = values_field,
		[CONFIG_PLACES] = places_field,
		[CONFIG_MAP] = map_field,
	};

	if ((size_t)field->type < sizeof(writers) / sizeof(*writers) && writers[field->type])
		writers[field->type](w, field);
}

static void write_field(struct cue_writer *w, const struct config_field *field)
{
	cue_writer_object_begin(w);
	text_member(w, "description", field->doc);
	if (field->not_implemented)
		text_member(w, "$comment", "Not implemented yet: a warning says so.");
	field_type(w, field);
	if (field->initial) {
		cue_writer_key(w, "default");
		if (field->type == CONFIG_BOOL || field->type == CONFIG_ALLOW_EVENTS ||
		    field->type == CONFIG_UINT || field->type == CONFIG_INT ||
		    field->type == CONFIG_PROTOCOL)
			raw(w, field->initial);
		else
			cue_writer_string(w, field->initial);
	}
	cue_writer_object_end(w);
}

/* ---- one object ---- */

static void write_required(struct cue_writer *w, const struct config_table *table, uint32_t bit)
{
	bool any = false;

	for (size_t i = 0; i < table->n_fields; i++) {
		const struct config_field *field = &table->fields[i];

		if (bit ? (field->required_in & bit) == 0 : !field->required)
			continue;
		if (!any) {
			cue_writer_key(w, "required");
			cue_writer_array_begin(w);
		}
		any = true;
		cue_writer_string(w, field->key);
	}
	if (any)
		cue_writer_array_end(w);
}

/** Write the rule "if this variant, then these keys are required and those are not allowed". */
static void write_variant(struct cue_writer *w, const struct config_table *table,
                          const struct config_variant *variant, unsigned value)
{
	const struct config_field *by = config_table_find(table, variant->key);
	uint32_t bit = 1U << (variant->shift + value), group = 0xFFU << variant->shift;

	cue_writer_object_begin(w);
	cue_writer_key(w, "if");
	cue_writer_object_begin(w);
	cue_writer_key(w, "properties");
	cue_writer_object_begin(w);
	cue_writer_key(w, variant->key);
	cue_writer_object_begin(w);
	text_member(w, "const", by->values[value]);
	cue_writer_object_end(w);
	cue_writer_object_end(w);
	cue_writer_key(w, "required");
	cue_writer_array_begin(w);
	cue_writer_string(w, variant->key);
	cue_writer_array_end(w);
	cue_writer_object_end(w);
	cue_writer_key(w, "then");
	cue_writer_object_begin(w);
	write_required(w, table, bit);
	cue_writer_key(w, "properties");
	cue_writer_object_begin(w);
	for (size_t i = 0; i < table->n_fields && variant->severity == DIAG_ERROR; i++) {
		const struct config_field *field = &table->fields[i];

		if ((field->variants & group) == 0 || (field->variants & bit) != 0)
			continue;
		cue_writer_key(w, field->key);
		cue_writer_bool(w, false);
	}
	cue_writer_object_end(w);
	cue_writer_object_end(w);
	cue_writer_object_end(w);
}

static void write_rules(struct cue_writer *w, const struct config_table *table)
{
	if (!table->variants[0].key && !table->schema_rules)
		return;
	cue_writer_key(w, "allOf");
	cue_writer_array_begin(w);
	for (size_t i = 0; i < CONFIG_VARIANTS_MAX && table->variants[i].key; i++) {
		const struct config_field *by = config_table_find(table, table->variants[i].key);

		for (unsigned v = 0; by->values[v]; v++)
			write_variant(w, table, &table->variants[i], v);
	}
	if (table->schema_rules)
		raw(w, table->schema_rules);
	cue_writer_array_end(w);
}

/** Write the members of the object's schema; the caller writes the braces. */
static void write_members(struct cue_writer *w, const struct config_table *table)
{
	text_member(w, "type", "object");
	cue_writer_key(w, "properties");
	cue_writer_object_begin(w);
	for (size_t i = 0; i < table->n_fields; i++) {
		cue_writer_key(w, table->fields[i].key);
		write_field(w, &table->fields[i]);
	}
	cue_writer_object_end(w);
	write_required(w, table, 0);
	cue_writer_key(w, "patternProperties");
	raw(w, "{\"^x-\":true}");
	cue_writer_key(w, "additionalProperties");
	cue_writer_bool(w, false);
	write_rules(w, table);
}

/** Write the definitions of all objects below @p table; each is used once. */
static void write_tables(struct cue_writer *w, const struct config_table *table)
{
	for (size_t i = 0; i < table->n_fields; i++) {
		const struct config_table *below = table->fields[i].table;

		if (!below)
			continue;
		cue_writer_key(w, below->name);
		cue_writer_object_begin(w);
		write_members(w, below);
		cue_writer_object_end(w);
		write_tables(w, below);
	}
}

static const char example[] =
        "[{\"version\":1,\"gateway\":{\"id\":\"porch\"},\"inputs\":{\"pad\":{\"driver\":\"sim\","
        "\"kind\":\"button\",\"event\":\"button.press\"}},\"gestures\":{\"button.double\":"
        "{\"type\":\"double_tap\",\"source\":\"button.press\",\"window\":\"500ms\","
        "\"emit\":\"button.double_tap\"}},\"playlists\":{\"flash\":{\"trigger\":\"button.double_"
        "tap\","
        "\"steps\":[{\"emit\":\"lamp.set\",\"data\":{\"on\":true}},"
        "{\"emit\":\"lamp.set\",\"data\":{\"on\":false},\"offset\":\"200ms\"}]}}}]";

static int write_schema(char **ret_compact)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	text_member(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	text_member(&w, "$id", "urn:cuebus:schema:1:config");
	text_member(&w, "title", "cuebus configuration");
	text_member(&w, "description",
	            "The merged configuration, comments and trailing commas removed and ${NAME} "
	            "replaced.");
	write_members(&w, &config_table_root);
	cue_writer_key(&w, "$defs");
	cue_writer_object_begin(&w);
	write_tables(&w, &config_table_root);
	schema_write_parts(&w);
	cue_writer_object_end(&w);
	cue_writer_key(&w, "examples");
	raw(&w, example);
	cue_writer_object_end(&w);
	return cue_writer_finish(&w, ret_compact, NULL);
}

int schema_config_text(char **ret_text)
{
	char *compact, *text = NULL;
	size_t size;
	FILE *out;
	int r = write_schema(&compact);

	if (r < 0)
		return r;
	out = open_memstream(&text, &size);
	if (out) {
		json_indent(compact, out);
		r = fclose(out) == 0 ? 0 : -1;
	}
	free(compact);
	if (!out || r < 0) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	return 0;
}
