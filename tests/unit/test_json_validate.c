/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/payload.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_validate.h"

/* A text with its length, so that a NUL can be inside. */
#define T(literal) literal, sizeof(literal) - 1

struct accepted {
	const char *text;
	size_t len;
	const char *compact;
};

static const struct accepted accepted[] = {
	/* scalars */
	{ T("null"), "null" },
	{ T("true"), "true" },
	{ T(" false "), "false" },
	{ T("\t\r\n null\n"), "null" },
	{ T("0"), "0" },
	{ T("-0"), "-0" },
	{ T("7"), "7" },
	{ T("-12"), "-12" },
	{ T("0.5"), "0.5" },
	{ T("10.250"), "10.250" },
	{ T("1e3"), "1e3" },
	{ T("1E+3"), "1E+3" },
	{ T("-0.0e-0"), "-0.0e-0" },
	{ T("18446744073709551616"), "18446744073709551616" },
	{ T("1e999"), "1e999" },
	{ T("123456789012345678901234567890123456789012345678901234567890123"),
	  "123456789012345678901234567890123456789012345678901234567890123" },
	/* strings */
	{ T("\"\""), "\"\"" },
	{ T("\" a b \""), "\" a b \"" },
	{ T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"" },
	{ T("\"\\u0001\\u00e9\\uABCD\""), "\"\\u0001\\u00e9\\uABCD\"" },
	{ T("\"\\ud83d\\ude00\""), "\"\\ud83d\\ude00\"" },
	{ T("\"\\uDBFF\\uDFFF\""), "\"\\uDBFF\\uDFFF\"" },
	{ T("\"\\ud7ff\\ue000\""), "\"\\ud7ff\\ue000\"" },
	{ T("\"\x7F\""), "\"\x7F\"" },
	{ T("\"\xC2\x80\xDF\xBF\""), "\"\xC2\x80\xDF\xBF\"" },
	{ T("\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\""),
	  "\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"" },
	{ T("\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""), "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"" },
	/* arrays and objects */
	{ T("[]"), "[]" },
	{ T(" [ ] "), "[]" },
	{ T("{}"), "{}" },
	{ T("{\n}"), "{}" },
	{ T("[1,2]"), "[1,2]" },
	{ T("[ 1 , [ 2 ] , { } ]"), "[1,[2],{}]" },
	{ T("{\"a\":1}"), "{\"a\":1}" },
	{ T("{ \"a\" : { \"a\" : [ ] } , \"b\" : \"x y\" }"), "{\"a\":{\"a\":[]},\"b\":\"x y\"}" },
	{ T("{\"\":0,\" \":0}"), "{\"\":0,\" \":0}" },
	{ T("{\"a\":1,\"A\":2,\"\\u0062\":3}"), "{\"a\":1,\"A\":2,\"\\u0062\":3}" },
	{ T("[{\"a\":1},{\"a\":1}]"), "[{\"a\":1},{\"a\":1}]" },
	{ T("{\"ab\":1,\"a\":1,\"abc\":1,\"a\\u0062d\":1}"),
	  "{\"ab\":1,\"a\":1,\"abc\":1,\"a\\u0062d\":1}" },
};

Test(json_validate, accepts_and_compacts)
{
	for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
		const struct accepted *row = &accepted[i];
		struct cue_json_error error = { 12345, "untouched" };
		char out[256];
		size_t len = 0;

		cr_assert_eq(cue_json_validate(row->text, row->len, 0, &error), 0, "%s: %s at %zu",
		             row->text, error.text, error.offset);
		cr_assert_eq(error.offset, 12345);
		cr_assert_eq(cue_json_compact((struct cue_json_text){ row->text, row->len }, 0, out,
		                              &len, &error),
		             0);
		out[len] = '\0';
		cr_assert_str_eq(out, row->compact);
	}
}

struct rejected {
	const char *text;
	size_t len;
	size_t offset;
	const char *says; /* a part of the text of the error */
};

static const struct rejected rejected[] = {
	/* no value, or more than one */
	{ T(""), 0, "empty" },
	{ T(" \n"), 2, "empty" },
	{ T("1 2"), 2, "only white space" },
	{ T("{} x"), 3, "only white space" },
	{ T("[]]"), 2, "only white space" },
	{ T("null,"), 4, "only white space" },
	{ T("1\0"), 1, "only white space" },
	{ T("\0"), 0, "NUL" },
	{ T("\xEF\xBB\xBF{}"), 0, "byte order mark" },
	{ T("\xC2\xA0"), 0, "value is expected" },
	{ T("\f1"), 0, "value is expected" },
	/* words */
	{ T("tru"), 0, "unknown word" },
	{ T("True"), 0, "unknown word" },
	{ T("nulll"), 0, "unknown word" },
	{ T("[undefined]"), 1, "unknown word" },
	{ T("NaN"), 0, "NaN" },
	{ T("-Infinity"), 1, "digit" },
	{ T("{\"a\":Infinity}"), 5, "Infinity" },
	{ T("'a'"), 0, "double quotes" },
	{ T("// c\n1"), 0, "comments" },
	{ T("[1,#\n2]"), 3, "comments" },
	/* numbers */
	{ T("+1"), 0, "leading '+'" },
	{ T("-"), 1, "digit" },
	{ T("--1"), 1, "digit" },
	{ T(".5"), 0, "0.5" },
	{ T("-.5"), 1, "digit" },
	{ T("1."), 2, "digit" },
	{ T("1.e3"), 2, "digit" },
	{ T("1e"), 2, "exponent" },
	{ T("1e+"), 3, "exponent" },
	{ T("01"), 0, "leading zeros" },
	{ T("-00"), 1, "leading zeros" },
	{ T("[ 007 ]"), 2, "leading zeros" },
	{ T("0x10"), 1, "only white space" },
	{ T("[1e5.5]"), 4, "',' or ']'" },
	{ T("[1234567890123456789012345678901234567890123456789012345678901234]"), 1, "63" },
	/* strings */
	{ T("\""), 0, "no end" },
	{ T("[\"a"), 1, "no end" },
	{ T("\"a\\\""), 0, "no end" },
	{ T("\"a\\"), 0, "no end" },
	{ T("\"a\nb\""), 2, "control character" },
	{ T("\"\t\""), 1, "control character" },
	{ T("\"a\0b\""), 2, "control character" },
	{ T("\"\\a\""), 1, "unknown escape" },
	{ T("\"ab\\'\""), 3, "unknown escape" },
	{ T("\"\\U0041\""), 1, "unknown escape" },
	{ T("\"\\u\""), 1, "four hex digits" },
	{ T("\"\\u12g4\""), 1, "four hex digits" },
	{ T("\"\\u123"), 1, "four hex digits" },
	{ T("\"x\\u0000\""), 2, "\\u0000" },
	{ T("\"\\ud800\""), 1, "high surrogate" },
	{ T("\"\\ud800x\""), 1, "high surrogate" },
	{ T("\"\\ud800\\n\""), 1, "high surrogate" },
	{ T("\"\\ud800\\u0041\""), 1, "high surrogate" },
	{ T("\"\\ud800\\ud800\""), 1, "high surrogate" },
	{ T("\"a\\udc00\""), 2, "low surrogate" },
	/* UTF-8 */
	{ T("\"\x80\""), 1, "UTF-8" },
	{ T("\"a\xC2\""), 2, "UTF-8" },
	{ T("\"\xC0\x80\""), 1, "UTF-8" },
	{ T("\"\xC1\xBF\""), 1, "UTF-8" },
	{ T("\"\xE0\x9F\xBF\""), 1, "UTF-8" },
	{ T("\"\xE2\x82\""), 1, "UTF-8" },
	{ T("\"\xE2\x82"), 1, "UTF-8" },
	{ T("\"\xED\xA0\x80\""), 1, "UTF-8" },
	{ T("\"\xF0\x8F\xBF\xBF\""), 1, "UTF-8" },
	{ T("\"\xF0\x9F\x98\""), 1, "UTF-8" },
	{ T("\"\xF4\x90\x80\x80\""), 1, "UTF-8" },
	{ T("\"\xF5\x80\x80\x80\""), 1, "UTF-8" },
	{ T("\"\xFF\""), 1, "UTF-8" },
	{ T("{\"\xFF\":1}"), 2, "UTF-8" },
	/* arrays */
	{ T("["), 1, "']' is missing" },
	{ T("[1"), 2, "']' is missing" },
	{ T("[1,"), 3, "']' is missing" },
	{ T("[1,]"), 3, "trailing comma" },
	{ T("[,1]"), 1, "before ','" },
	{ T("[1,,2]"), 3, "before ','" },
	{ T("[1 2]"), 3, "',' or ']'" },
	{ T("[1}"), 2, "',' or ']'" },
	{ T("[:1]"), 1, "':'" },
	{ T("]"), 0, "closing bracket" },
	/* objects */
	{ T("{"), 1, "'}' is missing" },
	{ T("{\"a\""), 4, "'}' is missing" },
	{ T("{\"a\":"), 5, "'}' is missing" },
	{ T("{\"a\":1"), 6, "'}' is missing" },
	{ T("{\"a\":1,"), 7, "'}' is missing" },
	{ T("{\"a\":1,}"), 7, "trailing comma" },
	{ T("{,}"), 1, "key is expected" },
	{ T("{a:1}"), 1, "key is expected" },
	{ T("{1:1}"), 1, "key is expected" },
	{ T("{\"a\" 1}"), 5, "':'" },
	{ T("{\"a\",1}"), 4, "':'" },
	{ T("{\"a\":}"), 5, "closing bracket" },
	{ T("{\"a\":]"), 5, "closing bracket" },
	{ T("{\"a\":1]"), 6, "',' or '}'" },
	{ T("{\"a\":1 \"b\":2}"), 7, "',' or '}'" },
	/* duplicate keys */
	{ T("{\"a\":1,\"a\":2}"), 7, "duplicate" },
	{ T("{\"\":1,\"\":2}"), 6, "duplicate" },
	{ T("{\"a\":1,\"\\u0061\":2}"), 7, "duplicate" },
	{ T("{\"\\n\":1,\"\\u000A\":2}"), 8, "duplicate" },
	{ T("{\"/\":1,\"\\/\":2}"), 7, "duplicate" },
	{ T("{\"\xC3\xA9\":1,\"\\u00e9\":2}"), 8, "duplicate" },
	{ T("{\"\xF0\x9F\x98\x80\":1,\"\\ud83d\\uDE00\":2}"), 10, "duplicate" },
	{ T("[{\"x\":{\"b\":1,\"a\":2,\"c\":3,\"b\":4}}]"), 25, "duplicate" },
	/* the first repetition in the text, not the first in the order of keys */
	{ T("{\"b\":1,\"a\":2,\"b\":3,\"a\":4}"), 13, "duplicate" },
};

Test(json_validate, rejects_with_place_and_reason)
{
	for (size_t i = 0; i < sizeof(rejected) / sizeof(*rejected); i++) {
		const struct rejected *row = &rejected[i];
		struct cue_json_error error = { 0 };
		/* Exactly as long as the text, so that a sanitizer sees a step too far. */
		char *copy = malloc(row->len + (row->len == 0));
		int r;

		cr_assert_not_null(copy);
		memcpy(copy, row->text, row->len);
		r = cue_json_validate(copy, row->len, 0, &error);
		cr_assert_eq(r, -EBADMSG, "row %zu: %s gives %d", i, row->text, r);
		cr_assert_eq(error.offset, row->offset, "%s: offset %zu", row->text, error.offset);
		cr_assert(strstr(error.text, row->says), "%s: %s", row->text, error.text);
		free(copy);
	}
}

Test(json_validate, tables_are_as_large_as_promised)
{
	cr_assert_geq(sizeof(accepted) / sizeof(*accepted), 30);
	cr_assert_geq(sizeof(rejected) / sizeof(*rejected), 100);
}

/* What is accepted, cJSON must parse; it is what predicates see. */
Test(json_validate, cjson_parses_what_is_accepted)
{
	for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
		cJSON *tree = cJSON_ParseWithLengthOpts(accepted[i].text, accepted[i].len + 1, NULL,
		                                        true);

		cr_assert_not_null(tree, "%s", accepted[i].text);
		cJSON_Delete(tree);
	}
}

