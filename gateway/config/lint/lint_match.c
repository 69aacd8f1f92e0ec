/* SPDX-License-Identifier: Apache-2.0 */
/* An object of a match without an operator key means "equal to this object". More often it is a
 * mistyped operator, {"gtt": 180}: an interrupt that will silently never come. */
#include "lint.h"

#include <string.h>

#include "did_you_mean.h"

static const char *const operators[] = { "eq", "ne", "lt",     "le",    "gt",
	                                 "ge", "in", "exists", "truthy" };
#define N_OPERATORS (sizeof(operators) / sizeof(*operators))

static bool has_operator(const struct jsonc_node *object)
{
	for (const struct jsonc_node *c = object->first; c; c = c->next) {
		for (size_t i = 0; i < N_OPERATORS; i++) {
			if (strcmp(c->key, operators[i]) == 0)
				return true;
		}
	}
	return false;
}

static void tell(struct config_reader *reader, const struct jsonc_node *object)
{
	const char *key = object->first ? object->first->key : NULL, *meant;
	char quoted[JSONC_QUOTE_SIZE];

	if (!key) {
		config_finding(reader, DIAG_WARNING, object, "match-object",
		               "equal to an empty object; if that is meant, use \"eq\"");
		return;
	}
	meant = did_you_mean(key, operators, N_OPERATORS);
	config_finding(reader, DIAG_WARNING, object->first, "match-object",
	               "%s is not an operator (eq ne lt le gt ge in exists truthy), so this "
	               "compares with the object as a whole; %s%s%s",
	               jsonc_quote(quoted, key),
	               meant ? "did you mean \"" : "if that is meant, use ",
	               meant ? meant : "\"eq\"", meant ? "\"?" : "");
}

static void check_match(struct config_reader *reader, const struct jsonc_node *match)
{
	for (const struct jsonc_node *c = match->first; c; c = c->next) {
		if (c->type == JSONC_OBJECT && !has_operator(c))
			tell(reader, c);
	}
}

/** Check every "match" in a filter, a list of filters, or a condition. @p node may be NULL. */
static void walk(struct config_reader *reader, const struct jsonc_node *node)
{
	if (!node || (node->type != JSONC_OBJECT && node->type != JSONC_ARRAY))
		return;
	for (const struct jsonc_node *c = node->first; c; c = c->next) {
		if (node->type == JSONC_OBJECT && strcmp(c->key, "match") == 0) {
			if (c->type == JSONC_OBJECT)
				check_match(reader, c);
		} else {
			walk(reader, c);
		}
	}
}

void lint_matches(struct config_reader *reader, const struct jsonc_node *definition,
                  const char *const *keys)
{
	for (; *keys; keys++)
		walk(reader, jsonc_get(definition, *keys));
}
