/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/match.h>
#include <cuebus/payload.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static struct cue_match *compile(const char *json)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };
	struct cue_match *match = NULL;
	cJSON *tree = cJSON_Parse(json);
	int r;

	cr_assert_not_null(tree, "%s", json);
	r = cue_match_new(tree, &match, &error);
	cr_assert_eq(r, 0, "%s: %s at \"%s\"", json, error.text, error.path);
	cJSON_Delete(tree); /* what is needed was copied */
	return match;
}

static bool matches(const char *predicate, const char *data)
{
	struct cue_match *match = compile(predicate);
	struct cue_payload *payload = NULL;
	bool holds;

	cr_assert_eq(cue_payload_new(data, strlen(data), 0, &payload, NULL), 0, "%s", data);
	holds = cue_match_eval(match, payload);
	cr_assert_eq(cue_match_eval(match, payload), holds, "evaluating changes nothing");
	cue_payload_unref(payload);
	cr_assert_null(cue_match_free(match));
	return holds;
}

struct row {
	const char *predicate;
	const char *data;
	bool holds;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(matches(rows[i].predicate, rows[i].data), rows[i].holds, "%s on %s",
		             rows[i].predicate, rows[i].data);
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

Test(match, values)
{
	static const struct row rows[] = {
		{ "{\"a\":1}", "{\"a\":1}", true },
		{ "{\"a\":1}", "{\"a\":1.0}", true },
		{ "{\"a\":1}", "{\"a\":2}", false },
		{ "{\"a\":1}", "{\"a\":\"1\"}", false },
		{ "{\"a\":1}", "{\"a\":true}", false },
		{ "{\"a\":1}", "{}", false },
		{ "{\"a\":1}", "{\"A\":1}", false },
		{ "{\"a\":1}", "7", false },
		{ "{\"a\":1}", "[1]", false },
		{ "{\"a\":1}", "null", false },
		{ "{\"a\":\"x\"}", "{\"a\":\"x\"}", true },
		{ "{\"a\":\"x\"}", "{\"a\":\"X\"}", false },
		{ "{\"a\":\"\\u00e9\"}", "{\"a\":\"\xC3\xA9\"}", true },
		{ "{\"a\":true}", "{\"a\":true}", true },
		{ "{\"a\":true}", "{\"a\":false}", false },
		{ "{\"a\":false}", "{\"a\":null}", false },
		{ "{\"a\":null}", "{\"a\":null}", true },
		{ "{\"a\":null}", "{}", false },
		/* exact, where cJSON_Compare() takes neighbours for equal */
		{ "{\"a\":1}", "{\"a\":1.0000000000000002}", false },
		/* doubles: beyond 2^53 neighbours are one */
		{ "{\"a\":9007199254740992}", "{\"a\":9007199254740993}", true },
		{ "{\"a\":0}", "{\"a\":-0}", true },
		/* no condition at all */
		{ "{}", "{\"a\":1}", true },
		{ "{}", "null", true },
		/* all must hold */
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1,\"c\":3}", true },
		{ "{\"a\":1,\"b\":2}", "{\"b\":3,\"a\":1}", false },
	};

	CHECK_ROWS(rows);
}

Test(match, deep_values)
{
	static const struct row rows[] = {
		{ "{\"a\":[1,2]}", "{\"a\":[1,2]}", true },
		{ "{\"a\":[1,2]}", "{\"a\":[2,1]}", false },
		{ "{\"a\":[1,2]}", "{\"a\":[1]}", false },
		{ "{\"a\":[1,2]}", "{\"a\":[1,2,3]}", false },
		{ "{\"a\":[]}", "{\"a\":[]}", true },
		{ "{\"a\":[]}", "{\"a\":{}}", false },
		{ "{\"a\":{}}", "{\"a\":{}}", true },
		{ "{\"a\":{}}", "{\"a\":[]}", false },
		{ "{\"a\":{}}", "{\"a\":{\"b\":1}}", false },
		{ "{\"a\":{\"x\":1,\"y\":[{\"z\":null}]}}",
		  "{\"a\":{\"y\":[{\"z\":null}],\"x\":1}}", true },
		{ "{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":1,\"z\":2}}", false },
		{ "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1,\"y\":2}}", false },
		{ "{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":1}}", false },
		{ "{\"a\":{\"eq\":{\"gt\":1}}}", "{\"a\":{\"gt\":1}}", true },
	};

	CHECK_ROWS(rows);
}

