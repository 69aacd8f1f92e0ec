/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that hold JSON: data, predicates, filters, the QoS map. */
#include "config_reader.h"

#include <cuebus/match.h>
#include <cuebus/payload.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "did_you_mean.h"
#include "event_pattern.h"
#include "jsonc_write.h"

static void release_payload(void *payload)
{
	cue_payload_unref(payload);
}

struct cue_payload *config_payload(struct config_reader *reader, const struct jsonc_node *node)
{
	struct cue_writer w = { 0 };
	struct cue_payload *payload;
	struct cue_json_error error;
	char *text;
	size_t len;
	int r;

	jsonc_write(&w, node, JSONC_PLAIN);
	r = cue_writer_finish(&w, &text, &len);
	if (r == 0) {
		r = cue_payload_new(text, len, reader->limits->bus.json_depth, &payload, &error);
		free(text);
	}
	if (r == -E2BIG) {
		config_finding(reader, DIAG_ERROR, node, "json-depth",
		               "nested deeper than %" PRIu32 " levels (limits.json_depth)",
		               reader->limits->bus.json_depth);
		return NULL;
	}
	if (r == -EBADMSG) {
		config_finding(reader, DIAG_ERROR, node, "value", "%s", error.text);
		return NULL;
	}
	if (r == 0)
		r = arena_defer(reader->arena, release_payload, payload);
	if (r < 0) {
		reader->error = r;
		return NULL;
	}
	if (len > reader->limits->payload_bytes) {
		config_finding(reader, DIAG_ERROR, node, "payload-bytes",
		               "%zu bytes of JSON; at most %" PRIu64
		               " are allowed (limits.payload_bytes)",
		               len, reader->limits->payload_bytes);
		return NULL;
	}
	return payload;
}

static void tell_predicate(struct config_reader *reader, const struct jsonc_node *node,
                           const char *rule, const struct cue_predicate_error *error)
{
	const struct jsonc_node *place = jsonc_resolve(node, error->path);

	if (place->broken)
		reader->skipped++; /* reported already, or unknown here */
	else
		config_finding(reader, DIAG_ERROR, place, rule, "%s", error->text);
}

/** Read and check a `match`; NULL: reported. The tree belongs to a payload in the arena. */
static const struct cJSON *read_match(struct config_reader *reader, const struct jsonc_node *node)
{
	struct cue_payload *payload = config_payload(reader, node);
	const struct cJSON *json = payload ? cue_payload_json(payload) : NULL;
	struct cue_predicate_error error;
	struct cue_match *match;
	int r;

	if (!json)
		return NULL;
	r = cue_match_new(json, &match, &error);
	if (r == -EINVAL) {
		tell_predicate(reader, node, "match", &error);
		return NULL;
	}
	if (r < 0) {
		reader->error = r;
		return NULL;
	}
	cue_match_free(match);
	return json;
}

static void read_when(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object)
{
	struct cue_payload *payload = config_payload(reader, node);
	const struct cJSON *json = payload ? cue_payload_json(payload) : NULL;
	struct cue_predicate_error error;
	struct cue_when *when;
	int r;

	if (!json)
		return;
	r = cue_when_new(json, &when, &error);
	if (r == -EINVAL) {
		tell_predicate(reader, node, "when", &error);
		return;
	}
	if (r < 0) {
		reader->error = r;
		return;
	}
	cue_when_free(when);
	memcpy((char *)object + field->offset, &json, sizeof(json));
}

static bool read_debounce(struct config_reader *reader, const struct jsonc_node *node,
                          struct cue_filter *filter)
{
	static const struct config_field field = {
		.key = "debounce",
		.type = CONFIG_DURATION,
		.max = (int64_t)CUE_DURATION_MAX_NS,
		CONFIG_MEMBER(struct cue_filter, debounce_ns),
	};
	size_t n_errors = reader->diag->n_errors;

	config_read_scalar(reader, &field, node, filter);
	filter->has_debounce = true;
	return reader->diag->n_errors == n_errors;
}