Test(json_validate, error_is_optional)
{
	cr_assert_eq(cue_json_validate("[", 1, 0, NULL), -EBADMSG);
	cr_assert_eq(cue_json_validate("[[]]", 4, 1, NULL), -E2BIG);
	cr_assert_eq(cue_json_validate(NULL, 0, 0, NULL), -EBADMSG);
}

static char *nested(unsigned depth, const char *open, const char *close, const char *inner)
{
	size_t size = depth * (strlen(open) + strlen(close)) + strlen(inner) + 1;
	char *text = malloc(size);
	char *at = text;

	cr_assert_not_null(text);
	for (unsigned i = 0; i < depth; i++)
		at = stpcpy(at, open);
	at = stpcpy(at, inner);
	for (unsigned i = 0; i < depth; i++)
		at = stpcpy(at, close);
	return text;
}

static int validate_nested(unsigned depth, unsigned limit, struct cue_json_error *ret_error)
{
	char *text = nested(depth, "{\"k\":[", "]}", "1");
	int r = cue_json_validate(text, strlen(text), limit, ret_error);

	free(text);
	return r;
}

Test(json_validate, depth_limit)
{
	struct cue_json_error error = { 0 };

	cr_assert_eq(cue_json_validate("1", 1, 1, &error), 0, "a scalar has depth 0");
	cr_assert_eq(cue_json_validate("[1]", 3, 1, &error), 0);
	cr_assert_eq(cue_json_validate("[[1]]", 5, 1, &error), -E2BIG);
	cr_assert_eq(error.offset, 1);
	cr_assert(strstr(error.text, "nested deeper"));

	cr_assert_eq(validate_nested(16, 0, &error), 0, "32 by default");
	cr_assert_eq(validate_nested(17, 0, &error), -E2BIG);
	cr_assert_eq(error.offset, 16 * 6);
	cr_assert_eq(validate_nested(17, 33, &error), -E2BIG);
	cr_assert_eq(validate_nested(17, 34, &error), 0);
}