Test(match, operators)
{
	static const struct row rows[] = {
		{ "{\"a\":{\"eq\":5}}", "{\"a\":5}", true },
		{ "{\"a\":{\"eq\":5}}", "{\"a\":6}", false },
		{ "{\"a\":{\"ne\":5}}", "{\"a\":6}", true },
		{ "{\"a\":{\"ne\":5}}", "{\"a\":5}", false },
		{ "{\"a\":{\"ne\":5}}", "{\"a\":\"5\"}", true },
		{ "{\"a\":{\"lt\":5}}", "{\"a\":4.9}", true },
		{ "{\"a\":{\"lt\":5}}", "{\"a\":5}", false },
		{ "{\"a\":{\"le\":5}}", "{\"a\":5}", true },
		{ "{\"a\":{\"le\":5}}", "{\"a\":5.1}", false },
		{ "{\"a\":{\"gt\":5}}", "{\"a\":5.1}", true },
		{ "{\"a\":{\"gt\":5}}", "{\"a\":5}", false },
		{ "{\"a\":{\"ge\":5}}", "{\"a\":5}", true },
		{ "{\"a\":{\"ge\":5}}", "{\"a\":4.9}", false },
		{ "{\"a\":{\"gt\":-1e300}}", "{\"a\":-1e299}", true },
		/* a range */
		{ "{\"a\":{\"ge\":1,\"lt\":3}}", "{\"a\":2}", true },
		{ "{\"a\":{\"ge\":1,\"lt\":3}}", "{\"a\":3}", false },
		{ "{\"a\":{\"ge\":1,\"lt\":3}}", "{\"a\":0}", false },
		/* strings, by bytes */
		{ "{\"a\":{\"lt\":\"b\"}}", "{\"a\":\"a\"}", true },
		{ "{\"a\":{\"lt\":\"b\"}}", "{\"a\":\"b\"}", false },
		{ "{\"a\":{\"lt\":\"b\"}}", "{\"a\":\"B\"}", true },
		{ "{\"a\":{\"gt\":\"z\"}}", "{\"a\":\"\xC3\xA9\"}", true },
		{ "{\"a\":{\"ge\":\"\"}}", "{\"a\":\"\"}", true },
		/* no order between kinds, nor among others */
		{ "{\"a\":{\"lt\":5}}", "{\"a\":\"4\"}", false },
		{ "{\"a\":{\"ge\":5}}", "{\"a\":\"4\"}", false },
		{ "{\"a\":{\"ge\":\"4\"}}", "{\"a\":5}", false },
		{ "{\"a\":{\"le\":5}}", "{\"a\":null}", false },
		{ "{\"a\":{\"le\":5}}", "{\"a\":false}", false },
		{ "{\"a\":{\"ge\":0}}", "{\"a\":[]}", false },
		/* in */
		{ "{\"a\":{\"in\":[1,\"x\",null]}}", "{\"a\":\"x\"}", true },
		{ "{\"a\":{\"in\":[1,\"x\",null]}}", "{\"a\":null}", true },
		{ "{\"a\":{\"in\":[1,\"x\",null]}}", "{\"a\":2}", false },
		{ "{\"a\":{\"in\":[[1],{\"b\":2}]}}", "{\"a\":{\"b\":2}}", true },
		{ "{\"a\":{\"in\":[[1],{\"b\":2}]}}", "{\"a\":1}", false },
		/* exists */
		{ "{\"a\":{\"exists\":true}}", "{\"a\":null}", true },
		{ "{\"a\":{\"exists\":true}}", "{\"b\":1}", false },
		{ "{\"a\":{\"exists\":false}}", "{\"a\":null}", false },
		/* truthy */
		{ "{\"a\":{\"truthy\":true}}", "{\"a\":\"0\"}", true },
		{ "{\"a\":{\"truthy\":true}}", "{\"a\":0}", false },
		{ "{\"a\":{\"truthy\":true}}", "{\"a\":{\"value\":false}}", true },
		{ "{\"a\":{\"truthy\":false}}", "{\"a\":[]}", true },
		{ "{\"a\":{\"truthy\":false}}", "{\"a\":[0]}", false },
	};

	CHECK_ROWS(rows);
}