bool config_filter(struct config_reader *reader, const struct config_field *field,
                   const struct jsonc_node *node, struct cue_filter *ret_filter)
{
	static const char *const keys[] = { "event", "match", "debounce" };
	const size_t n_keys = field->type == CONFIG_INTERRUPTS ? 3 : 2;
	const struct jsonc_node *event = node, *match = NULL, *debounce = NULL;
	struct cue_filter filter = { 0 };
	char quoted[JSONC_QUOTE_SIZE];
	bool sound = true;

	if (node->type != JSONC_STRING && node->type != JSONC_OBJECT) {
		config_finding(reader, DIAG_ERROR, node, "type",
		               "\"%s\" takes an event type or {\"event\": …, \"match\": …}, not %s",
		               field->key, jsonc_type_name(node->type));
		return false;
	}
	if (node->type == JSONC_OBJECT) {
		event = jsonc_get(node, "event");
		match = jsonc_get(node, "match");
		debounce = n_keys == 3 ? jsonc_get(node, "debounce") : NULL;
		for (const struct jsonc_node *c = node->first; c; c = c->next) {
			const char *meant = did_you_mean(c->key, keys, n_keys);

			if (c == event || c == match || c == debounce || config_key_is_free(c->key))
				continue;
			config_key_finding(reader, DIAG_ERROR, c, "unknown-key",
			                   "unknown key %s; %s%s%s", jsonc_quote(quoted, c->key),
			                   meant ? "did you mean \"" : "here belong ",
			                   meant         ? meant
			                   : n_keys == 3 ? "\"event\", \"match\" and \"debounce\""
			                                 : "\"event\" and \"match\"",
			                   meant ? "\"?" : "");
			sound = false;
		}
		if (!event) {
			config_finding(reader, DIAG_ERROR, node, "missing-key",
			               "key \"event\" is missing");
			return false;
		}
	}
	sound = config_check_text(reader, field, event) && sound;
	filter.type = event->text;
	if (match) {
		filter.match = read_match(reader, match);
		sound = sound && filter.match;
	}
	if (debounce)
		sound = read_debounce(reader, debounce, &filter) && sound;
	if (sound)
		*ret_filter = filter;
	return sound;
}

/* ---- mqtt.qos ---- */

static bool read_qos_value(struct config_reader *reader, const struct jsonc_node *node,
                           int *ret_qos)
{
	uint64_t value;

	if (node->type == JSONC_STRING && strcmp(node->text, "off") == 0) {
		*ret_qos = CONFIG_QOS_OFF;
		return true;
	}
	if (jsonc_u64(node, &value) == 0 && value <= 1) {
		*ret_qos = (int)value;
		return true;
	}
	config_finding(reader, DIAG_ERROR, node, "value", "a QoS must be 0, 1 or \"off\"");
	return false;
}

bool config_expect_entries(struct config_reader *reader, const struct config_field *field,
                           const struct jsonc_node *node)
{
	if (!config_expect(reader, field, node, JSONC_OBJECT))
		return false;
	if (node->n <= (size_t)field->max)
		return true;
	config_finding(reader, DIAG_ERROR, node, "range",
	               "\"%s\" has %zu entries; at most %" PRId64 " are allowed", field->key,
	               node->n, field->max);
	return false;
}

static bool check_pattern(struct config_reader *reader, const struct jsonc_node *node)
{
	char quoted[JSONC_QUOTE_SIZE];
	const char *reason;

	if (event_pattern_is_valid(node->key, &reason))
		return true;
	config_key_finding(reader, DIAG_ERROR, node, "qos-pattern",
	                   "%s must be an event type, or a prefix ending in \".*\": %s",
	                   jsonc_quote(quoted, node->key), reason);
	return false;
}

static void read_qos(struct config_reader *reader, const struct config_field *field,
                     const struct jsonc_node *node, void *object)
{
	struct config_qos_rule *rules;
	size_t n = 0;

	if (!config_expect_entries(reader, field, node))
		return;
	rules = config_alloc(reader, node->n, sizeof(*rules));
	for (const struct jsonc_node *child = node->first; rules && child; child = child->next) {
		if (child->broken) {
			reader->skipped++;
			continue;
		}
		if (!check_pattern(reader, child) || !read_qos_value(reader, child, &rules[n].qos))
			continue;
		rules[n].pattern = arena_strndup(reader->arena, child->key, strlen(child->key));
		if (!rules[n].pattern)
			reader->error = -ENOMEM;
		n++;
	}
	if (rules) {
		memcpy((char *)object + field->offset, &rules, sizeof(rules));
		memcpy((char *)object + field->count_offset, &n, sizeof(n));
	}
}

void config_read_json(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object)
{
	char *at = (char *)object + field->offset;
	struct cue_payload *payload;

	if (field->type == CONFIG_FILTER) {
		struct cue_filter filter;

		if (config_filter(reader, field, node, &filter))
			memcpy(at, &filter, sizeof(filter));
	} else if (field->type == CONFIG_WHEN) {
		read_when(reader, field, node, object);
	} else if (field->type == CONFIG_QOS) {
		read_qos(reader, field, node, object);
	} else if (field->type == CONFIG_DATA || config_expect(reader, field, node, JSONC_OBJECT)) {
		payload = config_payload(reader, node);
		memcpy(at, &payload, sizeof(payload));
	}
}
