/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over objects: defaults, required and unknown keys, variants. */
#include "config_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "did_you_mean.h"

/** Read one value into @p object, at the field's offset. Recursive: the value may be an object. */
static void read_value(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, void *object);

/** One object that is being read. */
struct reading {
	struct config_reader *reader;
	const struct config_table *table;
	const struct jsonc_node *node;
	uint32_t present; /**< bits of its variants */
};

/* ---- variants ---- */

static uint32_t group_of(const struct config_variant *variant)
{
	return 0xFFU << variant->shift;
}

/** The bits of the variants of @p node; all bits of a group whose variant is unknown. */
static uint32_t variants_of(const struct config_table *table, const struct jsonc_node *node)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < CONFIG_VARIANTS_MAX && table->variants[i].key; i++) {
		const struct config_variant *variant = &table->variants[i];
		const struct config_field *field = config_table_find(table, variant->key);
		const struct jsonc_node *value = jsonc_get(node, variant->key);
		uint32_t all = 0, chosen = 0;

		for (unsigned v = 0; field->values[v]; v++) {
			uint32_t bit = 1U << (variant->shift + v);

			all |= bit;
			if (value && value->type == JSONC_STRING && !value->broken &&
			    strcmp(value->text, field->values[v]) == 0)
				chosen = bit;
		}
		bits |= chosen ? chosen : all;
	}
	return bits;
}

/** Whether exactly one variant of each group is set, so that "required in" can be checked. */
static bool is_certain(const struct config_table *table, uint32_t present, uint32_t wanted)
{
	for (size_t i = 0; i < CONFIG_VARIANTS_MAX && table->variants[i].key; i++) {
		uint32_t group = group_of(&table->variants[i]);

		if ((wanted & group) && __builtin_popcount(present & group) != 1)
			return false;
	}
	return true;
}

/** Report a key that does not belong to the variant. @return false if it must not be read. */
static bool check_variant(const struct reading *reading, const struct config_field *field,
                          const struct jsonc_node *child)
{
	const struct config_table *table = reading->table;

	for (size_t i = 0; i < CONFIG_VARIANTS_MAX && table->variants[i].key; i++) {
		const struct config_variant *variant = &table->variants[i];
		const struct jsonc_node *value = jsonc_get(reading->node, variant->key);
		uint32_t group = group_of(variant);

		if ((field->variants & group) == 0 ||
		    (field->variants & reading->present & group) != 0)
			continue;
		if (variant->severity == DIAG_ERROR) {
			config_key_finding(reading->reader, DIAG_ERROR, child, "wrong-key",
			                   "key \"%s\" does not belong to %s \"%s\"", field->key,
			                   variant->key, value->text);
			return false;
		}
		config_key_finding(reading->reader, DIAG_WARNING, child, "unused-key",
		                   "key \"%s\" has no effect with %s \"%s\"", field->key,
		                   variant->key, value->text);
	}
	return true;
}

/* ---- unknown keys ---- */

#define KEYS_MAX 64U

static void tell_unknown(struct config_reader *reader, const struct config_table *table,
                         uint32_t present, const struct jsonc_node *child)
{
	const char *keys[KEYS_MAX];
	char quoted[JSONC_QUOTE_SIZE];
	const char *meant;
	size_t n = 0;

	for (size_t i = 0; i < table->n_fields && n < KEYS_MAX; i++) {
		const struct config_field *field = &table->fields[i];

		/* Suggest only keys that are allowed here: another type's key would be the next
		 * error. */
		if (field->variants == 0 || (field->variants & present) != 0)
			keys[n++] = field->key;
	}
	meant = did_you_mean(child->key, keys, n);
	if (meant)
		config_key_finding(reader, DIAG_ERROR, child, "unknown-key",
		                   "unknown key %s; did you mean \"%s\"?",
		                   jsonc_quote(quoted, child->key), meant);
	else
		config_key_finding(reader, DIAG_ERROR, child, "unknown-key", "unknown key %s in %s",
		                   jsonc_quote(quoted, child->key), table->name);
}

/* ---- one object ---- */

