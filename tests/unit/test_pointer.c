/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <string.h>

#include <cuebus/payload.h>
#include <cuebus/pointer.h>

/** What the pointer says of the data: 1 true, 0 false, negative errno. */
static int ask(const char *text, const char *json)
{
	struct cue_pointer *pointer;
	struct cue_payload *payload;
	bool truthy = false;
	int r;

	cr_assert_eq(cue_pointer_new(text, &pointer), 0);
	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	r = cue_pointer_truthy(pointer, payload, &truthy);
	cue_payload_unref(payload);
	cue_pointer_free(pointer);
	return r < 0 ? r : truthy;
}

Test(pointer, the_value_there_decides)
{
	static const struct {
		const char *text, *json;
		int result;
	} cases[] = {
		{ "/on", "{\"on\":true}", 1 },
		{ "/on", "{\"on\":false}", 0 },
		{ "/on", "{\"on\":null}", 0 },
		{ "/on", "{\"on\":0}", 0 },
		{ "/on", "{\"on\":-0.5}", 1 },
		{ "/on", "{\"on\":\"\"}", 0 },
		{ "/on", "{\"on\":\"off\"}", 1 },
		{ "/on", "{\"on\":[]}", 0 },
		{ "/on", "{\"on\":{}}", 0 },
		{ "/on", "{\"on\":[0]}", 1 },
		{ "/a/1/b", "{\"a\":[0,{\"b\":1}]}", 1 },
		{ "/a~1b/~0", "{\"a/b\":{\"~\":2}}", 1 },
		{ "/", "{\"\":true}", 1 },
		/* the whole: no key of it is looked for */
		{ "", "true", 1 },
		{ "", "0", 0 },
		{ "", "null", 0 },
		{ "", "{}", 0 },
		{ "", "{\"pressed\":false}", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(ask(cases[i].text, cases[i].json), cases[i].result, "%s in %s",
		             cases[i].text, cases[i].json);
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
		cr_assert_eq(ask(cases[i][0], cases[i][1]), -ENOENT, "%s in %s", cases[i][0],
		             cases[i][1]);
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
