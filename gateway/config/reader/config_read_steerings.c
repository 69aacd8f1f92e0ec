/* SPDX-License-Identifier: Apache-2.0 */
/* A playlist's `on`: event types and what they do with its running runs. */
#include "config_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_model.h"
#include "duration.h"

static const struct {
	const char *name;
	enum cue_steer_action action;
	bool takes_value;
} actions[] = {
	{ "pause", CUE_STEER_PAUSE, false },   { "resume", CUE_STEER_RESUME, false },
	{ "toggle", CUE_STEER_TOGGLE, false }, { "seek", CUE_STEER_SEEK, true },
	{ "tempo", CUE_STEER_TEMPO, true },
};

/** @return its place in `actions`, or -1. */
static int find_action(const char *name, bool takes_value)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (actions[i].takes_value == takes_value && strcmp(actions[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static bool read_pointer(struct config_reader *reader, const struct jsonc_node *node,
                         struct cue_steering *steering)
{
	const struct config_field pointer = { .key = node->key, .type = CONFIG_POINTER };

	if (!config_check_text(reader, &pointer, node))
		return false;
	steering->pointer = node->text;
	return true;
}

static bool read_offset(struct config_reader *reader, const struct jsonc_node *node,
                        struct cue_steering *steering)
{
	char quoted[JSONC_QUOTE_SIZE];
	const char *reason;

	if (duration_parse(node->text, node->text_len, &steering->steer.offset_ns, &reason) >= 0)
		return true;
	config_finding(reader, DIAG_ERROR, node, "duration",
	               "\"seek\" is a duration such as \"2.5s\" or a JSON Pointer into the event's "
	               "data, not %s: %s",
	               config_quote(quoted, node), reason);
	return false;
}

static bool read_tempo(struct config_reader *reader, const struct jsonc_node *node,
                       struct cue_steering *steering)
{
	double factor = strtod(node->text, NULL);

	if (factor >= 0.01 && factor <= 100) {
		steering->steer.tempo = (uint32_t)(factor * CUE_TEMPO_AS_WRITTEN + 0.5);
		return true;
	}
	config_finding(reader, DIAG_ERROR, node, "range", "\"tempo\" must be from 0.01 to 100");
	return false;
}

/** The value of `seek` or `tempo`. */
static bool read_value(struct config_reader *reader, const struct jsonc_node *node,
                       struct cue_steering *steering)
{
	bool seeks = steering->steer.action == CUE_STEER_SEEK;

	if (node->broken) {
		reader->skipped++;
		return false;
	}
	if (node->type == JSONC_STRING && (*node->text == '/' || !*node->text))
		return read_pointer(reader, node, steering);
	if (node->type == JSONC_STRING && seeks)
		return read_offset(reader, node, steering);
	if (node->type == JSONC_NUMBER && !seeks)
		return read_tempo(reader, node, steering);
	config_finding(
	        reader, DIAG_ERROR, node, "type",
	        seeks ? "\"seek\" must be a duration such as \"2.5s\", or a JSON Pointer into "
	                "the event's data"
	              : "\"tempo\" must be a number from 0.01 to 100, or a JSON Pointer into "
	                "the event's data");
	return false;
}

static bool read_action(struct config_reader *reader, const struct jsonc_node *node,
                        struct cue_steering *steering)
{
	const struct jsonc_node *value = NULL;
	const char *name = NULL;
	int i = -1;

	if (node->type == JSONC_STRING) {
		name = node->text;
	} else if (node->type == JSONC_OBJECT && node->n == 1) {
		value = node->first;
		name = value->key;
	}
	if (name)
		i = find_action(name, value != NULL);
	if (i < 0) {
		config_finding(
		        reader, DIAG_ERROR, node, "value",
		        "what an event does is \"pause\", \"resume\", \"toggle\", {\"seek\": …} or "
		        "{\"tempo\": …}");
		return false;
	}
	steering->steer.action = actions[i].action;
	return !value || read_value(reader, value, steering);
}

static bool check_event(struct config_reader *reader, const struct jsonc_node *node)
{
	char quoted[JSONC_QUOTE_SIZE];
	const char *reason;

	if (cue_type_is_valid(node->key, strlen(node->key), &reason))
		return true;
	config_key_finding(reader, DIAG_ERROR, node, "event-type", "%s is not an event type: %s",
	                   jsonc_quote(quoted, node->key), reason);
	return false;
}

void config_read_steerings(struct config_reader *reader, const struct config_field *field,
                           const struct jsonc_node *node, void *object)
{
	struct cue_steering *steerings;
	size_t n = 0;

	if (!config_expect_entries(reader, field, node))
		return;
	steerings = config_alloc(reader, node->n, sizeof(*steerings));
	for (const struct jsonc_node *child = node->first; steerings && child;
	     child = child->next) {
		if (child->broken) {
			reader->skipped++;
			continue;
		}
		if (!check_event(reader, child) || !read_action(reader, child, &steerings[n]))
			continue;
		steerings[n++].event = child->key;
	}
	config_store_array(field, object, steerings, n);
}
