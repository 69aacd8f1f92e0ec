/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <cuebus/payload.h>
#include <cuebus/pointer.h>

/** What the pointer leads to, printed as JSON into @p found. @return 0; negative errno. */
static int ask(const char *text, const char *json, char *found, size_t size)
{
	struct cue_pointer *pointer;
	struct cue_payload *payload;
	const cJSON *value = NULL;
	int r;

	cr_assert_eq(cue_pointer_new(text, &pointer), 0);
	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	r = cue_pointer_get(pointer, payload, &value);
	cr_assert_eq(r < 0, value == NULL, "untouched on failure");
	if (r == 0)
		cr_assert(cJSON_PrintPreallocated((cJSON *)(uintptr_t)value, found, (int)size, 0));
	cue_payload_unref(payload);
	cue_pointer_free(pointer);
	return r;
}

Test(pointer, it_leads_to_the_value)
{
	static const char *const cases[][3] = {
		{ "/on", "{\"on\":true}", "true" },
		{ "/on", "{\"on\":null}", "null" },
		{ "/on", "{\"on\":-0.5}", "-0.5" },
		{ "/on", "{\"on\":\"off\"}", "\"off\"" },
		{ "/on", "{\"on\":{\"x\":[1]}}", "{\"x\":[1]}" },
		{ "/a/1/b", "{\"a\":[0,{\"b\":1}]}", "1" },
		{ "/a~1b/~0", "{\"a/b\":{\"~\":2}}", "2" },
		{ "/", "{\"\":true}", "true" },
		/* the whole: no key of it is looked for */
		{ "", "0", "0" },
		{ "", "null", "null" },
		{ "", "{\"pressed\":false}", "{\"pressed\":false}" },
	};
	char found[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cr_assert_eq(ask(cases[i][0], cases[i][1], found, sizeof(found)), 0);
		cr_assert_str_eq(found, cases[i][2], "%s in %s", cases[i][0], cases[i][1]);
	}
}

Test(pointer, one_that_leads_nowhere_says_so)
{
	static const char *const cases[][2] = {
		{ "/on", "{}" },           { "/on", "{\"On\":true}" },
		{ "/on", "true" },         { "/on", "null" },
		{ "/on/x", "{\"on\":1}" }, { "/0", "[]" },
		{ "/01", "[1,2]" },        { "/-", "[1]" },
		{ "/1e0", "[1,2]" },       { "/on/", "{\"on\":[1]}" },
		{ "/9999999999", "[1]" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(ask(cases[i][0], cases[i][1], NULL, 0), -ENOENT, "%s in %s",
		             cases[i][0], cases[i][1]);
}

Test(pointer, what_is_none_is_refused)
{
	static const char *const texts[] = { "on", "~0", "/~", "/~2", "/a~" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct cue_pointer *pointer = NULL;

		cr_assert_eq(cue_pointer_new(texts[i], &pointer), -EINVAL, "%s", texts[i]);
		cr_assert_null(pointer);
	}
	cr_assert_null(cue_pointer_free(NULL));
}