Test(json_validate, depth_limit_has_a_limit_itself)
{
	struct cue_json_error error = { 0 };

	cr_assert_eq(validate_nested(CUE_JSON_DEPTH_MAX / 2, 1000000, &error), 0);
	cr_assert_eq(validate_nested(CUE_JSON_DEPTH_MAX / 2 + 1, 1000000, &error), -E2BIG);
	/* Far deeper than any stack would bear with recursion. */
	cr_assert_eq(validate_nested(500000, 1000000, &error), -E2BIG);
}

/* {"k0":0, … } with n keys; the last key repeats the first when asked to. */
static char *many_keys(unsigned n, bool repeat, size_t *ret_last_offset)
{
	char *text = malloc(n * 24 + 3);
	char *at = text;

	cr_assert_not_null(text);
	for (unsigned i = 0; i < n; i++) {
		*at++ = i ? ',' : '{';
		*ret_last_offset = (size_t)(at - text);
		at += sprintf(at, "\"k%u\":0", repeat && i == n - 1 ? 0 : i);
	}
	strcpy(at, "}");
	return text;
}

Test(json_validate, many_keys)
{
	static const unsigned counts[] = { 2, 31, 32, 33, 64, 65, 100000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct cue_json_error error = { 0 };
		size_t last;
		char *text = many_keys(counts[i], false, &last);

		cr_assert_eq(cue_json_validate(text, strlen(text), 0, &error), 0);
		free(text);
		text = many_keys(counts[i], true, &last);
		cr_assert_eq(cue_json_validate(text, strlen(text), 0, &error), -EBADMSG);
		cr_assert_eq(error.offset, last, "%u keys: %zu, not %zu", counts[i], error.offset,
		             last);
		free(text);
	}
}

