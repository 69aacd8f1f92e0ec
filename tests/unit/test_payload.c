/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/json.h>
#include <cuebus/payload.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static struct cue_payload *make(const char *json)
{
	struct cue_payload *payload = NULL;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	cr_assert_not_null(payload);
	return payload;
}

Test(payload, is_compact_and_keeps_spelling)
{
	struct cue_payload *payload = make(" { \"n\" : 1.50E+2 , \"s\" : \"\\u00e9 \\/\" } ");
	size_t len = 0;

	cr_assert_str_eq(cue_payload_bytes(payload, &len), "{\"n\":1.50E+2,\"s\":\"\\u00e9 \\/\"}");
	cr_assert_eq(len, strlen("{\"n\":1.50E+2,\"s\":\"\\u00e9 \\/\"}"));
	cr_assert_str_eq(cue_payload_bytes(payload, NULL), cue_payload_bytes(payload, &len));
	cr_assert_null(cue_payload_unref(payload));
}

Test(payload, does_not_keep_the_callers_text)
{
	char text[] = "[1,2]";
	struct cue_payload *payload = make(text);

	memset(text, 'x', sizeof(text) - 1);
	cr_assert_str_eq(cue_payload_bytes(payload, NULL), "[1,2]");
	cr_assert_eq(cJSON_GetArraySize(cue_payload_json(payload)), 2);
	cue_payload_unref(payload);
}

Test(payload, gives_back_the_room_that_compacting_left)
{
	char text[2000];
	struct cue_payload *payload = NULL;
	size_t len;

	memset(text, ' ', sizeof(text));
	text[0] = '{';
	memcpy(text + 500, "\"key\"", 5);
	text[1000] = ':';
	memcpy(text + 1500, "\"a value\"", 9);
	text[sizeof(text) - 1] = '}';
	cr_assert_eq(cue_payload_new(text, sizeof(text), 0, &payload, NULL), 0);
	cr_assert_str_eq(cue_payload_bytes(payload, &len), "{\"key\":\"a value\"}");
	cr_assert_eq(len, 17);
	cue_payload_unref(payload);
}

Test(payload, refuses_and_leaves_the_output_alone)
{
	struct cue_payload *payload = NULL;
	struct cue_json_error error = { 0 };

	cr_assert_eq(cue_payload_new("{\"a\":1,}", 8, 0, &payload, &error), -EBADMSG);
	cr_assert_null(payload);
	cr_assert_eq(error.offset, 7);
	cr_assert_eq(cue_payload_new("[[1]]", 5, 1, &payload, &error), -E2BIG);
	cr_assert_null(payload);
	cr_assert_eq(error.offset, 1);
	cr_assert_eq(cue_payload_new(" ", 1, 0, &payload, &error), -EBADMSG);
	cr_assert_null(payload);
	cr_assert_eq(cue_payload_new("x", 1, 0, &payload, NULL), -EBADMSG);
	cr_assert_null(payload);
}

Test(payload, empty_text_is_null)
{
	struct cue_payload *payload = NULL;

	cr_assert_eq(cue_payload_new("", 0, 0, &payload, NULL), 0);
	cr_assert_eq(payload, cue_payload_null());
	cue_payload_unref(payload);
	payload = NULL;
	cr_assert_eq(cue_payload_new(NULL, 0, 0, &payload, NULL), 0);
	cr_assert_str_eq(cue_payload_bytes(payload, NULL), "null");
	cue_payload_unref(payload);
}

Test(payload, null_is_immortal)
{
	struct cue_payload *null = cue_payload_null();
	size_t len = 0;

	for (int i = 0; i < 10; i++)
		cr_assert_null(cue_payload_unref(null));
	cr_assert_eq(cue_payload_ref(null), null);
	cr_assert_str_eq(cue_payload_bytes(null, &len), "null");
	cr_assert_eq(len, 4);
	cr_assert(cJSON_IsNull(cue_payload_json(null)));
	cr_assert_not(cue_payload_gate(null));
}

Test(payload, lives_until_the_last_reference)
{
	struct cue_payload *payload = make("[1]");

	cr_assert_eq(cue_payload_ref(payload), payload);
	cr_assert_eq(cue_payload_ref(payload), payload);
	cr_assert_null(cue_payload_unref(payload));
	cr_assert_null(cue_payload_unref(payload));
	cr_assert_str_eq(cue_payload_bytes(payload, NULL), "[1]");
	cr_assert_null(cue_payload_unref(payload));
}

Test(payload, null_pointer_is_allowed)
{
	struct cue_payload *none = NULL;

	cr_assert_null(cue_payload_ref(NULL));
	cr_assert_null(cue_payload_unref(NULL));
	cue_payload_unrefp(&none);
	cr_assert_null(none);
}

Test(payload, unrefp_clears_the_pointer)
{
	struct cue_payload *payload = make("1");

	cue_payload_unrefp(&payload);
	cr_assert_null(payload);
}

