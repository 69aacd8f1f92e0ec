/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_legacy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	FILE *file;
	uint64_t n_read;
	int peeked; /* EOF - 1: none */
};

struct text {
	char *bytes;
	size_t len, size, max;
	bool too_long; /* the rest was read and discarded */
};

#define NOTHING (EOF - 1)

/** @return the next byte, EOF. */
static int next(struct reader *reader)
{
	int c = reader->peeked;

	if (c != NOTHING) {
		reader->peeked = NOTHING;
		return c;
	}
	if (reader->n_read == DEFINITION_LEGACY_BYTES_MAX)
		return EOF;
	reader->n_read++;
	return getc_unlocked(reader->file);
}

static int skip_space(struct reader *reader)
{
	int c;

	do
		c = next(reader);
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r');
	return c;
}

static int expect(struct reader *reader, int wanted)
{
	return skip_space(reader) == wanted ? 0 : -EBADMSG;
}

static int add(struct text *text, unsigned byte)
{
	if (text->len == text->max) {
		text->too_long = true;
		return 0;
	}
	if (text->len + 1 >= text->size) {
		size_t size = text->size ? 2 * text->size : 256;
		char *bytes = realloc(text->bytes, size);

		if (!bytes)
			return -ENOMEM;
		text->bytes = bytes;
		text->size = size;
	}
	text->bytes[text->len++] = (char)byte;
	text->bytes[text->len] = '\0';
	return 0;
}

static int add_code_point(struct text *text, unsigned long code)
{
	int r;

	if (code < 0x80)
		return add(text, (unsigned)code);
	if (code < 0x800) {
		r = add(text, (unsigned)(0xC0 | code >> 6));
	} else {
		if (code < 0x10000) {
			r = add(text, (unsigned)(0xE0 | code >> 12));
		} else {
			r = add(text, (unsigned)(0xF0 | code >> 18));
			if (r >= 0)
				r = add(text, (unsigned)(0x80 | (code >> 12 & 0x3F)));
		}
		if (r >= 0)
			r = add(text, (unsigned)(0x80 | (code >> 6 & 0x3F)));
	}
	return r < 0 ? r : add(text, (unsigned)(0x80 | (code & 0x3F)));
}

static int read_hex(struct reader *reader, unsigned long *ret_code)
{
	char digits[5] = "";

	for (size_t i = 0; i < 4; i++) {
		int c = next(reader);

		if (c == EOF || !strchr("0123456789abcdefABCDEF", c) || c == '\0')
			return -EBADMSG;
		digits[i] = (char)c;
	}
	*ret_code = strtoul(digits, NULL, 16);
	return 0;
}

static int read_unicode(struct reader *reader, struct text *text)
{
	unsigned long code, low;
	int r = read_hex(reader, &code);

	if (r < 0)
		return r;
	if (code >= 0xD800 && code < 0xDC00) {
		if (next(reader) != '\\' || next(reader) != 'u' || read_hex(reader, &low) < 0 ||
		    low < 0xDC00 || low > 0xDFFF)
			return -EBADMSG;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	}
	return code == 0 || (code >= 0xD800 && code < 0xE000) ? -EBADMSG
	                                                      : add_code_point(text, code);
}

static int read_escape(struct reader *reader, struct text *text)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	int c = next(reader);
	const char *name;

	if (c == 'u')
		return read_unicode(reader, text);
	name = c > 0 ? strchr(names, c) : NULL;
	return name ? add(text, (unsigned char)values[name - names]) : -EBADMSG;
}

/** A string whose first quote was read. */
static int read_string(struct reader *reader, struct text *text, size_t max)
{
	int r = 0;

	text->len = 0;
	text->max = max;
	text->too_long = false;
	while (r >= 0) {
		int c = next(reader);

		if (c == '"')
			return 0;
		if (c == EOF || c < 0x20)
			return -EBADMSG;
		r = c == '\\' ? read_escape(reader, text) : add(text, (unsigned)c);
	}
	return r;
}

