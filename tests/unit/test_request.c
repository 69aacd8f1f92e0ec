/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cue_criterion.h"

static const struct request_field fields[] = {
	{ "name", REQUEST_STRING, true },
	{ "data", REQUEST_ANY, false },
	{ "n", REQUEST_UINT32, false },
	{ "level", REQUEST_LEVEL, false },
	{ 0 },
};

static int read_text(const char *text, struct request *request, struct request_error *error)
{
	*request = (struct request){ 0 };
	*error = (struct request_error){ 0 };
	return request_read(&(struct request_text){ text, strlen(text), 32 }, fields, request,
	                    error);
}

Test(request, values_keep_their_spelling)
{
	struct request request;
	struct request_error error;

	cr_assert_eq(
	        read_text("{ \"data\" : {\"x\": 1.50, \"s\":\"a\\\"}\"} , \"name\":\"a\\u0062\", "
	                  "\"n\":4294967295, \"level\":1, \"request_id\": 12345678901234567890 }",
	                  &request, &error),
	        0);
	cr_assert_str_eq(request.values[0].string, "ab");
	cr_assert_eq(strncmp(request.values[1].raw, "{\"x\":1.50,\"s\":\"a\\\"}\"}",
	                     request.values[1].raw_len),
	             0);
	cr_assert_eq(request.values[1].raw_len, strlen("{\"x\":1.50,\"s\":\"a\\\"}\"}"));
	cr_assert_eq(request.values[2].number, 4294967295U);
	cr_assert_eq(request.values[3].number, 1U);
	cr_assert_str_eq(request.request_id, "12345678901234567890");
	request_clear(&request);
}

Test(request, faults_name_their_place)
{
	static const struct {
		const char *text, *path;
		bool invalid_json;
	} cases[] = {
		{ "{", "", true },
		{ "", "/name", false },
		{ "[]", "", false },
		{ "{}", "/name", false },
		{ "{\"name\":1}", "/name", false },
		{ "{\"name\":\"\"}", "/name", false },
		{ "{\"name\":\"a\",\"nmae\":1}", "/nmae", false },
		{ "{\"name\":\"a\",\"n\":-1}", "/n", false },
		{ "{\"name\":\"a\",\"n\":1.5}", "/n", false },
		{ "{\"name\":\"a\",\"n\":4294967296}", "/n", false },
		{ "{\"name\":\"a\",\"n\":1e400}", "/n", false },
		{ "{\"name\":\"a\",\"level\":2}", "/level", false },
		{ "{\"name\":\"a\",\"level\":true}", "/level", false },
		{ "{\"name\":\"a\",\"\":1}", "/", false },
		{ "{\"name\":\"a\",\"a/b~c\":1}", "/a~1b~0c", false },
		{ "{\"name\":\"a\",\"request_id\":null}", "/request_id", false },
		{ "{\"name\":\"a\",\"name\":\"b\"}", "", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct request request;
		struct request_error error;

		cr_assert_eq(read_text(cases[i].text, &request, &error), -EINVAL);
		cr_assert_str_eq(error.path, cases[i].path);
		cr_assert_eq(error.invalid_json, cases[i].invalid_json);
		cr_assert(*error.text);
		request_clear(&request);
	}
}

Test(request, the_request_id_is_read_even_behind_a_fault)
{
	struct request request;
	struct request_error error;

	cr_assert_eq(read_text("{\"bad\":1,\"name\":2,\"request_id\":\"q7\"}", &request, &error),
	             -EINVAL);
	cr_assert_str_eq(error.path, "/bad");
	cr_assert_str_eq(request.request_id, "\"q7\"");
	request_clear(&request);
}

Test(request, a_request_id_has_254_bytes_at_most)
{
	static const struct {
		const char *before, *after;
		size_t n;
		bool ok;
	} cases[] = { { "\"", "\"", 254, true },
		      { "\"", "\"", 255, false },
		      { "\"\\u00e4", "\"", 248, true }, /* an escape counts as it is written */
		      { "\"\\u00e4", "\"", 249, false },
		      { "1", "", 20, true } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct request request = { 0 };
		struct request_error error;
		char text[400], digits[300] = "";
		int r;

		memset(digits, '1', cases[i].n);
		snprintf(text, sizeof(text), "{\"name\":\"a\",\"request_id\":%s%s%s}",
		         cases[i].before, digits, cases[i].after);
		r = read_text(text, &request, &error);
		cr_assert_eq(r, cases[i].ok ? 0 : -EINVAL, "%zu", i);
		if (!cases[i].ok) {
			cr_assert_str_eq(error.path, "/request_id");
			cr_assert_not_null(strstr(error.text, "254 bytes at most"));
			cr_assert_null(request.request_id);
		}
		request_clear(&request);
	}
}
