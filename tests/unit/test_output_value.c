/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "output_value.h"

static char at_on[] = "/on";
static struct config_output_text texts[] = { { "ON", true }, { "OFF", false }, { "", true } };
static const struct config_output plain = { .value = at_on };
static const struct config_output mapped = { .value = at_on, .map = texts, .n_map = 3 };

/** 1 on, 0 off, -1 none. */
static int level_of(const struct config_output *output, const char *json)
{
	cJSON *value = cJSON_Parse(json);
	bool level = true;
	int r;

	cr_assert_not_null(value, "%s", json);
	r = output_value_level(output, value, &level);
	cJSON_Delete(value);
	cr_assert(r == 0 || (r == -EINVAL && level), "untouched on failure");
	return r < 0 ? -1 : level;
}

Test(output_value, only_what_is_meant_is_a_level)
{
	/* Columns by hand. */
	/* clang-format off */
	static const struct {
		const char *json;
		int plain, mapped;
	} rows[] = {
		{ "true", 1, 1 },     { "false", 0, 0 },     { "1", 1, 1 },
		{ "0", 0, 0 },        { "1.0", 1, 1 },       { "-0", 0, 0 },
		{ "1e0", 1, 1 },      { "2", -1, -1 },       { "-1", -1, -1 },
		{ "0.5", -1, -1 },    { "1e300", -1, -1 },   { "null", -1, -1 },
		{ "\"ON\"", -1, 1 },  { "\"OFF\"", -1, 0 },  { "\"on\"", -1, -1 },
		{ "\"\"", -1, 1 },    { "\"true\"", -1, -1 }, { "{}", -1, -1 },
		{ "{\"on\":false}", -1, -1 }, { "[1]", -1, -1 }, { "[]", -1, -1 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_eq(level_of(&plain, rows[i].json), rows[i].plain, "%s", rows[i].json);
		cr_assert_eq(level_of(&mapped, rows[i].json), rows[i].mapped, "%s", rows[i].json);
	}
}

static const char *describe(const struct config_output *output, const char *json,
                            char buf[OUTPUT_VALUE_TEXT_SIZE])
{
	cJSON *value = json ? cJSON_Parse(json) : NULL;

	output_value_describe(output, value, buf);
	cJSON_Delete(value);
	return buf;
}

Test(output_value, what_is_wrong_is_said_in_bounded_room)
{
	char buf[OUTPUT_VALUE_TEXT_SIZE], long_text[5000], pointer[200] = "/";
	struct config_output far = { .value = pointer };

	cr_assert_str_eq(describe(&plain, NULL, buf), "the data has no \"/on\"");
	cr_assert_str_eq(describe(&plain, "\"OFF\"", buf),
	                 "\"OFF\" is neither true, false, 1 nor 0");
	cr_assert_str_eq(describe(&mapped, "{\"on\":1}", buf),
	                 "an object is neither true, false, 1, 0 nor a key of \"map\"");
	cr_assert_str_eq(describe(&plain, "[]", buf), "an array is neither true, false, 1 nor 0");
	cr_assert_str_eq(describe(&plain, "null", buf), "null is neither true, false, 1 nor 0");
	cr_assert_str_eq(describe(&plain, "2.5", buf), "2.5 is neither true, false, 1 nor 0");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[0] = long_text[sizeof(long_text) - 2] = '"';
	long_text[sizeof(long_text) - 1] = '\0';
	cr_assert_not_null(strstr(describe(&mapped, long_text, buf), "nor a key of \"map\""));
	memset(pointer + 1, 'p', sizeof(pointer) - 2);
	cr_assert_not_null(strstr(describe(&far, NULL, buf), "ppp\""));
}
