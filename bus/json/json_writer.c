/* SPDX-License-Identifier: Apache-2.0 */
#include <cuebus/json_writer.h>

#include <cuebus/event.h>
#include <cuebus/utf8.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INITIAL_CAPACITY 256U

/* ---- the buffer ---- */

static bool grow(struct cue_writer *w, size_t needed)
{
	size_t cap = w->cap ? w->cap : INITIAL_CAPACITY;
	char *buf;

	while (cap < needed) {
		if (cap > SIZE_MAX / 2)
			goto no_memory;
		cap *= 2;
	}
	buf = realloc(w->buf, cap);
	if (!buf)
		goto no_memory;
	w->buf = buf;
	w->cap = cap;
	return true;

no_memory:
	cue_writer_clear(w);
	w->error = -ENOMEM;
	return false;
}

/* Make room for @p n more bytes and the closing NUL; false after an error. */
static inline bool reserve(struct cue_writer *w, size_t n)
{
	if (w->error)
		return false;
	if (w->cap - w->len > n)
		return true;
	if (n >= SIZE_MAX - w->len)
		n = SIZE_MAX - w->len - 1;
	return grow(w, w->len + n + 1);
}

static void put(struct cue_writer *w, const char *bytes, size_t n)
{
	if (!reserve(w, n))
		return;
	memcpy(w->buf + w->len, bytes, n);
	w->len += n;
}

/* Begin a value or key: write the comma, if one is due, and then @p n bytes. */
static void put_value(struct cue_writer *w, const char *bytes, size_t n)
{
	if (w->need_comma)
		put(w, ",", 1);
	put(w, bytes, n);
	w->need_comma = true;
}

/* ---- structure ---- */

void cue_writer_object_begin(struct cue_writer *w)
{
	put_value(w, "{", 1);
	w->need_comma = false;
}

void cue_writer_object_end(struct cue_writer *w)
{
	put(w, "}", 1);
	w->need_comma = true;
}

void cue_writer_array_begin(struct cue_writer *w)
{
	put_value(w, "[", 1);
	w->need_comma = false;
}

void cue_writer_array_end(struct cue_writer *w)
{
	put(w, "]", 1);
	w->need_comma = true;
}

/* ---- strings ---- */

static bool is_verbatim(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void put_escape(struct cue_writer *w, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	/* By control character; 0: has no short form. */
	static const char shorts[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};
	char text[] = "\\u0000";

	if (c >= 0x20) {
		text[1] = (char)c;
		put(w, text, 2);
	} else if (shorts[c]) {
		text[1] = shorts[c];
		put(w, text, 2);
	} else {
		text[4] = digits[c >> 4];
		text[5] = digits[c & 15U];
		put(w, text, 6);
	}
}

/* One character that is not verbatim ASCII. @return bytes of @p s used. */
static size_t put_special(struct cue_writer *w, const char *s, size_t len)
{
	static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */
	unsigned char c = (unsigned char)*s;
	size_t n;

	if (c != 0 && c < 0x80) {
		put_escape(w, c);
		return 1;
	}
	n = c ? cue_utf8_sequence(s, len) : 0;
	if (n == 0) {
		put(w, replacement, sizeof(replacement) - 1);
		return 1;
	}
	put(w, s, n);
	return n;
}

static void put_quoted(struct cue_writer *w, const char *s, size_t len)
{
	size_t i = 0;

	put(w, "\"", 1);
	while (i < len && !w->error) {
		size_t from = i;

		while (i < len && is_verbatim((unsigned char)s[i]))
			i++;
		put(w, s + from, i - from);
		if (i < len)
			i += put_special(w, s + i, len - i);
	}
	put(w, "\"", 1);
}

void cue_writer_key(struct cue_writer *w, const char *key)
{
	if (w->need_comma)
		put(w, ",", 1);
	put_quoted(w, key, strlen(key));
	put(w, ":", 1);
	w->need_comma = false;
}

void cue_writer_string_n(struct cue_writer *w, const char *s, size_t len)
{
	if (w->need_comma)
		put(w, ",", 1);
	put_quoted(w, s, len);
	w->need_comma = true;
}

void cue_writer_string(struct cue_writer *w, const char *s)
{
	if (s)
		cue_writer_string_n(w, s, strlen(s));
	else
		cue_writer_null(w);
}

/* ---- numbers and words ---- */

#define U64_DIGITS 20U

/* Write the decimal digits of @p v to the end of @p buf. @return their beginning. */
static char *format_u64(uint64_t v, char buf[U64_DIGITS])
{
	char *at = buf + U64_DIGITS;

	do {
		*--at = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return at;
}

void cue_writer_u64(struct cue_writer *w, uint64_t v)
{
	char buf[U64_DIGITS];
	const char *digits = format_u64(v, buf);

	put_value(w, digits, (size_t)(buf + U64_DIGITS - digits));
}

void cue_writer_i64(struct cue_writer *w, int64_t v)
{
	char buf[1 + U64_DIGITS];
	char *at;

	if (v >= 0) {
		cue_writer_u64(w, (uint64_t)v);
		return;
	}
	at = format_u64(0 - (uint64_t)v, buf + 1);
	*--at = '-';
	put_value(w, at, (size_t)(buf + sizeof(buf) - at));
}

void cue_writer_bool(struct cue_writer *w, bool v)
{
	put_value(w, v ? "true" : "false", v ? 4 : 5);
}

void cue_writer_null(struct cue_writer *w)
{
	put_value(w, "null", 4);
}

void cue_writer_seconds(struct cue_writer *w, uint64_t ns)
{
	uint64_t fraction = ns % CUE_NS_PER_S;
	char text[10] = ".";
	unsigned len = 9;

	cue_writer_u64(w, ns / CUE_NS_PER_S);
	if (fraction == 0)
		return;
	while (fraction % 10 == 0) {
		fraction /= 10;
		len--;
	}
	for (unsigned i = len; i > 0; i--) {
		text[i] = (char)('0' + fraction % 10);
		fraction /= 10;
	}
	put(w, text, len + 1);
}

void cue_writer_raw(struct cue_writer *w, const char *json, size_t len)
{
	put_value(w, json, len);
}

/* ---- the end ---- */

size_t cue_writer_len(const struct cue_writer *w)
{
	return w->len;
}

void cue_writer_clear(struct cue_writer *w)
{
	free(w->buf);
	*w = (struct cue_writer){ 0 };
}

int cue_writer_finish(struct cue_writer *w, char **ret_text, size_t *ret_len)
{
	int error;

	if (reserve(w, 0)) {
		w->buf[w->len] = '\0';
		*ret_text = w->buf;
		if (ret_len)
			*ret_len = w->len;
		*w = (struct cue_writer){ 0 };
		return 0;
	}
	error = w->error;
	cue_writer_clear(w);
	return error;
}
