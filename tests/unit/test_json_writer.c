/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/json_writer.h>
#include <cuebus/payload.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* Finish, check that it is JSON, and compare. */
static void expect(struct cue_writer *w, const char *expected)
{
	struct cue_json_error error = { 0 };
	size_t announced = cue_writer_len(w);
	char *text = NULL;
	size_t len = 0;

	cr_assert_eq(cue_writer_finish(w, &text, &len), 0);
	cr_assert_str_eq(text, expected);
	cr_assert_eq(len, strlen(expected));
	cr_assert_eq(announced, len);
	cr_assert_eq(cue_json_validate(text, len, 0, &error), 0, "%s at %zu", error.text,
	             error.offset);
	free(text);
	cr_assert_eq(cue_writer_len(w), 0, "empty afterwards");
}

Test(json_writer, places_commas)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_writer_key(&w, "empty");
	cue_writer_object_begin(&w);
	cue_writer_object_end(&w);
	cue_writer_key(&w, "list");
	cue_writer_array_begin(&w);
	cue_writer_array_begin(&w);
	cue_writer_array_end(&w);
	cue_writer_null(&w);
	cue_writer_bool(&w, true);
	cue_writer_bool(&w, false);
	cue_writer_u64(&w, 1);
	cue_writer_i64(&w, -1);
	cue_writer_string(&w, "s");
	cue_writer_seconds(&w, 0);
	cue_writer_raw(&w, "[0]", 3);
	cue_writer_payload(&w, NULL);
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "a");
	cue_writer_null(&w);
	cue_writer_key(&w, "b");
	cue_writer_string(&w, NULL);
	cue_writer_object_end(&w);
	cue_writer_array_end(&w);
	cue_writer_key(&w, "last");
	cue_writer_u64(&w, 0);
	cue_writer_object_end(&w);
	expect(&w, "{\"empty\":{},\"list\":[[],null,true,false,1,-1,\"s\",0,[0],null,"
	           "{\"a\":null,\"b\":null}],\"last\":0}");
}

Test(json_writer, can_be_used_again)
{
	struct cue_writer w = { 0 };

	cue_writer_u64(&w, 1);
	expect(&w, "1");
	cue_writer_u64(&w, 2);
	expect(&w, "2");
}

Test(json_writer, numbers)
{
	struct cue_writer w = { 0 };

	cue_writer_array_begin(&w);
	cue_writer_u64(&w, 0);
	cue_writer_u64(&w, 10);
	cue_writer_u64(&w, UINT64_MAX);
	cue_writer_i64(&w, 0);
	cue_writer_i64(&w, -10);
	cue_writer_i64(&w, INT64_MAX);
	cue_writer_i64(&w, INT64_MIN);
	cue_writer_array_end(&w);
	expect(&w, "[0,10,18446744073709551615,0,-10,9223372036854775807,-9223372036854775808]");
}

Test(json_writer, seconds_are_exact)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 1, "0.000000001" },
		{ 10, "0.00000001" },
		{ 200000000, "0.2" },
		{ 300000000, "0.3" },
		{ 999999999, "0.999999999" },
		{ 1000000000, "1" },
		{ 1500000000, "1.5" },
		{ 60000000000, "60" },
		{ 10000000001, "10.000000001" },
		{ UINT64_MAX, "18446744073.709551615" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cue_writer w = { 0 };

		cue_writer_seconds(&w, rows[i].ns);
		expect(&w, rows[i].text);
	}
}

Test(json_writer, escapes)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_writer_key(&w, "a\"\\/\n");
	cue_writer_string(&w, "\b\t\n\f\r\x01\x1F\x7F \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
	cue_writer_object_end(&w);
	expect(&w, "{\"a\\\"\\\\/\\n\":\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7F "
	           "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"}");
}

#define FFFD "\xEF\xBF\xBD"

Test(json_writer, output_is_utf8_whatever_the_input)
{
	struct cue_writer w = { 0 };

	cue_writer_array_begin(&w);
	cue_writer_string(&w, "a\xFF"
	                      "b\x80");
	cue_writer_string(&w, "\xE2\x82");
	cue_writer_string(&w, "\xED\xA0\x80");
	cue_writer_string(&w, "\xC0\xAF");
	cue_writer_string_n(&w, "a\0b", 3);
	cue_writer_string_n(&w, "\xE2\x82\xAC", 2);
	cue_writer_array_end(&w);
	expect(&w, "[\"a" FFFD "b" FFFD "\",\"" FFFD FFFD "\",\"" FFFD FFFD FFFD "\",\"" FFFD FFFD
	           "\",\"a" FFFD "b\",\"" FFFD FFFD "\"]");
}

