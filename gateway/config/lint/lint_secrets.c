/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables whose name suggests a secret, in parts of the configuration that are published:
 *
 *   playlists    the whole definition is retained on P/playlist/<name>, and much of it in events
 *   gestures     metadata and event types are in events
 *   inputs       `data`, `event` and `release_event` are in events and retained on P/input/<name>
 *   gateway.id, mqtt.topic_prefix   part of every topic
 */
#include "lint.h"

#include <string.h>

#include "secret_name.h"

/** The first variable in @p text whose name suggests a secret. @param ret_len length of its
 * name. */
static const char *find_secret(const char *text, size_t *ret_len)
{
	while ((text = strchr(text, '$'))) {
		size_t len;

		if (strncmp(text, "$${", 3) == 0) {
			text += 3;
			continue;
		}
		text++;
		if (*text != '{')
			continue;
		text++;
		len = strcspn(text, "}");
		if (secret_name_is_one(text, len)) {
			*ret_len = len;
			return text;
		}
	}
	return NULL;
}

static void check(struct config_reader *reader, const struct jsonc_node *node)
{
	size_t len;
	const char *name = node->written ? find_secret(node->written, &len) : NULL;

	if (name)
		config_finding(reader, DIAG_WARNING, node, "published-secret",
		               "everybody who may read this gateway's topics sees the value of "
		               "${%.*s} here",
		               len > 64 ? 64 : (int)len, name);
	for (const struct jsonc_node *child = node->first; child; child = child->next) {
		if (!child->key || !config_key_is_free(child->key))
			check(reader, child);
	}
}

static void check_member(struct config_reader *reader, const struct jsonc_node *object,
                         const char *key)
{
	const struct jsonc_node *node =
	        object && object->type == JSONC_OBJECT ? jsonc_get(object, key) : NULL;

	if (node)
		check(reader, node);
}

void lint_secrets(struct lint *lint)
{
	static const char *const of_input[] = { "data", "event", "release_event" };

	check_member(lint->reader, lint->root, "playlists");
	check_member(lint->reader, lint->root, "gestures");
	check_member(lint->reader, jsonc_get(lint->root, "gateway"), "id");
	check_member(lint->reader, jsonc_get(lint->root, "mqtt"), "topic_prefix");
	for (size_t i = 0; i < lint->config->n_inputs; i++) {
		for (size_t k = 0; k < sizeof(of_input) / sizeof(*of_input); k++)
			check_member(lint->reader, lint->inputs[i], of_input[k]);
	}
}