/* Keys of an inner object do not count for the outer one, nor after its end. */
Test(json_validate, keys_belong_to_their_object)
{
	static const char text[] =
	        "{\"a\":{\"b\":1,\"c\":{\"a\":1}},\"b\":[{\"a\":1},{\"b\":2}],\"c\":3}";
	static const char wrong[] = "{\"a\":{\"b\":1},\"b\":[{\"a\":1}],\"a\":3}";
	struct cue_json_error error = { 0 };

	cr_assert_eq(cue_json_validate(text, sizeof(text) - 1, 0, &error), 0);
	cr_assert_eq(cue_json_validate(wrong, sizeof(wrong) - 1, 0, &error), -EBADMSG);
	cr_assert_eq(error.offset, 27);
}

Test(json_validate, every_prefix_of_a_document_is_refused)
{
	static const char text[] =
	        "{\"a\":[1,-2.5e+3,\"x\\u00e9\\ud83d\\ude00\xE2\x82\xAC\"],\"b\":{\"c\":null}}";

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *copy = malloc(len + 1);
		struct cue_json_error error = { 0 };

		cr_assert_not_null(copy);
		memcpy(copy, text, len);
		cr_assert_eq(cue_json_validate(copy, len, 0, &error), -EBADMSG, "%zu", len);
		cr_assert_leq(error.offset, len);
		free(copy);
	}
	cr_assert_eq(cue_json_validate(text, sizeof(text) - 1, 0, NULL), 0);
}