/* Only exists:false, truthy:false and ne hold for what is not there. */
Test(match, absent)
{
	static const struct row rows[] = {
		{ "{\"a\":{\"exists\":false}}", "{}", true },
		{ "{\"a\":{\"truthy\":false}}", "{}", true },
		{ "{\"a\":{\"ne\":1}}", "{}", true },
		{ "{\"a\":{\"ne\":null}}", "{}", true },
		{ "{\"a\":{\"exists\":true}}", "{}", false },
		{ "{\"a\":{\"truthy\":true}}", "{}", false },
		{ "{\"a\":{\"eq\":null}}", "{}", false },
		{ "{\"a\":{\"lt\":1}}", "{}", false },
		{ "{\"a\":{\"le\":1}}", "{}", false },
		{ "{\"a\":{\"gt\":1}}", "{}", false },
		{ "{\"a\":{\"ge\":\"\"}}", "{}", false },
		{ "{\"a\":{\"in\":[null]}}", "{}", false },
		{ "{\"a\":{\"exists\":false}}", "true", true },
		{ "{\"a\":{\"exists\":false,\"truthy\":false,\"ne\":0}}", "[0]", true },
	};

	CHECK_ROWS(rows);
}

Test(match, pointers)
{
	static const struct row rows[] = {
		{ "{\"/a\":1}", "{\"a\":1}", true },
		{ "{\"/a/b\":1}", "{\"a\":{\"b\":1}}", true },
		{ "{\"/a/b\":1}", "{\"a\":1}", false },
		{ "{\"/a/b\":{\"exists\":false}}", "{\"a\":1}", true },
		{ "{\"a/b\":1}", "{\"a/b\":1}", true },
		{ "{\"a/b\":1}", "{\"a\":{\"b\":1}}", false },
		{ "{\"/a~1b\":1}", "{\"a/b\":1}", true },
		{ "{\"/a~0b\":1}", "{\"a~b\":1}", true },
		{ "{\"/a~01\":1}", "{\"a~1\":1}", true },
		{ "{\"a~b\":1}", "{\"a~b\":1}", true },
		{ "{\"/\":1}", "{\"\":1}", true },
		{ "{\"\":1}", "{\"\":1}", true },
		{ "{\"//x\":1}", "{\"\":{\"x\":1}}", true },
		{ "{\"/a/\":1}", "{\"a\":{\"\":1}}", true },
		/* arrays */
		{ "{\"/0\":7}", "[7,8]", true },
		{ "{\"/1\":8}", "[7,8]", true },
		{ "{\"/2\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/-\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/01\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/00\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/+1\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/1x\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/4294967296\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/99999999999999999999\":{\"exists\":false}}", "[7,8]", true },
		{ "{\"/list/1/v\":{\"gt\":1}}", "{\"list\":[{\"v\":9},{\"v\":2}]}", true },
		{ "{\"/list/0/v\":{\"lt\":1}}", "{\"list\":[{\"v\":9},{\"v\":2}]}", false },
		/* digits are a name in an object, and a plain field is no index */
		{ "{\"/0\":7}", "{\"0\":7}", true },
		{ "{\"0\":7}", "[7]", false },
	};

	CHECK_ROWS(rows);
}

struct bad {
	const char *predicate;
	const char *path;
	const char *says;
};