/* Each single byte, alone and amid others, gives JSON that cJSON reads back. */
Test(json_writer, every_byte)
{
	for (int byte = 1; byte < 256; byte++) {
		char s[] = { 'a', (char)byte, 'b', '\0' };
		struct cue_writer w = { 0 };
		struct cue_payload *payload = NULL;
		const cJSON *json;

		cue_writer_string(&w, s);
		cr_assert_eq(cue_writer_finish_payload(&w, &payload), 0);
		json = cue_payload_json(payload);
		cr_assert_not_null(json);
		cr_assert_str_eq(json->valuestring, byte < 0x80 ? s : "a" FFFD "b");
		cue_payload_unref(payload);
	}
}

Test(json_writer, string_n_needs_no_nul)
{
	struct cue_writer w = { 0 };

	cue_writer_string_n(&w, "abc", 2);
	expect(&w, "\"ab\"");
	cue_writer_string_n(&w, "", 0);
	expect(&w, "\"\"");
}

Test(json_writer, payloads_go_in_as_they_are)
{
	struct cue_writer w = { 0 };
	struct cue_payload *payload = NULL;

	cr_assert_eq(cue_payload_new("{ \"n\" : 1.50 }", 14, 0, &payload, NULL), 0);
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "data");
	cue_writer_payload(&w, payload);
	cue_writer_key(&w, "none");
	cue_writer_payload(&w, cue_payload_null());
	cue_writer_object_end(&w);
	expect(&w, "{\"data\":{\"n\":1.50},\"none\":null}");
	cue_payload_unref(payload);
}

/* Across every growth of the buffer. */
Test(json_writer, grows)
{
	struct cue_writer w = { 0 };
	const size_t n = 5000;
	char *text = NULL;
	size_t len = 0;

	cue_writer_array_begin(&w);
	for (size_t i = 0; i < n; i++)
		cue_writer_string(&w, "0123456789\n");
	cue_writer_array_end(&w);
	cr_assert_eq(cue_writer_len(&w), 15 * n + 1);
	cr_assert_eq(cue_writer_finish(&w, &text, &len), 0);
	cr_assert_eq(len, 15 * n + 1);
	cr_assert_eq(cue_json_validate(text, len, 0, NULL), 0);
	free(text);
}

Test(json_writer, exact_fit_of_the_buffer)
{
	for (size_t len = 240; len < 270; len++) {
		struct cue_writer w = { 0 };
		char *text = NULL;
		char *s = malloc(len + 1);

		cr_assert_not_null(s);
		memset(s, 'x', len);
		s[len] = '\0';
		cue_writer_string(&w, s);
		cr_assert_eq(cue_writer_finish(&w, &text, NULL), 0);
		cr_assert_eq(strlen(text), len + 2);
		free(text);
		free(s);
	}
}

Test(json_writer, finish_into_a_payload)
{
	struct cue_writer w = { 0 };
	struct cue_payload *payload = NULL;

	cue_writer_array_begin(&w);
	cue_writer_u64(&w, 3);
	cue_writer_array_end(&w);
	cr_assert_eq(cue_writer_finish_payload(&w, &payload), 0);
	cr_assert_str_eq(cue_payload_bytes(payload, NULL), "[3]");
	cue_payload_unref(payload);
}

Test(json_writer, nothing_written)
{
	struct cue_writer w = { 0 };
	struct cue_payload *payload = NULL;
	char *text = NULL;
	size_t len = 1;

	cr_assert_eq(cue_writer_finish(&w, &text, &len), 0);
	cr_assert_str_eq(text, "");
	cr_assert_eq(len, 0);
	free(text);
	cr_assert_eq(cue_writer_finish_payload(&w, &payload), 0);
	cr_assert_eq(payload, cue_payload_null());
}

Test(json_writer, clear_releases)
{
	struct cue_writer w = { 0 };

	cue_writer_clear(&w);
	cue_writer_string(&w, "text");
	cue_writer_clear(&w);
	cr_assert_eq(cue_writer_len(&w), 0);
	cue_writer_u64(&w, 1);
	expect(&w, "1");
}

/* A length that can't be allocated stands in for memory running out. */
Test(json_writer, errors_are_sticky)
{
	struct cue_writer w = { 0 };
	char *text = NULL;
	size_t len = 7;

	cue_writer_array_begin(&w);
	cue_writer_raw(&w, "", SIZE_MAX - 10);
	cue_writer_u64(&w, 1);
	cue_writer_array_end(&w);
	cr_assert_eq(cue_writer_len(&w), 0);
	cr_assert_eq(cue_writer_finish(&w, &text, &len), -ENOMEM);
	cr_assert_null(text);
	cr_assert_eq(len, 7);
	/* and the writer is empty again */
	cue_writer_u64(&w, 1);
	expect(&w, "1");
}
