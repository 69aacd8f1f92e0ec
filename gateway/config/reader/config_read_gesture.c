/* SPDX-License-Identifier: Apache-2.0 */
/* What only gestures have: `emit` of a click, `values` and `set` of a cycle. */
#include "config_reader.h"

#include <inttypes.h>
#include <string.h>

#include "did_you_mean.h"

/* ---- emit ---- */

static void read_click_type(struct config_reader *reader, const struct jsonc_node *node,
                            struct config_gesture_emit *emit)
{
	const struct config_field field = { .key = node->key, .type = CONFIG_EMIT };
	const char *names[CUE_CLICKS], *meant;
	char quoted[JSONC_QUOTE_SIZE];

	for (size_t i = 0; i < CUE_CLICKS; i++) {
		names[i] = cue_click_name((enum cue_click)i);
		if (strcmp(names[i], node->key) != 0)
			continue;
		if (config_check_text(reader, &field, node))
			emit->clicks[i] = node->text;
		return;
	}
	if (config_key_is_free(node->key))
		return;
	meant = did_you_mean(node->key, names, CUE_CLICKS);
	config_key_finding(reader, DIAG_ERROR, node, "unknown-key", "unknown key %s; %s%s%s",
	                   jsonc_quote(quoted, node->key), meant ? "did you mean \"" : "",
	                   meant ? meant
	                         : "here belong \"single\" to \"quintuple\", \"hold\", \"repeat\" "
	                           "and \"release\"",
	                   meant ? "\"?" : "");
}

static void read_emits(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, void *object)
{
	const struct config_field type = { .key = field->key, .type = CONFIG_EMIT };
	struct config_gesture_emit emit = { .is_object = node->type == JSONC_OBJECT };

	if (!emit.is_object && config_check_text(reader, &type, node))
		emit.type = node->text;
	for (const struct jsonc_node *c = emit.is_object ? node->first : NULL; c; c = c->next)
		read_click_type(reader, c, &emit);
	memcpy((char *)object + field->offset, &emit, sizeof(emit));
}

/* ---- values, set ---- */

static void read_values(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node, void *object)
{
	struct cue_payload **values;
	size_t n = 0;

	if (!config_expect(reader, field, node, JSONC_ARRAY) ||
	    !config_check_count(reader, field, node))
		return;
	values = config_alloc(reader, node->n, sizeof(struct cue_payload *));
	for (const struct jsonc_node *c = node->first; values && c; c = c->next) {
		if (c->broken)
			reader->skipped++;
		else
			values[n] = config_payload(reader, c);
		n += values[n] != NULL;
	}
	if (values)
		config_store_array(field, object, values, n);
}

static bool read_place(struct config_reader *reader, const struct jsonc_node *node,
                       uint32_t *ret_place)
{
	char quoted[JSONC_QUOTE_SIZE];
	uint64_t number;

	if (jsonc_u64(node, &number) == 0 && number < CUE_GESTURE_VALUES_MAX) {
		*ret_place = (uint32_t)number;
		return true;
	}
	config_finding(reader, DIAG_ERROR, node, "value",
	               "%s stands for one of \"values\": its place, counted from 0",
	               jsonc_quote(quoted, node->key));
	return false;
}

static bool check_type(struct config_reader *reader, const struct jsonc_node *node)
{
	char quoted[JSONC_QUOTE_SIZE];
	const char *reason;

	if (cue_type_is_valid(node->key, strlen(node->key), &reason))
		return true;
	config_key_finding(reader, DIAG_ERROR, node, "event-type", "%s is not an event type: %s",
	                   jsonc_quote(quoted, node->key), reason);
	return false;
}

static void read_places(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node, void *object)
{
	struct cue_cycle_set *sets;
	size_t n = 0;

	if (!config_expect_entries(reader, field, node))
		return;
	sets = config_alloc(reader, node->n, sizeof(*sets));
	for (const struct jsonc_node *c = node->first; sets && c; c = c->next) {
		if (c->broken) {
			reader->skipped++;
			continue;
		}
		if (!check_type(reader, c) || !read_place(reader, c, &sets[n].place))
			continue;
		sets[n++].type = c->key;
	}
	if (sets)
		config_store_array(field, object, sets, n);
}

void config_read_gesture(struct config_reader *reader, const struct config_field *field,
                         const struct jsonc_node *node, void *object)
{
	if (field->type == CONFIG_EMITS)
		read_emits(reader, field, node, object);
	else if (field->type == CONFIG_VALUES)
		read_values(reader, field, node, object);
	else
		read_places(reader, field, node, object);
}