Test(payload, adopts_without_copying)
{
	char *json = strdup("{\"value\":0}");
	struct cue_payload *payload = NULL;
	size_t len;

	cr_assert_not_null(json);
	cr_assert_eq(cue_payload_adopt(json, strlen(json), &payload), 0);
	cr_assert_eq(cue_payload_bytes(payload, &len), json);
	cr_assert_eq(len, 11);
	cr_assert_not(cue_payload_gate(payload));
	cue_payload_unref(payload);
}

Test(payload, is_parsed_once)
{
	struct cue_payload *payload = make("{\"a\":[1,{\"b\":\"\\u00e9\"}]}");
	const cJSON *tree = cue_payload_json(payload);
	const cJSON *b;

	cr_assert_not_null(tree);
	cr_assert_eq(cue_payload_json(payload), tree);
	b = cJSON_GetObjectItemCaseSensitive(
	        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(tree, "a"), 1), "b");
	cr_assert_str_eq(b->valuestring, "\xC3\xA9");
	cue_payload_unref(payload);
}

/* The deepest nesting allowed: cJSON must accept it too. */
Test(payload, deepest_payload_is_parsed)
{
	char text[2 * CUE_JSON_DEPTH_MAX];
	struct cue_payload *payload = NULL;

	memset(text, '[', CUE_JSON_DEPTH_MAX);
	memset(text + CUE_JSON_DEPTH_MAX, ']', CUE_JSON_DEPTH_MAX);
	cr_assert_eq(cue_payload_new(text, sizeof(text), CUE_JSON_DEPTH_MAX, &payload, NULL), 0);
	cr_assert_not_null(cue_payload_json(payload));
	cue_payload_unref(payload);
}

struct gate {
	const char *json;
	bool open;
};

static const struct gate gates[] = {
	/* the data's own truthiness */
	{ "true", true },
	{ "false", false },
	{ "null", false },
	{ "0", false },
	{ "-0.0", false },
	{ "0.001", true },
	{ "-1", true },
	{ "\"\"", false },
	{ "\"0\"", true },
	{ "\"false\"", true },
	{ "[]", false },
	{ "[0]", true },
	{ "{}", false },
	{ "{\"other\":false}", true },
	{ "{\"Pressed\":false}", true },
	/* the keys, each way */
	{ "{\"pressed\":true}", true },
	{ "{\"pressed\":false}", false },
	{ "{\"state\":1}", true },
	{ "{\"state\":0}", false },
	{ "{\"enabled\":\"yes\"}", true },
	{ "{\"enabled\":\"\"}", false },
	{ "{\"value\":[0]}", true },
	{ "{\"value\":{}}", false },
	{ "{\"value\":null}", false },
	/* their order is not that of the text */
	{ "{\"value\":true,\"pressed\":false}", false },
	{ "{\"value\":false,\"enabled\":true}", true },
	{ "{\"enabled\":true,\"state\":false}", false },
	{ "{\"state\":true,\"pressed\":null}", false },
};

Test(payload, gate)
{
	for (size_t i = 0; i < sizeof(gates) / sizeof(*gates); i++) {
		struct cue_payload *payload = make(gates[i].json);

		cr_assert_eq(cue_payload_gate(payload), gates[i].open, "%s", gates[i].json);
		cue_payload_unref(payload);
	}
}

Test(payload, depth)
{
	static const struct {
		const char *json;
		unsigned depth;
	} cases[] = {
		{ "null", 0 },
		{ "\"[[{\\\"[\"", 0 },
		{ "{}", 1 },
		{ "[1,[],{\"a\":{}}]", 3 },
		{ "{\"a\":[[]],\"b\":{}}", 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cue_payload *payload;

		cr_assert_eq(
		        cue_payload_new(cases[i].json, strlen(cases[i].json), 0, &payload, NULL),
		        0);
		cr_assert_eq(cue_payload_depth(payload), cases[i].depth);
		cue_payload_unref(payload);
	}
}

Test(payload, members_as_they_are_spelt)
{
	static const struct {
		const char *key, *value;
	} expected[] = {
		{ "\"a\"", "1e400" },
		{ "\"b\\\"}\"", "\"},{\\\"\"" },
		{ "\"c\"", "[{\"d\":\"]\"},[]]" },
		{ "\"\"", "{}" },
	};
	struct cue_payload *payload = make(
	        "{\"a\": 1e400, \"b\\\"}\": \"},{\\\"\", \"c\": [{\"d\":\"]\"}, []], \"\": {}}");
	struct cue_json_member member;
	bool found = cue_json_first_member(cue_payload_bytes(payload, NULL), &member);

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		cr_assert(found);
		cr_assert_eq(member.key_len + 2, strlen(expected[i].key));
		cr_assert_eq(memcmp(member.key - 1, expected[i].key, member.key_len + 2), 0);
		cr_assert_eq(member.value.len, strlen(expected[i].value), "%s", member.value.text);
		cr_assert_eq(memcmp(member.value.text, expected[i].value, member.value.len), 0);
		found = cue_json_next_member(&member);
	}
	cr_assert_not(found);
	cue_payload_unref(payload);
}
