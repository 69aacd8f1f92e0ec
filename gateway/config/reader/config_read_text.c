/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of text: names, topics, event types, URLs. */
#include "config_reader.h"

#include <inttypes.h>
#include <string.h>

#include "mqtt_url.h"
#include "topics.h"

/**
 * Check @p text as a topic, for a name as one level of a topic, or for a beginning of topics as one
 * that may end with "/". @return the error, or NULL.
 */
static const char *topic_fault(const char *text, enum config_type type)
{
	size_t len = strlen(text);
	bool ends_open = len > 0 && text[len - 1] == '/' && type != CONFIG_TOPICS;

	const char *fault = topics_text_fault(text);

	if (fault)
		return fault;
	if (type == CONFIG_NAME && strchr(text, '/'))
		return "\"/\" would split it into levels of a topic";
	if (text[0] == '/' || strstr(text, "//") || ends_open)
		return "a level of a topic can't be empty";
	if (text[0] == '$')
		return "topics that begin with $ are the broker's own";
	return NULL;
}

static bool refuse(struct config_reader *reader, const struct config_field *field,
                   const struct jsonc_node *node, const char *rule, const char *reason)
{
	char quoted[JSONC_QUOTE_SIZE];

	if (field->key)
		config_finding(reader, DIAG_ERROR, node, rule, "\"%s\" is %s: %s", field->key,
		               config_quote(quoted, node), reason);
	else
		config_finding(reader, DIAG_ERROR, node, rule, "name %s: %s",
		               config_quote(quoted, node), reason);
	return false;
}

static bool check_length(struct config_reader *reader, const struct config_field *field,
                         const struct jsonc_node *node)
{
	size_t min = field->type == CONFIG_STRING ? (size_t)field->min : 1;
	/* The bound of a list is the number of its entries, not a length. */
	int64_t max = field->type == CONFIG_TOPICS ? TOPIC_PREFIX_BYTES : field->max;

	if (node->text_len < min) {
		config_finding(reader, DIAG_ERROR, node, "range", "\"%s\" can't be empty",
		               field->key ? field->key : "name");
		return false;
	}
	if (max != 0 && node->text_len > (size_t)max) {
		config_finding(reader, DIAG_ERROR, node, "range",
		               "\"%s\" is %zu bytes long; at most %" PRId64 " are allowed",
		               field->key ? field->key : "name", node->text_len, max);
		return false;
	}
	return true;
}

static bool check_event(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node)
{
	const char *reason;

	if (!cue_type_is_valid(node->text, node->text_len, &reason))
		return refuse(reader, field, node, "event-type", reason);
	if (field->type == CONFIG_EMIT && cue_type_is_reserved(node->text))
		return refuse(reader, field, node, "reserved-event",
		              "types that begin with event., gateway., gesture. or input. are the "
		              "gateway's own and can't be emitted");
	return true;
}

/** "" or "/part/part": "~" only as ~0 and ~1. */
static bool is_pointer(const char *s)
{
	if (*s != '\0' && *s != '/')
		return false;
	for (; *s; s++) {
		if (*s == '~' && s[1] != '0' && s[1] != '1')
			return false;
	}
	return true;
}

bool config_check_text(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node)
{
	const char *fault;
	struct mqtt_url url;

	if (node->broken) {
		reader->skipped++;
		return false;
	}
	if (!config_expect(reader, field, node, JSONC_STRING))
		return false;
	if (field->type == CONFIG_EVENT || field->type == CONFIG_EMIT ||
	    field->type == CONFIG_EVENTS || field->type == CONFIG_FILTER ||
	    field->type == CONFIG_FILTERS || field->type == CONFIG_INTERRUPTS)
		return check_event(reader, field, node);
	if (field->type == CONFIG_POINTER)
		return is_pointer(node->text) ||
		       refuse(reader, field, node, "value",
		              "a JSON Pointer such as \"/on\" is expected, or \"\" for the whole");
	if (!check_length(reader, field, node))
		return false;
	if (field->type == CONFIG_URL && mqtt_url_parse(node->text, &url, &fault) < 0) {
		/* Do not quote the URL: it may contain a password. */
		config_finding(reader, DIAG_ERROR, node, "url", "\"%s\": %s", field->key, fault);
		return false;
	}
	if (field->type != CONFIG_NAME && field->type != CONFIG_TOPIC &&
	    field->type != CONFIG_TOPICS)
		return true;
	fault = topic_fault(node->text, field->type);
	return !fault || refuse(reader, field, node, "topic", fault);
}
