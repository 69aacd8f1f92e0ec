/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "json_tree.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_value.h"

static char *again(const char *json)
{
	struct cue_writer w = { 0 };
	cJSON *tree = cJSON_Parse(json);
	char *text;

	cr_assert_not_null(tree, "%s", json);
	cue_json_tree_write(&w, tree);
	cJSON_Delete(tree);
	cr_assert_eq(cue_writer_finish(&w, &text, NULL), 0);
	return text;
}

Test(json_tree, the_form_is_compact)
{
	static const char *const cases[][2] = {
		{ "{\"a\":[1, 2.5, true, false, null, \"x\"], \"b\":{}, \"c\":[]}",
		  "{\"a\":[1,2.5,true,false,null,\"x\"],\"b\":{},\"c\":[]}" },
		{ "\"\\u00e9\\\"\\n\"", "\"\u00e9\\\"\\n\"" },
		{ "180", "180" },
		{ "0.1", "0.1" },
		{ "-0.5", "-0.5" },
		{ "9007199254740991", "9007199254740991" },
		{ "123456789012345678", "1.2345678901234568e+17" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = again(cases[i][0]);

		cr_assert_str_eq(text, cases[i][1], "%s", cases[i][0]);
		free(text);
	}
}

Test(json_tree, numbers_stay_the_same)
{
	static const char *const numbers[] = {
		"9007199254740991",
		"9007199254740990",
		"9007199254740993",
		"4503599627370497.5",
		"0.1",
		"0.30000000000000004",
		"5e-324",
		"1.7976931348623157e308",
		"1e400",
		"-1e400",
		"1e-400",
		"3.141592653589793",
		"2.2250738585072011e-308",
		"18446744073709551615",
		"-9223372036854775808",
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		char *text = again(numbers[i]);
		cJSON *before = cJSON_Parse(numbers[i]), *after = cJSON_Parse(text);

		cr_assert_not_null(after, "%s", text);
		cr_assert(cue_json_equal(before, after), "%s became %s", numbers[i], text);
		cJSON_Delete(before);
		cJSON_Delete(after);
		free(text);
	}
}