/** Whether the default is a boolean. */
static bool is_boolean(const struct config_field *field)
{
	return field->type == CONFIG_BOOL || field->type == CONFIG_ALLOW_EVENTS;
}

static void read_default(struct config_reader *reader, const struct config_field *field,
                         void *object)
{
	struct jsonc_node node = { .text = field->initial, .file = "", .key = field->key };

	if (!field->initial)
		return;
	node.text_len = strlen(field->initial);
	if (is_boolean(field)) {
		node.type = JSONC_BOOL;
		node.boolean = strcmp(field->initial, "true") == 0;
	} else if (field->type == CONFIG_UINT || field->type == CONFIG_INT ||
	           field->type == CONFIG_PROTOCOL) {
		node.type = JSONC_NUMBER;
	} else {
		node.type = JSONC_STRING;
	}
	read_value(reader, field, &node, object);
}

/** Whether the value is the default, or empty: ignoring it changes nothing. */
static bool is_default(const struct config_field *field, const struct jsonc_node *node)
{
	if (node->type == JSONC_OBJECT || node->type == JSONC_ARRAY)
		return node->n == 0;
	if (!field->initial)
		return false;
	if (node->type == JSONC_BOOL)
		return node->boolean == (strcmp(field->initial, "true") == 0);
	return node->text && strcmp(node->text, field->initial) == 0;
}

static void read_field(const struct reading *reading, const struct config_field *field,
                       void *object)
{
	struct config_reader *reader = reading->reader;
	const struct config_table *table = reading->table;
	const struct jsonc_node *object_node = reading->node;
	const struct jsonc_node *child = jsonc_get(object_node, field->key);
	uint32_t needed = field->required_in & reading->present;

	read_default(reader, field, object);
	if (child) {
		if (!check_variant(reading, field, child))
			return;
		read_value(reader, field, child, object);
		if (field->not_implemented && !is_default(field, child))
			config_key_finding(reader, DIAG_WARNING, child, "not-implemented",
			                   "\"%s\" is not implemented yet and has no effect",
			                   field->key);
		return;
	}
	if (field->type == CONFIG_STRUCT && !field->required && !field->optional) {
		struct jsonc_node empty = { .type = JSONC_OBJECT,
			                    .file = object_node->file,
			                    .place = object_node->place,
			                    .key = field->key };

		read_value(reader, field, &empty, object);
		return;
	}
	if (field->required) {
		config_finding(reader, DIAG_ERROR, object_node, "missing-key",
		               "key \"%s\" is missing in this %s", field->key, table->name);
		return;
	}
	if (needed == 0 || !is_certain(table, reading->present, field->required_in))
		return;
	for (size_t i = 0; i < CONFIG_VARIANTS_MAX && table->variants[i].key; i++) {
		const struct jsonc_node *value = jsonc_get(object_node, table->variants[i].key);
		uint32_t group = group_of(&table->variants[i]);

		if (value && (needed & group))
			config_finding(reader, DIAG_ERROR, object_node, "missing-key",
			               "key \"%s\" is missing; %s \"%s\" needs it", field->key,
			               table->variants[i].key, value->text);
	}
}

void config_read_struct(struct config_reader *reader, const struct config_table *table,
                        const struct jsonc_node *node, void *object)
{
	struct reading reading = { .reader = reader, .table = table, .node = node };
	size_t errors = reader->diag->n_errors, skipped = reader->skipped;

	if (node->type != JSONC_OBJECT) {
		config_finding(reader, DIAG_ERROR, node, "type", "%s must be an object, not %s",
		               table->name, jsonc_type_name(node->type));
		/* Fill in the defaults: later checks must not see 0. */
		for (size_t i = 0; i < table->n_fields; i++)
			read_default(reader, &table->fields[i], object);
		return;
	}
	reading.present = variants_of(table, node);
	for (size_t i = 0; i < table->n_fields; i++)
		read_field(&reading, &table->fields[i], object);
	for (const struct jsonc_node *child = node->first; child; child = child->next) {
		if (!config_table_find(table, child->key) && !config_key_is_free(child->key))
			tell_unknown(reader, table, reading.present, child);
	}
	if (table->check && !reader->error)
		table->check(reader, node, object,
		             reader->diag->n_errors == errors && reader->skipped == skipped);
}

