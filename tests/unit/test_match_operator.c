/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "match_operator.h"

#include <string.h>

static const char *meant(const char *word)
{
	enum match_operator operator;

	return cue_match_operator_meant(word, &operator) ? cue_match_operator_name(operator) : "";
}

Test(match_operator, names_are_found_exactly_as_spelt)
{
	static const char *const names[] = { "eq", "ne", "lt",     "le",    "gt",
		                             "ge", "in", "exists", "truthy" };
	enum match_operator operator= MATCH_TRUTHY;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		cr_assert(cue_match_operator_find(names[i], &operator));
		cr_assert_str_eq(cue_match_operator_name(operator), names[i]);
		cr_assert_str_eq(meant(names[i]), "", "it is one, it does not mean one");
	}
	cr_assert_not(cue_match_operator_find("EQ", &operator));
	cr_assert_not(cue_match_operator_find("", &operator));
}

Test(match_operator, words_of_other_languages)
{
	/* Columns by hand. */
	/* clang-format off */
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{ "gte", "ge" },         { "GTE", "ge" },          { "$gte", "ge" },
		{ "$gt", "gt" },         { "lte", "le" },          { "==", "eq" },
		{ "=", "eq" },           { "equals", "eq" },       { "Equal", "eq" },
		{ "!=", "ne" },          { "neq", "ne" },          { "not_equal", "ne" },
		{ "not equal", "ne" },   { "less_than", "lt" },    { "<", "lt" },
		{ "<=", "le" },          { ">", "gt" },            { "=>", "ge" },
		{ "one-of", "in" },      { "$in", "in" },          { "exist", "exists" },
		{ "is_truthy", "truthy" }, { "greater_than_or_equal", "ge" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_str_eq(meant(rows[i].word), rows[i].meant, "%s", rows[i].word);
}

Test(match_operator, names_of_data_are_left_alone)
{
	/* Columns by hand. */
	/* clang-format off */
	static const char *const names[] = { "",   "on",    "at",    "id",   "x",     "y",
		                             "is", "state", "value", "min",  "max",   "not",
		                             "$",  "_",     "left",  "gtt",  "level", "above",
		                             "a name far longer than any of the words is" };
	/* clang-format on */

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		cr_assert_str_eq(meant(names[i]), "", "%s", names[i]);
}
