/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes must say the same as the tree that cJSON makes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cue_criterion.h"
#include "json_path.h"
#include "json_value.h"

static const char *const documents[] = {
	"null",
	"true",
	"-0",
	"12345678901234567890",
	"\"\"",
	"\"a,b}]\\\"\"",
	"[]",
	"{}",
	"[[],{},[[[]]],\"]\",0]",
	"{\"a\":1}",
	"{\"a\":{\"b\":[0,1,2,{\"c\":\"x\"}]},\"d\":\"}\",\"e\":\"\\\\\",\"f\":-1.5e3}",
	"{\"\":{\"\":0.0},\"k\\u0065y\":\"\\u00e9\\n\",\"a/b\":1e400,\"m~n\":0e5,\"z\":1e-400}",
	"{\"n\":[999999999999999,1000000000000000,-9007199254740993,0.1,-0.1]}",
	/* longer than what is read without memory */
	"[\"0123456789012345678901234567890123456789012345678901234567890123456789\"]",
	"{\"\xC3\xA9\\\"\":[\"\xF0\x9F\x98\x80\",\"\\ud83d\\ude00\"],\"\\\\\":false}",
};

/** A name or index as a JSON Pointer writes it. */
static void append_token(char *pointer, const char *token)
{
	char *p = pointer + strlen(pointer);

	*p++ = '/';
	for (; *token; token++) {
		if (*token == '~' || *token == '/') {
			*p++ = '~';
			*p++ = *token == '~' ? '0' : '1';
		} else {
			*p++ = *token;
		}
	}
	*p = '\0';
}

static void expect_same(struct cue_json_text root, const char *pointer, const cJSON *value)
{
	struct cue_json_reader reader;
	struct cue_json_text text = { 0 };
	struct cue_path path = { 0 };
	const cJSON *read;

	cr_assert_eq(cue_path_parse(pointer, &path), 0);
	if (!*pointer)
		path.n_tokens = 0;
	cr_assert(cue_path_find_text(&path, root, &text), "%s: %s", root.text, pointer);
	read = cue_json_read(&reader, text);
	cr_assert(read && cue_json_equal(read, value), "%s: %s", root.text, pointer);
	cr_assert_eq(read->type & 0xFF, value->type & 0xFF);
	cr_assert_eq(cue_json_text_truthy(text), cue_json_truthy(value), "%s: %s", root.text,
	             pointer);
	cue_json_reader_clear(&reader);
	cue_path_clear(&path);
}

static void compare(struct cue_json_text root, const char *pointer, const cJSON *value)
{
	size_t index = 0;

	expect_same(root, pointer, value);
	for (const cJSON *child = value->child; child; child = child->next, index++) {
		char below[256], number[24];

		snprintf(below, sizeof(below), "%s", pointer);
		snprintf(number, sizeof(number), "%zu", index);
		append_token(below, child->string ? child->string : number);
		compare(root, below, child);
	}
}

Test(json_walk, finds_and_reads_what_a_tree_has)
{
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		struct cue_json_text root = { documents[i], strlen(documents[i]) };
		cJSON *tree = cJSON_Parse(documents[i]);

		cr_assert_not_null(tree, "%s", documents[i]);
		compare(root, "", tree);
		cr_assert_eq(cue_json_skip(documents[i]), documents[i] + root.len);
		cJSON_Delete(tree);
	}
}

static bool finds(const char *document, const char *text)
{
	struct cue_json_text root = { document, strlen(document) }, value;
	struct cue_path path;
	bool found;

	cr_assert_eq(cue_path_parse(text, &path), 0);
	found = cue_path_find_text(&path, root, &value);
	cue_path_clear(&path);
	return found;
}

Test(json_walk, finds_nothing_where_nothing_is)
{
	cr_assert(finds("{\"a\":1}", "a"));
	cr_assert_not(finds("{\"a\":1}", "b"));
	cr_assert_not(finds("{\"ab\":1}", "a"));
	cr_assert_not(finds("{\"x\":{\"a\":1}}", "a"));
	cr_assert_not(finds("{\"x\":\"a\"}", "a"));
	cr_assert_not(finds("{}", "a"));
	cr_assert_not(finds("[1]", "0")); /* a field, no pointer */
	cr_assert(finds("[1]", "/0"));
	cr_assert_not(finds("[1]", "/1"));
	cr_assert_not(finds("[]", "/0"));
	cr_assert_not(finds("[1]", "/00"));
	cr_assert_not(finds("[1]", "/-"));
	cr_assert_not(finds("[[1],2]", "/2"));
	cr_assert_not(finds("5", "/0"));
	cr_assert_not(finds("{\"a\":5}", "/a/b"));
	cr_assert(finds("{\"\\u0061\":5}", "a"));
}

/* A predicate's tree is the embedder's: its names may be no UTF-8, and end in a sequence. */
Test(json_walk, a_name_that_ends_within_a_sequence_is_not_read_past)
{
	static const char *const names[] = { "\xF4", "\xF4x", "\xE0\x80", "\xF0\x9F\x98", "\x80" };
	static const char *const payloads[] = { "{\"\\ud83d\\ude00\":1}", "{\"\\u0061\\u00e9\":1}",
		                                "{\".\\\\\\\"truthy\":1}" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (size_t j = 0; j < sizeof(payloads) / sizeof(*payloads); j++)
			cr_assert_not(finds(payloads[j], names[i]), "%zu %zu", i, j);
	}
	cr_assert(finds("{\"\\ud83d\\ude00\":1}", "\xF0\x9F\x98\x80"));
}

/* Both ways of looking for a string's end, with backslashes on the border. */
Test(json_walk, skips_strings_of_every_length_and_ending)
{
	for (size_t len = 0; len < 80; len++) {
		for (size_t slashes = 0; slashes <= len; slashes++) {
			char text[512] = "\"", *p = text + 1;

			for (size_t i = 0; i < len - slashes; i++)
				*p++ = 'x';
			for (size_t i = 0; i < slashes; i++) {
				*p++ = '\\';
				*p++ = i % 2 ? '"' : '\\';
			}
			*p++ = '"';
			strcpy(p, ",\"\"");
			cr_assert_eq(cue_json_skip(text), p, "%s", text);
		}
	}
}