/* ---- name -> object, and arrays of objects ---- */

static bool check_name(struct config_reader *reader, const struct jsonc_node *child)
{
	static const struct config_field name = { .type = CONFIG_NAME, .max = 128 };
	struct jsonc_node text = *child;

	/* Check the key like a string value. */
	text.type = JSONC_STRING;
	text.text = child->key;
	text.text_len = strlen(child->key);
	text.place = child->key_place;
	text.written = NULL;
	return config_check_text(reader, &name, &text);
}

static void read_map(struct config_reader *reader, const struct config_field *field,
                     const struct jsonc_node *node, void *object)
{
	const char *name;
	size_t i = 0;
	char *array;

	if (!config_expect(reader, field, node, JSONC_OBJECT))
		return;
	array = config_alloc(reader, node->n, field->table->size);
	if (!array)
		return;
	for (const struct jsonc_node *child = node->first; child && !reader->error;
	     child = child->next) {
		char *element = array + i * field->table->size;

		if (config_key_is_free(child->key))
			continue;
		/* The definition's check must not report an invalid name again. */
		name = check_name(reader, child) ? child->key : "invalid";
		memcpy(element + field->table->name_offset, &name, sizeof(name));
		config_read_struct(reader, field->table, child, element);
		i++;
	}
	config_store_array(field, object, array, i);
}

static void read_objects(struct config_reader *reader, const struct config_field *field,
                         const struct jsonc_node *node, void *object)
{
	char *array;

	if (!config_expect(reader, field, node, JSONC_ARRAY) ||
	    !config_check_count(reader, field, node))
		return;
	array = config_alloc(reader, node->n, field->table->size);
	if (!array)
		return;
	for (const struct jsonc_node *child = node->first; child && !reader->error;
	     child = child->next)
		config_read_struct(reader, field->table, child,
		                   array + child->index * field->table->size);
	config_store_array(field, object, array, node->n);
}

/* ---- any value ---- */

static void read_struct(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node, void *object)
{
	config_read_struct(reader, field->table, node, (char *)object + field->offset);
}

typedef void (*type_reader)(struct config_reader *reader, const struct config_field *field,
                            const struct jsonc_node *node, void *object);

/** Of the types that are more than one scalar. */
static const type_reader type_readers[] = {
	[CONFIG_STRUCT] = read_struct,
	[CONFIG_MAP] = read_map,
	[CONFIG_LIST] = read_objects,
	[CONFIG_TOPICS] = config_read_list,
	[CONFIG_EVENTS] = config_read_list,
	[CONFIG_FILTERS] = config_read_list,
	[CONFIG_INTERRUPTS] = config_read_list,
	[CONFIG_LINE] = config_read_list,
	[CONFIG_LINES] = config_read_list,
	[CONFIG_ALLOW_EVENTS] = config_read_allow,
	[CONFIG_ALLOW_COMMANDS] = config_read_allow,
	[CONFIG_LEVELS] = config_read_levels,
	[CONFIG_STEERINGS] = config_read_steerings,
	[CONFIG_EMITS] = config_read_gesture,
	[CONFIG_VALUES] = config_read_gesture,
	[CONFIG_PLACES] = config_read_gesture,
	[CONFIG_FILTER] = config_read_json,
	[CONFIG_WHEN] = config_read_json,
	[CONFIG_DATA] = config_read_json,
	[CONFIG_OBJECT] = config_read_json,
	[CONFIG_QOS] = config_read_json,
};

static void read_value(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, void *object)
{
	type_reader read = config_read_scalar;

	if (reader->error)
		return;
	if (node->broken) {
		reader->skipped++;
		return;
	}
	if ((size_t)field->type < sizeof(type_readers) / sizeof(*type_readers) &&
	    type_readers[field->type])
		read = type_readers[field->type];
	read(reader, field, node, object);
}
