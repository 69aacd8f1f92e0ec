/* SPDX-License-Identifier: Apache-2.0 */
#include "topics.h"

#include <cuebus/utf8.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct topics {
	size_t len; /* of prefix */
	char prefix[];
};

#define EVENT_BELOW "/bus/"

int topics_new(const char *topic_prefix, const char *gateway_id, struct topics **ret_topics)
{
	size_t len = strlen(topic_prefix) + strlen("/1/") + strlen(gateway_id);
	struct topics *topics;

	if (len + strlen(EVENT_BELOW) + CUE_TYPE_MAX_LEN >= TOPIC_SIZE)
		return -ENAMETOOLONG;
	if (!topics_is_publishable(topic_prefix) || !topics_is_publishable(gateway_id))
		return -EINVAL;
	topics = malloc(sizeof(*topics) + len + 1);
	if (!topics)
		return -ENOMEM;
	topics->len = len;
	snprintf(topics->prefix, len + 1, "%s/1/%s", topic_prefix, gateway_id);
	*ret_topics = topics;
	return 0;
}

struct topics *topics_free(struct topics *topics)
{
	free(topics);
	return NULL;
}

const char *topics_prefix(const struct topics *topics)
{
	return topics->prefix;
}

void topics_event(const struct topics *topics, const char *type, char topic[TOPIC_SIZE])
{
	snprintf(topic, TOPIC_SIZE, "%s" EVENT_BELOW "%s", topics->prefix, type);
	for (char *c = topic + topics->len + strlen(EVENT_BELOW); *c; c++) {
		if (*c == '.')
			*c = '/';
	}
}

int topics_below(const struct topics *topics, const char *below, const char *name,
                 char topic[TOPIC_SIZE])
{
	size_t len = topics->len + 1 + strlen(below) + (name ? 1 + strlen(name) : 0);

	if (len >= TOPIC_SIZE)
		return -ENAMETOOLONG;
	snprintf(topic, TOPIC_SIZE, "%s/%s%s%s", topics->prefix, below, name ? "/" : "",
	         name ? name : "");
	return 0;
}

/** The part of @p s after @p prefix, or NULL if @p s does not begin with it. */
static const char *after(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) == 0 ? s + len : NULL;
}

enum topic_kind topics_parse(const struct topics *topics, const char *topic, const char **ret_rest)
{
	const char *below = after(topic, topics->prefix);
	const char *rest;

	if (!below)
		return TOPIC_OTHER;
	/* "P/emit/#" matches "P/emit" too: it has no type, and is refused as an emit. */
	if ((rest = after(below, "/emit/")) || strcmp(below, "/emit") == 0) {
		*ret_rest = rest ? rest : "";
		return TOPIC_EMIT;
	}
	if ((rest = after(below, "/cmd/"))) {
		*ret_rest = rest;
		return TOPIC_COMMAND;
	}
	return TOPIC_OTHER;
}

int topics_emit_type(const char *rest, char type[CUE_TYPE_MAX_LEN + 1], const char **ret_reason)
{
	size_t len = strlen(rest);

	if (len > CUE_TYPE_MAX_LEN) {
		*ret_reason = "an event type has 128 characters at most";
		return -EINVAL;
	}
	if (strchr(rest, '.')) {
		*ret_reason =
		        "the segments of an event type are topic levels here: write '/' for '.'";
		return -EINVAL;
	}
	memcpy(type, rest, len + 1);
	for (char *slash = type; (slash = strchr(slash, '/')); slash++)
		*slash = '.';
	return cue_type_is_valid(type, len, ret_reason) ? 0 : -EINVAL;
}

const char *topics_text_fault(const char *text)
{
	size_t n;

	for (; *text; text += n) {
		uint32_t c = utf8_code_point(text, &n);

		if (c == '+' || c == '#')
			return "a topic can't contain the wildcards + and #";
		if (utf8_is_control(c))
			return "a topic can't contain control characters";
		if (utf8_is_noncharacter(c))
			return "a topic can't contain code points that are not Unicode characters";
	}
	return NULL;
}

bool topics_is_publishable(const char *topic)
{
	size_t len = strnlen(topic, TOPIC_SIZE);

	return len > 0 && len < TOPIC_SIZE && !topics_text_fault(topic);
}

/** Whether @p topic lies below `P/reply/` or one of the prefixes. */
static bool is_below(const struct topics *topics, const char *topic, const char *const *prefixes,
                     size_t n_prefixes)
{
	const char *rest = after(topic, topics->prefix);

	if (rest && (rest = after(rest, "/reply/")) && *rest)
		return true;
	for (size_t i = 0; i < n_prefixes; i++) {
		size_t len = strlen(prefixes[i]);

		rest = after(topic, prefixes[i]);
		/* Only below the prefix: "apps" allows "apps/x", not "apps-of-others/x". */
		if (len > 0 && rest && *rest && (prefixes[i][len - 1] == '/' || *rest == '/'))
			return true;
	}
	return false;
}

static unsigned levels(const char *topic)
{
	unsigned n = 1;

	for (; *topic; topic++)
		n += *topic == '/';
	return n;
}

static bool has_empty_level(const char *topic)
{
	size_t len = strlen(topic);

	return len == 0 || topic[0] == '/' || topic[len - 1] == '/' || strstr(topic, "//");
}

const char *topics_name_fault(const char *name)
{
	if (strnlen(name, TOPIC_REPLY_BYTES + 1) > TOPIC_REPLY_BYTES ||
	    levels(name) > TOPIC_REPLY_LEVELS)
		return "no command has a name of this length";
	if (!cue_utf8_is_valid(name))
		return "the name is not UTF-8";
	return topics_text_fault(name);
}

const char *topics_reply_fault(const struct topics *topics, const char *topic,
                               const char *const *prefixes, size_t n_prefixes)
{
	const char *fault;

	if (strnlen(topic, TOPIC_REPLY_BYTES + 1) > TOPIC_REPLY_BYTES)
		return "the response topic has over 256 bytes";
	if (levels(topic) > TOPIC_REPLY_LEVELS)
		return "the response topic has over 32 levels";
	if (!cue_utf8_is_valid(topic))
		return "the response topic is not UTF-8";
	fault = topics_text_fault(topic);
	if (fault)
		return fault;
	if (has_empty_level(topic))
		return "a level of the response topic is empty";
	if (topic[0] == '$')
		return "a response topic that begins with $ is the broker's own";
	if (!is_below(topics, topic, prefixes, n_prefixes))
		return "the response topic is neither below this gateway's reply/ nor below one of "
		       "mqtt.reply_prefixes";
	return NULL;
}