Test(match, errors)
{
	static const struct bad rows[] = {
		{ "1", "", "an object of fields" },
		{ "[]", "", "an object of fields" },
		{ "null", "", "an object of fields" },
		{ "\"x\"", "", "an object of fields" },
		{ "{\"a\":{\"gt\":1,\"foo\":2}}", "/a/foo", "\"foo\" is not an operator" },
		{ "{\"a\":{\"foo\":2,\"gt\":1}}", "/a/foo", "not an operator" },
		{ "{\"a\":{\"gte\":2}}", "/a/gte", "did you mean \"ge\"?" },
		{ "{\"a\":{\"x\":1,\"equals\":2}}", "/a/equals", "use \"eq\"" },
		{ "{\"a\":{\"gt\":1,\"<=\":2}}", "/a/<=", "did you mean \"le\"?" },
		{ "{\"a\":{\"gt\":null}}", "/a/gt", "\"gt\" compares with a number or a string" },
		{ "{\"a\":{\"lt\":true}}", "/a/lt", "\"lt\" compares" },
		{ "{\"a\":{\"le\":[1]}}", "/a/le", "\"le\" compares" },
		{ "{\"a\":{\"ge\":{}}}", "/a/ge", "\"ge\" compares" },
		{ "{\"a\":{\"in\":1}}", "/a/in", "list" },
		{ "{\"a\":{\"in\":[]}}", "/a/in", "at least one" },
		{ "{\"a\":{\"exists\":1}}", "/a/exists", "\"exists\" is true or false" },
		{ "{\"a\":{\"truthy\":null}}", "/a/truthy", "\"truthy\" is true or false" },
		{ "{\"b\":1,\"a\":{\"eq\":1,\"truthy\":0}}", "/a/truthy", "true or false" },
		{ "{\"/a~\":1}", "/~1a~0", "~0" },
		{ "{\"/a~2\":1}", "/~1a~02", "~0" },
		{ "{\"/a/~x/b\":1}", "/~1a~1~0x~1b", "~0" },
		{ "{\"a\":1,\"a\":2}", "/a", "twice" },
		{ "{\"a\":{\"gt\":1,\"gt\":2}}", "/a/gt", "twice" },
		{ "{\"a\":[0,{\"b\":1,\"b\":1}]}", "/a/1/b", "twice" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cue_predicate_error error = { { 0 }, { 0 } };
		struct cue_match *match = NULL;
		cJSON *tree = cJSON_Parse(rows[i].predicate);

		cr_assert_not_null(tree);
		cr_assert_eq(cue_match_new(tree, &match, &error), -EINVAL, "%s", rows[i].predicate);
		cr_assert_null(match);
		cr_assert_str_eq(error.path, rows[i].path);
		cr_assert(strstr(error.text, rows[i].says), "%s: %s", rows[i].predicate,
		          error.text);
		cr_assert_eq(cue_match_new(tree, &match, NULL), -EINVAL);
		cJSON_Delete(tree);
	}
	cr_assert_eq(cue_match_new(NULL, &(struct cue_match *){ NULL }, NULL), -EINVAL);
}

static int try_text(const char *text, struct cue_predicate_error *ret_error)
{
	struct cue_match *match = NULL;
	cJSON *tree = cJSON_Parse(text);
	int r;

	cr_assert_not_null(tree);
	r = cue_match_new(tree, &match, ret_error);
	cJSON_Delete(tree);
	cue_match_free(match);
	return r;
}

/* {"a":[[…]]} of that depth in all. */
static int try_depth(unsigned depth, struct cue_predicate_error *ret_error)
{
	char text[2048] = "{\"a\":";

	for (unsigned i = 1; i < depth; i++)
		strcat(text, "[");
	for (unsigned i = 1; i < depth; i++)
		strcat(text, "]");
	strcat(text, "}");
	return try_text(text, ret_error);
}

Test(match, depth_limit)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };

	cr_assert_eq(try_depth(CUE_PREDICATE_DEPTH_MAX, &error), 0);
	cr_assert_eq(try_depth(CUE_PREDICATE_DEPTH_MAX + 1, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/a/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0");
	cr_assert(strstr(error.text, "16 levels"), "%s", error.text);
	cr_assert_eq(try_depth(500, &error), -EINVAL);
}

/* {"a":{"in":[0,0,…]}} of that many values in all. */
static int try_values(unsigned n, struct cue_predicate_error *ret_error)
{
	char text[2048] = "{\"a\":{\"in\":[0";

	for (unsigned i = 4; i < n; i++)
		strcat(text, ",0");
	strcat(text, "]}}");
	return try_text(text, ret_error);
}

Test(match, size_limit)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };

	cr_assert_eq(try_values(CUE_PREDICATE_VALUES_MAX, &error), 0);
	cr_assert_eq(try_values(CUE_PREDICATE_VALUES_MAX + 1, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/a/in/253");
	cr_assert(strstr(error.text, "256"), "%s", error.text);
}

/* Errors about long or odd keys stay whole UTF-8 and on one line. */
Test(match, errors_with_awkward_keys)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };

	cr_assert_eq(try_text("{\"a\":{\"gt\":1,\"x\\ny\\u007f\":2}}", &error), -EINVAL);
	cr_assert(strstr(error.text, "\"x?y?\" is not an operator"), "%s", error.text);

	/* 34 e-acutes are 68 bytes: cut between characters */
	cr_assert_eq(
	        try_text("{\"gate\":{\"gt\":1,\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
	                 "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
	                 "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\":2}}",
	                 &error),
	        -EINVAL);
	cr_assert(strstr(error.text, "\xC3\xA9...\" is not an operator"), "%s", error.text);
}

/* A path that does not fit names what encloses the fault. */
Test(match, long_path)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };
	char text[512] = "{\"a\":{\"gt\":1,\"";

	for (int i = 0; i < 200; i++)
		strcat(text, "~");
	strcat(text, "\":1}}");
	cr_assert_eq(try_text(text, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/a");
}

Test(match, null_matches_everything)
{
	cr_assert(cue_match_eval(NULL, cue_payload_null()));
	cr_assert_null(cue_match_free(NULL));
}