struct visitor {
	int (*visit)(void *user, const struct definition_text *text);
	void (*too_long)(void *user, enum definition_kind kind, const char *name);
	void *user;
	uint64_t max_bytes;
	struct text name, json;
};

/** `"name":"definition"`, the first quote read. */
static int read_entry(struct reader *reader, struct visitor *v, enum definition_kind kind)
{
	struct definition_text entry = { .kind = kind };
	int r = read_string(reader, &v->name, DEFINITION_NAME_BYTES_MAX);

	if (r >= 0)
		r = expect(reader, ':');
	if (r >= 0)
		r = expect(reader, '"');
	if (r >= 0)
		r = read_string(reader, &v->json, (size_t)v->max_bytes);
	if (r < 0)
		return r;
	if (v->name.len == 0 || v->name.too_long || v->json.len == 0 || v->json.too_long) {
		v->too_long(v->user, kind,
		            v->name.too_long || v->name.len == 0 ? NULL : v->name.bytes);
		return 0;
	}
	entry.name = v->name.bytes;
	entry.name_len = v->name.len;
	entry.json = v->json.bytes;
	entry.json_len = v->json.len;
	return v->visit(v->user, &entry);
}

static int read_map(struct reader *reader, struct visitor *v, enum definition_kind kind)
{
	int r = expect(reader, '{');
	int c = r < 0 ? 0 : skip_space(reader);

	if (c == '}')
		return 0;
	while (r >= 0) {
		r = c == '"' ? read_entry(reader, v, kind) : -EBADMSG;
		if (r != 0)
			return r;
		c = skip_space(reader);
		if (c == '}')
			return 0;
		if (c != ',')
			return -EBADMSG;
		c = skip_space(reader);
	}
	return r;
}

static int read_version(struct reader *reader)
{
	int c = skip_space(reader);

	if (c < '0' || c > '9')
		return -EBADMSG;
	if (c != '1')
		return -EPROTONOSUPPORT;
	reader->peeked = next(reader);
	return reader->peeked >= '0' && reader->peeked <= '9' ? -EPROTONOSUPPORT : 0;
}

static int read_member(struct reader *reader, struct visitor *v)
{
	int r = expect(reader, '"');

	if (r >= 0)
		r = read_string(reader, &v->name, 16);
	if (r >= 0 && v->name.len == 0)
		r = -EBADMSG;
	if (r >= 0)
		r = expect(reader, ':');
	if (r < 0)
		return r;
	if (strcmp(v->name.bytes, "version") == 0)
		return read_version(reader);
	if (strcmp(v->name.bytes, "playlists") == 0)
		return read_map(reader, v, DEFINITION_PLAYLIST);
	if (strcmp(v->name.bytes, "gestures") == 0)
		return read_map(reader, v, DEFINITION_GESTURE);
	return -EBADMSG;
}

static int read_root(struct reader *reader, struct visitor *v)
{
	int r = expect(reader, '{'), c = ',';

	while (r == 0 && c == ',') {
		r = read_member(reader, v);
		c = r == 0 ? skip_space(reader) : 0;
	}
	if (r == 0 && c != '}')
		r = -EBADMSG;
	return r;
}

int definition_legacy_read(FILE *file, uint64_t max_bytes,
                           int (*visit)(void *user, const struct definition_text *text),
                           void (*too_long)(void *user, enum definition_kind kind,
                                            const char *name),
                           void *user)
{
	struct reader reader = { .file = file, .peeked = NOTHING };
	struct visitor v = {
		.visit = visit, .too_long = too_long, .user = user, .max_bytes = max_bytes
	};
	int r = read_root(&reader, &v);

	free(v.name.bytes);
	free(v.json.bytes);
	if (r == -EBADMSG && ferror(file))
		return -EIO;
	if (r == -EBADMSG && reader.n_read == DEFINITION_LEGACY_BYTES_MAX)
		return -EFBIG;
	return r;
}
