/* SPDX-License-Identifier: Apache-2.0 */
#include "config_env.h"

#include <cuebus/json_writer.h>
#include <cuebus/utf8.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc_string.h"

struct substitution {
	struct config_reader *reader;
	size_t total; /**< bytes taken from the environment so far */
};

static size_t name_length(const char *s)
{
	size_t n = 0;

	while ((s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= 'a' && s[n] <= 'z') || s[n] == '_' ||
	       (n > 0 && s[n] >= '0' && s[n] <= '9'))
		n++;
	return n;
}

/** The value of the reference at @p s ("${"); NULL: reported. @param ret_used length of the
 * reference. */
static const char *lookup(struct substitution *sub, const struct jsonc_node *node, const char *s,
                          size_t *ret_used)
{
	size_t len = name_length(s + 2);
	const char *value;
	char *name;

	if (len == 0 || s[2 + len] != '}') {
		config_finding(sub->reader, DIAG_ERROR, node, "environment",
		               "${ must be followed by a variable's name and }; write $${ for ${ "
		               "itself");
		return NULL;
	}
	if (sub->reader->foreign) {
		config_finding(sub->reader, DIAG_WARNING, node, "environment",
		               "not checked: ${%.*s} is not looked up for a configuration that "
		               "came in a message",
		               len > 64 ? 64 : (int)len, s + 2);
		return NULL;
	}
	name = arena_strndup(sub->reader->arena, s + 2, len);
	if (!name) {
		sub->reader->error = -ENOMEM;
		return NULL;
	}
	value = secure_getenv(name);
	if (!value || !cue_utf8_is_valid(value)) {
		config_finding(sub->reader, DIAG_ERROR, node, "environment",
		               value ? "environment variable %.64s does not hold UTF-8"
		                     : "environment variable %.64s is not set",
		               name);
		return NULL;
	}
	if (diag_hide(sub->reader->diag, name, value) < 0) {
		sub->reader->error = -ENOMEM;
		return NULL;
	}
	sub->total += strlen(value);
	if (sub->total > CONFIG_ENV_MAX) {
		config_finding(sub->reader, DIAG_ERROR, node, "environment",
		               "over %u bytes are taken from the environment", CONFIG_ENV_MAX);
		return NULL;
	}
	*ret_used = len + 3;
	return value;
}

static void substitute_string(struct substitution *sub, struct jsonc_node *node)
{
	struct cue_writer out = { 0 };
	const char *s = node->text;
	char *text;
	size_t len;

	if (!strstr(s, "${"))
		return;
	while (*s) {
		size_t used = strcspn(s, "$");
		const char *value = s;

		len = used;
		if (used == 0 && strncmp(s, "$${", 3) == 0) {
			value = "${";
			used = 3;
			len = 2;
		} else if (used == 0 && strncmp(s, "${", 2) == 0) {
			value = lookup(sub, node, s, &used);
			node->broken = !value;
			if (!value)
				goto out;
			len = strlen(value);
		} else if (used == 0) {
			used = len = 1;
		}
		out.need_comma = false;
		cue_writer_raw(&out, value, len);
		s += used;
	}
	if (cue_writer_finish(&out, &text, &len) < 0) {
		sub->reader->error = -ENOMEM;
		return;
	}
	node->written = node->text;
	node->text = arena_strndup(sub->reader->arena, text, len);
	node->text_len = len;
	free(text);
	if (!node->text)
		sub->reader->error = -ENOMEM;
out:
	cue_writer_clear(&out);
}

static void substitute(struct substitution *sub, struct jsonc_node *node)
{
	if (sub->reader->error || (node->key && config_key_is_free(node->key)))
		return;
	if (node->type == JSONC_STRING)
		substitute_string(sub, node);
	/* The parser bounds the depth of the recursion. */
	for (struct jsonc_node *child = node->first; child; child = child->next)
		substitute(sub, child);
}

void config_env_substitute(struct config_reader *reader, struct jsonc_node *root)
{
	struct substitution sub = { .reader = reader };

	substitute(&sub, root);
}
