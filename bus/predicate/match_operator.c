/* SPDX-License-Identifier: Apache-2.0 */
#include "match_operator.h"

#include <stddef.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof(*(array)))
#define WORD_SIZE  24U

static const char *const names[] = {
	[MATCH_EQ] = "eq", [MATCH_NE] = "ne",         [MATCH_LT] = "lt",
	[MATCH_LE] = "le", [MATCH_GT] = "gt",         [MATCH_GE] = "ge",
	[MATCH_IN] = "in", [MATCH_EXISTS] = "exists", [MATCH_TRUTHY] = "truthy",
};

/* In lower case and without '$', '_', '-' and spaces; see normalize(). */
static const struct {
	const char *word;
	enum match_operator operator;
} words[] = {
	{ "=", MATCH_EQ },
	{ "==", MATCH_EQ },
	{ "===", MATCH_EQ },
	{ "equal", MATCH_EQ },
	{ "equals", MATCH_EQ },
	{ "equalto", MATCH_EQ },
	{ "isequal", MATCH_EQ },
	{ "!=", MATCH_NE },
	{ "!==", MATCH_NE },
	{ "<>", MATCH_NE },
	{ "neq", MATCH_NE },
	{ "noteq", MATCH_NE },
	{ "notequal", MATCH_NE },
	{ "notequals", MATCH_NE },
	{ "notequalto", MATCH_NE },
	{ "<", MATCH_LT },
	{ "less", MATCH_LT },
	{ "lessthan", MATCH_LT },
	{ "<=", MATCH_LE },
	{ "=<", MATCH_LE },
	{ "lte", MATCH_LE },
	{ "leq", MATCH_LE },
	{ "lessequal", MATCH_LE },
	{ "lessorequal", MATCH_LE },
	{ "lessthanorequal", MATCH_LE },
	{ "lessthanequal", MATCH_LE },
	{ ">", MATCH_GT },
	{ "greater", MATCH_GT },
	{ "greaterthan", MATCH_GT },
	{ ">=", MATCH_GE },
	{ "=>", MATCH_GE },
	{ "gte", MATCH_GE },
	{ "geq", MATCH_GE },
	{ "greaterequal", MATCH_GE },
	{ "greaterorequal", MATCH_GE },
	{ "greaterthanorequal", MATCH_GE },
	{ "greaterthanequal", MATCH_GE },
	{ "isin", MATCH_IN },
	{ "oneof", MATCH_IN },
	{ "anyof", MATCH_IN },
	{ "exist", MATCH_EXISTS },
	{ "isset", MATCH_EXISTS },
	{ "istruthy", MATCH_TRUTHY },
	{ "istrue", MATCH_TRUTHY },
};

bool cue_match_operator_find(const char *name, enum match_operator *ret_operator)
{
	for (size_t i = 0; i < LEN(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_operator = (enum match_operator)i;
			return true;
		}
	}
	return false;
}

const char *cue_match_operator_name(enum match_operator operator)
{
	return names[operator];
}

/** @return false if the name is too long for any of the words. */
static bool normalize(const char *name, char word[WORD_SIZE])
{
	size_t len = 0;

	for (; *name; name++) {
		if (strchr("$_- ", *name))
			continue;
		if (len == WORD_SIZE - 1)
			return false;
		word[len++] = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
	}
	word[len] = '\0';
	return true;
}

bool cue_match_operator_meant(const char *name, enum match_operator *ret_operator)
{
	char word[WORD_SIZE];

	if (cue_match_operator_find(name, ret_operator) || !normalize(name, word))
		return false;
	for (size_t i = 0; i < LEN(words); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*ret_operator = words[i].operator;
			return true;
		}
	}
	return cue_match_operator_find(word, ret_operator);
}
