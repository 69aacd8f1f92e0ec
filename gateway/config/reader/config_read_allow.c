/* SPDX-License-Identifier: Apache-2.0 */
/* What is allowed from outside: true (everything), false (nothing), or a list of patterns. For
 * commands also a single group ("use", "admin"). */
#include "config_reader.h"

#include <cuebus/event.h>
#include <inttypes.h>
#include <string.h>

#include "command_names.h"
#include "did_you_mean.h"
#include "event_pattern.h"

#define KNOWN_NAMES_MAX (COMMAND_NAMES + 32U)

/** "noun" or "noun/verb", in lower case. */
static bool is_command_pattern(const char *text)
{
	size_t noun = strspn(text, "abcdefghijklmnopqrstuvwxyz"), verb;

	if (noun == 0 || text[noun] == '\0')
		return noun > 0;
	verb = strspn(text + noun + 1, "abcdefghijklmnopqrstuvwxyz");
	return text[noun] == '/' && verb > 0 && text[noun + 1 + verb] == '\0';
}

static bool is_group(const char *text)
{
	return strcmp(text, CONFIG_ALLOW_USE) == 0 || strcmp(text, CONFIG_ALLOW_ADMIN) == 0;
}

/** All names that a list may contain: commands, those of later versions, groups. */
static size_t known_names(const char *names[KNOWN_NAMES_MAX])
{
	size_t n = 0;

	while (n < COMMAND_NAMES) {
		names[n] = command_name_text((enum command_name)n);
		n++;
	}
	for (const char *const *use = config_use_commands(); *use && n < KNOWN_NAMES_MAX - 2; use++)
		names[n++] = *use;
	names[n++] = CONFIG_ALLOW_USE;
	names[n++] = CONFIG_ALLOW_ADMIN;
	return n;
}

/** An unknown command is only a warning: a later version may have it. */
static void check_known(struct config_reader *reader, const struct jsonc_node *node)
{
	const char *names[KNOWN_NAMES_MAX], *meant;
	char quoted[JSONC_QUOTE_SIZE];
	size_t len = strlen(node->text), n = known_names(names);

	for (size_t i = 0; i < n; i++) {
		if (strncmp(names[i], node->text, len) == 0 &&
		    (names[i][len] == '\0' || names[i][len] == '/'))
			return;
	}
	meant = did_you_mean(node->text, names, n);
	config_finding(reader, DIAG_WARNING, node, "unknown-command",
	               "there is no command %s%s%s%s", config_quote(quoted, node),
	               meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

static bool check_pattern(struct config_reader *reader, const struct config_field *field,
                          const struct jsonc_node *node)
{
	char quoted[JSONC_QUOTE_SIZE];
	const char *reason;

	if (node->broken) {
		reader->skipped++;
		return false;
	}
	if (!config_expect(reader, field, node, JSONC_STRING))
		return false;
	if (field->type == CONFIG_ALLOW_EVENTS) {
		if (event_pattern_is_valid(node->text, &reason)) {
			if (cue_type_is_reserved(node->text))
				config_finding(
				        reader, DIAG_WARNING, node, "unused-key",
				        "%s allows nothing: types beginning with event., "
				        "gateway., gesture. and input. are the gateway's own",
				        config_quote(quoted, node));
			return true;
		}
		config_finding(reader, DIAG_ERROR, node, "event-pattern",
		               "%s must be an event type, or a prefix ending in \".*\": %s",
		               config_quote(quoted, node), reason);
		return false;
	}
	if (!is_command_pattern(node->text)) {
		config_finding(
		        reader, DIAG_ERROR, node, "command-pattern",
		        "%s must be a command's noun such as \"playlist\", noun and verb such "
		        "as \"playlist/start\", \"use\" or \"admin\"",
		        config_quote(quoted, node));
		return false;
	}
	check_known(reader, node);
	return true;
}

static void read_patterns(struct config_reader *reader, const struct config_field *field,
                          const struct jsonc_node *node, struct config_allow *allow)
{
	if (node->n > (size_t)field->max) {
		config_finding(reader, DIAG_ERROR, node, "range",
		               "\"%s\" has %zu entries; at most %" PRId64 " are allowed",
		               field->key, node->n, field->max);
		return;
	}
	allow->patterns = config_alloc(reader, node->n, sizeof(*allow->patterns));
	for (const struct jsonc_node *child = node->first; allow->patterns && child;
	     child = child->next) {
		if (check_pattern(reader, field, child))
			allow->patterns[allow->n++] = child->text;
	}
}

static void read_group(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, struct config_allow *allow)
{
	char quoted[JSONC_QUOTE_SIZE];

	if (!is_group(node->text)) {
		config_finding(reader, DIAG_ERROR, node, "command-pattern",
		               "\"%s\" is one of \"use\", \"admin\", true and false, or a list: "
		               "write [%s] for this alone",
		               field->key, config_quote(quoted, node));
		return;
	}
	allow->patterns = config_alloc(reader, 1, sizeof(*allow->patterns));
	if (allow->patterns)
		allow->patterns[allow->n++] = node->text;
}

void config_read_allow(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, void *object)
{
	struct config_allow allow = { .limited = true };

	if (node->type == JSONC_ARRAY) {
		read_patterns(reader, field, node, &allow);
	} else if (node->type == JSONC_BOOL) {
		allow.limited = !node->boolean;
	} else if (field->type == CONFIG_ALLOW_COMMANDS && node->type == JSONC_STRING) {
		read_group(reader, field, node, &allow);
	} else {
		config_finding(
		        reader, DIAG_ERROR, node, "type",
		        "\"%s\" must be %strue, false or an array of what is allowed, not %s",
		        field->key,
		        field->type == CONFIG_ALLOW_COMMANDS ? "\"use\", \"admin\", " : "",
		        jsonc_type_name(node->type));
	}
	memcpy((char *)object + field->offset, &allow, sizeof(allow));
}
