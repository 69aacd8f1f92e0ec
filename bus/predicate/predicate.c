/* SPDX-License-Identifier: Apache-2.0 */
#include "predicate.h"

#include <cuebus/utf8.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

struct cue_place cue_place_member(const struct cue_place *parent, const char *key)
{
	return (struct cue_place){ .parent = parent, .key = key };
}

struct cue_place cue_place_item(const struct cue_place *parent, size_t index)
{
	return (struct cue_place){ .parent = parent, .index = index };
}

/* ---- errors ---- */

/* Append "/" and the token, "~" and "/" escaped; whole or not at all. */
static bool append_token(char *text, size_t size, const struct cue_place *place)
{
	char number[24];
	const char *token = place->key;
	size_t start = strlen(text);
	size_t at = start;

	if (!token) {
		snprintf(number, sizeof(number), "%zu", place->index);
		token = number;
	}
	text[at++] = '/';
	for (; *token; token++) {
		bool escape = *token == '~' || *token == '/';

		if (at + (escape ? 2 : 1) >= size) {
			text[start] = '\0';
			return false;
		}
		if (escape)
			text[at++] = '~';
		text[at++] = (char)(*token == '~' ? '0' : *token == '/' ? '1' : *token);
	}
	text[at] = '\0';
	return true;
}

static void format_place(const struct cue_place *place, char *text, size_t size)
{
	/* One more than the depth: the value that is nested too deeply. */
	const struct cue_place *chain[CUE_PREDICATE_DEPTH_MAX + 2];
	size_t n = 0;

	for (; place->parent && n < sizeof(chain) / sizeof(*chain); place = place->parent)
		chain[n++] = place;
	text[0] = '\0';
	while (n > 0 && strlen(text) + 2 < size && append_token(text, size, chain[n - 1]))
		n--;
}

int cue_predicate_fail(struct cue_predicate_error *error, const struct cue_place *place,
                       const char *format, ...)
{
	va_list args;

	if (!error)
		return -EINVAL;
	format_place(place, error->path, sizeof(error->path));
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

const char *cue_predicate_key(const char *key, char buf[CUE_KEY_TEXT_SIZE])
{
	size_t len = strlen(key);
	size_t at = 0;

	while (at < len) {
		size_t n = cue_utf8_sequence(key + at, len - at);
		unsigned char c = (unsigned char)key[at];

		if (n == 0)
			n = 1;
		if (at + n + 4 > CUE_KEY_TEXT_SIZE) {
			memcpy(buf + at, "...", 4);
			return buf;
		}
		memcpy(buf + at, key + at, n);
		if (c < 0x20 || c == 0x7F || (n == 1 && c >= 0x80))
			buf[at] = '?';
		at += n;
	}
	buf[at] = '\0';
	return buf;
}

/* ---- limits ---- */

struct check {
	size_t values;
	struct cue_predicate_error *error;
};

static int check_unique(const struct check *check, const cJSON *child, const cJSON *object,
                        const struct cue_place *place)
{
	char key[CUE_KEY_TEXT_SIZE];

	for (const cJSON *other = object->child; other != child; other = other->next) {
		if (strcmp(other->string, child->string) == 0)
			return cue_predicate_fail(check->error, place,
			                          "\"%s\" is in the object twice: give it once",
			                          cue_predicate_key(child->string, key));
	}
	return 0;
}

/* Recursion ends at the depth limit. */
static int check_value(struct check *check, const cJSON *json, const struct cue_place *place,
                       unsigned depth)
{
	bool is_object = cJSON_IsObject(json);
	size_t index = 0;

	if (++check->values > CUE_PREDICATE_VALUES_MAX)
		return cue_predicate_fail(check->error, place,
		                          "the predicate is too large: it may hold %u JSON values",
		                          CUE_PREDICATE_VALUES_MAX);
	if (cJSON_IsInvalid(json) || cJSON_IsRaw(json))
		return cue_predicate_fail(check->error, place, "not a parsed JSON value");
	if (!is_object && !cJSON_IsArray(json))
		return 0;
	if (depth == CUE_PREDICATE_DEPTH_MAX)
		return cue_predicate_fail(
		        check->error, place,
		        "the predicate is nested too deeply: %u levels are allowed",
		        CUE_PREDICATE_DEPTH_MAX);
	for (const cJSON *child = json->child; child; child = child->next) {
		struct cue_place at = is_object ? cue_place_member(place, child->string)
		                                : cue_place_item(place, index++);
		int r = is_object ? check_unique(check, child, json, &at) : 0;

		if (r == 0)
			r = check_value(check, child, &at, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

int cue_predicate_check(const struct cJSON *json, size_t *ret_values,
                        struct cue_predicate_error *error)
{
	const struct cue_place root = { 0 };
	struct check check = { .error = error };
	int r = check_value(&check, json, &root, 0);

	if (r == 0)
		*ret_values = check.values;
	return r;
}
