/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON. What the validator accepts, cJSON must parse, to a tree
 * without duplicate keys; the compact form is a fixed point that parses to the
 * same tree. Walking over the bytes finds what the tree has. The writer must make
 * valid JSON of any bytes.
 */
#include "fuzz.h"

#include <cuebus/json_writer.h>
#include <cuebus/payload.h>
#include <cuebus/utf8.h>

#include <errno.h>

#include <cjson/cJSON.h>

#include "json_scan.h"
#include "json_validate.h"
#include "json_value.h"
#include "json_walk.h"

static void check_tree(const cJSON *json, unsigned depth)
{
	FUZZ_CHECK(depth <= CUE_JSON_DEPTH_DEFAULT);
	for (const cJSON *child = json->child; child; child = child->next) {
		/* quadratic, but inputs are short */
		for (const cJSON *other = json->child; cJSON_IsObject(json) && other != child;
		     other = other->next)
			FUZZ_CHECK(strcmp(child->string, other->string) != 0);
		check_tree(child, depth + 1);
	}
}

static void check_walk(struct cue_json_text text, const cJSON *tree)
{
	struct cue_json_reader reader;
	struct cue_json_member member;
	const cJSON *read = cue_json_read(&reader, text), *child = tree->child;
	bool found;

	FUZZ_CHECK(read && cue_json_equal(read, tree) && cue_json_equal(tree, read));
	cue_json_reader_clear(&reader);
	FUZZ_CHECK(cue_json_text_truthy(text) == cue_json_truthy(tree));
	FUZZ_CHECK(cue_json_skip(text.text) == text.text + text.len);
	if (cJSON_IsObject(tree)) {
		for (found = cue_json_first_member(text.text, &member); found;
		     found = cue_json_next_member(&member), child = child->next) {
			FUZZ_CHECK(child && cue_json_key_is(&member, child->string));
			check_walk(member.value, child);
		}
	} else if (cJSON_IsArray(tree)) {
		for (size_t i = 0; cue_json_item(text.text, i, &member.value);
		     i++, child = child->next) {
			FUZZ_CHECK(child);
			check_walk(member.value, child);
		}
	}
	FUZZ_CHECK(!child);
}

static void check_accepted(const char *text, size_t size, struct cue_payload *payload)
{
	size_t len;
	const char *compact = cue_payload_bytes(payload, &len);
	const cJSON *tree = cue_payload_json(payload);
	cJSON *original = cJSON_ParseWithLengthOpts(text, size, NULL, false);
	char *again = malloc(len + 1);
	size_t again_len = 0;

	FUZZ_CHECK(again);
	FUZZ_CHECK(tree && original);
	FUZZ_CHECK(len <= size && compact[len] == '\0' && strlen(compact) == len);
	check_tree(tree, 0);
	check_walk((struct cue_json_text){ compact, len }, tree);
	FUZZ_CHECK(cue_json_equal(tree, original) && cue_json_equal(original, tree));
	FUZZ_CHECK(cue_json_compact((struct cue_json_text){ compact, len }, 0, again, &again_len,
	                            NULL) == 0);
	FUZZ_CHECK(again_len == len && memcmp(again, compact, len) == 0);
	cue_payload_gate(payload);
	cJSON_Delete(original);
	free(again);
}

static void check_reading(const char *text, size_t size)
{
	struct cue_json_error error = { SIZE_MAX, NULL };
	struct cue_json_error same = { SIZE_MAX, NULL };
	struct cue_payload *payload = NULL;
	int r = cue_json_validate(text, size, 0, &error);
	int made = cue_payload_new(text, size, 0, &payload, &same);

	if (size == 0) {
		FUZZ_CHECK(r == -EBADMSG && made == 0 && payload == cue_payload_null());
		return;
	}
	FUZZ_CHECK(r == made && (r == 0) == (payload != NULL));
	if (r == 0) {
		FUZZ_CHECK(!error.text);
		check_accepted(text, size, payload);
	} else {
		FUZZ_CHECK(r == -EBADMSG || r == -E2BIG);
		FUZZ_CHECK(error.text && error.text == same.text);
		FUZZ_CHECK(error.offset <= size && error.offset == same.offset);
	}
	cue_payload_unref(payload);
}

static bool is_utf8_text(const char *text, size_t size)
{
	size_t n;

	for (size_t i = 0; i < size; i += n) {
		n = cue_utf8_sequence(text + i, size - i);
		if (n == 0 || text[i] == '\0')
			return false;
	}
	return true;
}

static void check_writing(const char *text, size_t size)
{
	struct cue_writer w = { 0 };
	struct cue_payload *payload = NULL;
	const cJSON *tree;
	const char *bytes;
	size_t len;

	cue_writer_string_n(&w, text, size);
	FUZZ_CHECK(cue_writer_finish_payload(&w, &payload) == 0);
	bytes = cue_payload_bytes(payload, &len);
	FUZZ_CHECK(cue_json_validate(bytes, len, 0, NULL) == 0);
	tree = cue_payload_json(payload);
	FUZZ_CHECK(tree && cJSON_IsString(tree));
	if (is_utf8_text(text, size))
		FUZZ_CHECK(strlen(tree->valuestring) == size &&
		           memcmp(tree->valuestring, text, size) == 0);
	cue_payload_unref(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";

	check_reading(text, size);
	check_writing(text, size);
	return 0;
}
