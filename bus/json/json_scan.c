/* SPDX-License-Identifier: Apache-2.0 */
#include "json_scan.h"

#include <cuebus/utf8.h>

#include <errno.h>
#include <string.h>

int cue_json_scan_fail(struct cue_json_scan *scan, const char *at, const char *text)
{
	scan->error.offset = (size_t)(at - scan->begin);
	scan->error.text = text;
	return -EBADMSG;
}

/* ---- strings ---- */

int cue_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Value of the four hex digits at @p s; -1 if there are none. */
static int32_t hex4(const char *s, const char *end)
{
	int32_t value = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = cue_hex_digit(s[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static bool is_high_surrogate(int32_t unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* `pos` is at the 'u' of \uXXXX. */
static int scan_unicode_escape(struct cue_json_scan *scan)
{
	const char *backslash = scan->pos - 1;
	int32_t unit = hex4(scan->pos + 1, scan->end);

	if (unit < 0)
		return cue_json_scan_fail(scan, backslash, "four hex digits must follow \\u");
	if (unit == 0)
		return cue_json_scan_fail(
		        scan, backslash, "\\u0000 is refused: a string can't hold a NUL character");
	scan->pos += 5;
	if (is_low_surrogate(unit))
		return cue_json_scan_fail(scan, backslash,
		                          "a low surrogate (\\udc00 to \\udfff) must follow a high "
		                          "one (\\ud800 to \\udbff)");
	if (!is_high_surrogate(unit))
		return 0;
	if (scan->end - scan->pos < 6 || scan->pos[0] != '\\' || scan->pos[1] != 'u' ||
	    !is_low_surrogate(hex4(scan->pos + 2, scan->end)))
		return cue_json_scan_fail(scan, backslash,
		                          "a high surrogate (\\ud800 to \\udbff) must be followed "
		                          "by a low one (\\udc00 to \\udfff)");
	scan->pos += 6;
	return 0;
}

/* `pos` is behind the backslash. */
static int scan_escape(struct cue_json_scan *scan)
{
	if (scan->pos == scan->end)
		return 0; /* the string has no end; the caller reports that */
	switch (*scan->pos) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		scan->pos++;
		return 0;
	case 'u':
		return scan_unicode_escape(scan);
	default:
		return cue_json_scan_fail(
		        scan, scan->pos - 1,
		        "unknown escape: after \\ only \" \\ / b f n r t and u are allowed");
	}
}

/* A byte that is neither plain nor the quote; `pos` is at it. */
static int scan_special(struct cue_json_scan *scan)
{
	unsigned char c = (unsigned char)*scan->pos;
	size_t n;

	if (c == '\\') {
		scan->pos++;
		return scan_escape(scan);
	}
	if (c < 0x20)
		return cue_json_scan_fail(
		        scan, scan->pos,
		        "a control character in a string must be written as an escape such as \\n");
	n = cue_utf8_sequence(scan->pos, (size_t)(scan->end - scan->pos));
	if (n == 0)
		return cue_json_scan_fail(scan, scan->pos,
		                          "not UTF-8: the byte sequence is ill-formed");
	scan->pos += n;
	return 0;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

int cue_json_scan_string(struct cue_json_scan *scan, struct cue_json_string *ret_string)
{
	const char *quote = scan->pos++;
	bool escaped = false;

	for (;;) {
		int r;

		while (scan->pos < scan->end && is_plain((unsigned char)*scan->pos))
			scan->pos++;
		if (scan->pos == scan->end)
			return cue_json_scan_fail(
			        scan, quote, "the string has no end: a closing '\"' is missing");
		if (*scan->pos == '"')
			break;
		escaped = escaped || *scan->pos == '\\';
		r = scan_special(scan);
		if (r < 0)
			return r;
	}
	ret_string->text = quote + 1;
	ret_string->len = (size_t)(scan->pos - quote - 1);
	ret_string->escaped = escaped;
	scan->pos++;
	return 0;
}

/* ---- the order of strings ---- */

/* A byte of ill-formed UTF-8 counts as a code point beyond all others. */
static uint32_t next_utf8(const char **cursor, const char *end)
{
	const unsigned char *s = (const unsigned char *)*cursor;
	size_t len = cue_utf8_sequence(*cursor, (size_t)(end - *cursor));

	*cursor += len ? len : 1;
	switch (len) {
	case 1:
		return s[0];
	case 2:
		return (s[0] & 0x1FU) << 6 | (s[1] & 0x3FU);
	case 3:
		return (s[0] & 0x0FU) << 12 | (s[1] & 0x3FU) << 6 | (s[2] & 0x3FU);
	case 4:
		return (s[0] & 0x07U) << 18 | (s[1] & 0x3FU) << 12 | (s[2] & 0x3FU) << 6 |
		       (s[3] & 0x3FU);
	default:
		return 0x110000U + s[0];
	}
}

static uint32_t next_escape(const char **cursor)
{
	char c = (*cursor)[1];
	uint32_t unit;

	if (c != 'u') {
		*cursor += 2;
		switch (c) {
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		default:
			return (unsigned char)c;
		}
	}
	unit = (uint32_t)hex4(*cursor + 2, *cursor + 6);
	*cursor += 6;
	if (is_high_surrogate((int32_t)unit)) {
		uint32_t low = (uint32_t)hex4(*cursor + 2, *cursor + 6);

		*cursor += 6;
		return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
	}
	return unit;
}

static uint32_t next_code_point(const char **cursor, const char *end, bool escaped)
{
	return escaped && **cursor == '\\' ? next_escape(cursor) : next_utf8(cursor, end);
}

int cue_json_string_compare(const struct cue_json_string *a, const struct cue_json_string *b)
{
	const char *pa = a->text;
	const char *pb = b->text;
	const char *ea = pa + a->len;
	const char *eb = pb + b->len;

	if (!a->escaped && !b->escaped) {
		/* UTF-8 sorts by code point when it is compared bytewise. */
		int order = memcmp(pa, pb, a->len < b->len ? a->len : b->len);

		return order ? order : (a->len > b->len) - (a->len < b->len);
	}
	while (pa < ea && pb < eb) {
		uint32_t ca = next_code_point(&pa, ea, a->escaped);
		uint32_t cb = next_code_point(&pb, eb, b->escaped);

		if (ca != cb)
			return ca < cb ? -1 : 1;
	}
	return (pa < ea) - (pb < eb);
}

/* ---- numbers and words ---- */

static bool is_digit(const struct cue_json_scan *scan)
{
	return scan->pos < scan->end && *scan->pos >= '0' && *scan->pos <= '9';
}

static bool is_at(const struct cue_json_scan *scan, char c)
{
	return scan->pos < scan->end && *scan->pos == c;
}

static int scan_digits(struct cue_json_scan *scan, const char *missing)
{
	if (!is_digit(scan))
		return cue_json_scan_fail(scan, scan->pos, missing);
	while (is_digit(scan))
		scan->pos++;
	return 0;
}

static int scan_number(struct cue_json_scan *scan)
{
	const char *start = scan->pos;
	const char *first;
	int r;

	if (is_at(scan, '-'))
		scan->pos++;
	first = scan->pos;
	r = scan_digits(scan, "a digit must follow '-'");
	if (r < 0)
		return r;
	if (*first == '0' && scan->pos - first > 1)
		return cue_json_scan_fail(scan, first,
		                          "a number has no leading zeros: write 7, not 07");
	if (is_at(scan, '.')) {
		scan->pos++;
		r = scan_digits(scan, "a digit must follow '.': write 1.0, not 1.");
		if (r < 0)
			return r;
	}
	if (is_at(scan, 'e') || is_at(scan, 'E')) {
		scan->pos++;
		if (is_at(scan, '+') || is_at(scan, '-'))
			scan->pos++;
		r = scan_digits(scan, "the exponent has no digits: write 1e3");
		if (r < 0)
			return r;
	}
	if ((size_t)(scan->pos - start) > CUE_JSON_NUMBER_MAX)
		return cue_json_scan_fail(scan, start, "a number has 63 characters at most");
	return 0;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool word_is(const char *word, size_t len, const char *expected)
{
	return len == strlen(expected) && memcmp(word, expected, len) == 0;
}

static int scan_word(struct cue_json_scan *scan)
{
	const char *word = scan->pos;
	size_t len;

	while (scan->pos < scan->end && is_word_char(*scan->pos))
		scan->pos++;
	len = (size_t)(scan->pos - word);
	if (word_is(word, len, "true") || word_is(word, len, "false") || word_is(word, len, "null"))
		return 0;
	if (word_is(word, len, "NaN") || word_is(word, len, "Infinity"))
		return cue_json_scan_fail(scan, word, "JSON has no NaN and no Infinity: use null");
	return cue_json_scan_fail(scan, word,
	                          "unknown word: only true, false and null are values, anything "
	                          "else is a string in '\"'");
}

/* The most likely mistake behind a character that can't begin a value. */
static const char *no_value_text(char c)
{
	switch (c) {
	case '\0':
		return "a NUL byte is not allowed in JSON";
	case '\'':
		return "strings are written in double quotes";
	case '/':
	case '#':
		return "comments are not allowed here";
	case '+':
		return "a number has no leading '+'";
	case '.':
		return "a number begins with a digit: write 0.5, not .5";
	case ',':
		return "a value is missing before ','";
	case ':':
		return "a value is expected, not ':'";
	case ']':
	case '}':
		return "a value is expected, not a closing bracket";
	case '\xEF':
		return "a value is expected (is it a byte order mark? remove it)";
	default:
		return "a value is expected: object, array, string, number, true, false or null";
	}
}

int cue_json_scan_scalar(struct cue_json_scan *scan)
{
	char c = *scan->pos;

	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(scan);
	if (is_word_char(c))
		return scan_word(scan);
	return cue_json_scan_fail(scan, scan->pos, no_value_text(c));
}
