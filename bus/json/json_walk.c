/* SPDX-License-Identifier: Apache-2.0 */
#include "json_walk.h"

#include <cuebus/json_writer.h>

#include <string.h>

/* A double holds every integer with this many digits exactly. */
#define EXACT_DIGITS 15U

/* Strings are scanned byte by byte up to this length, then by strchr(), which is slower to start
 * but ten times as fast. */
#define SHORT_STRING 16U

static bool is_escaped(const char *begin, const char *quote)
{
	const char *p = quote;

	while (p > begin && p[-1] == '\\')
		p--;
	return (quote - p) % 2 != 0;
}

/** One past the string that begins at @p p. */
static const char *skip_string(const char *p)
{
	const char *quote;

	p++;
	for (const char *end = p + SHORT_STRING; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
	}
	for (quote = strchr(p, '"'); is_escaped(p, quote); quote = strchr(quote + 1, '"'))
		;
	return quote + 1;
}

/** One past the array or object that begins at @p p. */
static const char *skip_container(const char *p)
{
	unsigned depth = 0;

	do {
		switch (*p) {
		case '"':
			p = skip_string(p);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		default:
			break;
		}
		p++;
	} while (depth > 0);
	return p;
}

const char *cue_json_skip(const char *p)
{
	if (*p == '"')
		return skip_string(p);
	if (*p == '{' || *p == '[')
		return skip_container(p);
	while (*p && *p != ',' && *p != '}' && *p != ']')
		p++;
	return p;
}

static struct cue_json_text value_at(const char *p)
{
	return (struct cue_json_text){ .text = p, .len = (size_t)(cue_json_skip(p) - p) };
}

/* ---- objects and arrays ---- */

/** @p p is at the key's opening quote. */
static void member_at(const char *p, struct cue_json_member *ret_member)
{
	const char *end = skip_string(p);

	ret_member->key = p + 1;
	ret_member->key_len = (size_t)(end - p) - 2;
	ret_member->value = value_at(end + 1);
}

bool cue_json_first_member(const char *object, struct cue_json_member *ret_member)
{
	if (object[1] == '}')
		return false;
	member_at(object + 1, ret_member);
	return true;
}

bool cue_json_next_member(struct cue_json_member *member)
{
	const char *end = member->value.text + member->value.len;

	if (*end != ',')
		return false;
	member_at(end + 1, member);
	return true;
}

bool cue_json_key_is(const struct cue_json_member *member, const char *name)
{
	struct cue_json_string plain = { .text = name, .len = strlen(name) };
	struct cue_json_string key = { .text = member->key, .len = member->key_len };

	/* An escape is longer than the character that it encodes. */
	if (key.len < plain.len || (key.len == plain.len && memcmp(name, key.text, key.len) != 0))
		return false;
	key.escaped = memchr(key.text, '\\', key.len) != NULL;
	if (!key.escaped)
		return key.len == plain.len;
	return cue_json_string_compare(&key, &plain) == 0;
}

static bool is_one_of(const struct cue_json_member *member, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (cue_json_key_is(member, names[i]))
			return true;
	}
	return false;
}

void cue_json_copy_members(struct cue_writer *w, const char *object, const char *const *without,
                           size_t n_without)
{
	struct cue_json_member member;
	bool found;

	for (found = cue_json_first_member(object, &member); found;
	     found = cue_json_next_member(&member)) {
		const char *begin = member.key - 1;

		/* To the writer, a key with its value is one value. */
		if (!is_one_of(&member, without, n_without))
			cue_writer_raw(w, begin,
			               (size_t)(member.value.text + member.value.len - begin));
	}
}

bool cue_json_item(const char *array, size_t index, struct cue_json_text *ret_value)
{
	const char *p = array + 1;

	if (*p == ']')
		return false;
	for (; index > 0; index--) {
		p = cue_json_skip(p);
		if (*p != ',')
			return false;
		p++;
	}
	*ret_value = value_at(p);
	return true;
}

/* ---- values ---- */

/** A whole number without exponent that a double holds exactly. */
static bool read_integer(struct cue_json_text text, double *ret_value)
{
	const char *p = text.text, *end = text.text + text.len;
	double value = 0;

	if (*p == '-')
		p++;
	if ((size_t)(end - p) > EXACT_DIGITS)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		value = value * 10 + (*p - '0');
	}
	*ret_value = *text.text == '-' ? -value : value;
	return true;
}

static bool read_string(struct cue_json_reader *reader, struct cue_json_text text)
{
	size_t len = text.len - 2;

	if (len >= sizeof(reader->string) || memchr(text.text, '\\', text.len))
		return false;
	memcpy(reader->string, text.text + 1, len);
	reader->string[len] = '\0';
	reader->value.type = cJSON_String;
	reader->value.valuestring = reader->string;
	return true;
}

const cJSON *cue_json_read(struct cue_json_reader *reader, struct cue_json_text text)
{
	bool done = true;

	reader->value = (cJSON){ .type = cJSON_Number };
	reader->tree = NULL;
	switch (*text.text) {
	case 't':
		reader->value.type = cJSON_True;
		break;
	case 'f':
		reader->value.type = cJSON_False;
		break;
	case 'n':
		reader->value.type = cJSON_NULL;
		break;
	case '"':
		done = read_string(reader, text);
		break;
	case '{':
	case '[':
		done = false;
		break;
	default:
		done = read_integer(text, &reader->value.valuedouble);
		break;
	}
	if (done)
		return &reader->value;
	reader->tree = cJSON_ParseWithLength(text.text, text.len);
	return reader->tree;
}

void cue_json_reader_clear(struct cue_json_reader *reader)
{
	cJSON_Delete(reader->tree);
	reader->tree = NULL;
}

bool cue_json_text_truthy(struct cue_json_text value)
{
	struct cue_json_reader reader;
	const cJSON *number;
	bool truthy;

	switch (*value.text) {
	case 't':
		return true;
	case 'f':
	case 'n':
		return false;
	case '"':
	case '{':
	case '[':
		return value.len > 2;
	default:
		number = cue_json_read(&reader, value);
		truthy = number && (number->valuedouble < 0 || number->valuedouble > 0);
		cue_json_reader_clear(&reader);
		return truthy;
	}
}
