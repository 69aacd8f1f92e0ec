/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonc_string.h"

#include <cuebus/utf8.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0U | (c >> 6));
		out[1] = (char)(0x80U | (c & 0x3FU));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0U | (c >> 12));
		out[1] = (char)(0x80U | ((c >> 6) & 0x3FU));
		out[2] = (char)(0x80U | (c & 0x3FU));
		return 3;
	}
	out[0] = (char)(0xF0U | (c >> 18));
	out[1] = (char)(0x80U | ((c >> 12) & 0x3FU));
	out[2] = (char)(0x80U | ((c >> 6) & 0x3FU));
	out[3] = (char)(0x80U | (c & 0x3FU));
	return 4;
}

static bool hex4(const char *s, size_t len, uint32_t *ret)
{
	uint32_t value = 0;

	if (len < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		char c = s[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value |= (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value |= (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*ret = value;
	return true;
}

/** \uXXXX, or a pair of surrogates. @p s is at the backslash. @return bytes read, 0 on a fault. */
static size_t unicode_escape(const char *s, size_t len, uint32_t *ret, const char **ret_reason)
{
	uint32_t high, low;

	*ret_reason = "\\u must be followed by four hex digits";
	if (len < 6 || !hex4(s + 2, len - 2, &high))
		return 0;
	if (high == 0) {
		*ret_reason = "a string can't hold \\u0000";
		return 0;
	}
	if (high < 0xD800 || high > 0xDFFF) {
		*ret = high;
		return 6;
	}
	*ret_reason = "half of a surrogate pair: \\uD800 to \\uDBFF must be followed by "
	              "\\uDC00 to \\uDFFF";
	if (high > 0xDBFF || len < 12 || s[6] != '\\' || s[7] != 'u' ||
	    !hex4(s + 8, len - 8, &low) || low < 0xDC00 || low > 0xDFFF)
		return 0;
	*ret = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
	return 12;
}

/** One escape. @return bytes read, 0 on a fault. */
static size_t escape(const char *s, size_t len, char *out, size_t *ret_written,
                     const char **ret_reason)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	uint32_t c;
	size_t used;

	if (len >= 2 && s[1] == 'u') {
		used = unicode_escape(s, len, &c, ret_reason);
		if (used > 0)
			*ret_written = put_utf8(out, c);
		return used;
	}
	letter = len >= 2 && s[1] ? strchr(letters, s[1]) : NULL;
	if (!letter) {
		*ret_reason =
		        "unknown escape; allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";
		return 0;
	}
	out[0] = meanings[letter - letters];
	*ret_written = 1;
	return 2;
}

/** Length up to the closing quotation mark, or len if there is none. */
static size_t find_end(const char *s, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '"' || s[i] == '\n')
			return i;
	}
	return len;
}

static int fault(struct jsonc_string_error *ret_error, size_t offset, const char *text)
{
	ret_error->offset = offset;
	ret_error->text = text;
	return -EINVAL;
}

int jsonc_string_decode(struct arena *arena, const char *s, size_t len,
                        struct jsonc_string *ret_string, struct jsonc_string_error *ret_error)
{
	size_t end = find_end(s, len);
	size_t n = 0;
	char *out;

	/* Decoding never makes a string longer. */
	out = arena_alloc(arena, end + 1);
	if (!out)
		return -ENOMEM;
	for (size_t i = 1; i < end;) {
		unsigned char c = (unsigned char)s[i];
		size_t used, written;
		const char *reason;

		if (c == '\\') {
			used = escape(s + i, len - i, out + n, &written, &reason);
			if (used == 0)
				return fault(ret_error, i, reason);
			n += written;
			i += used;
			continue;
		}
		if (c < 0x20)
			return fault(ret_error, i,
			             "a control character in a string must be written "
			             "as an escape such as \\t");
		used = cue_utf8_sequence(s + i, len - i);
		if (used == 0)
			return fault(ret_error, i, "not valid UTF-8");
		memcpy(out + n, s + i, used);
		n += used;
		i += used;
	}
	if (end >= len || s[end] != '"')
		return fault(ret_error, 0, "this string is not closed on its line");
	*ret_string = (struct jsonc_string){ .text = out, .len = n, .used = end + 1 };
	return 0;
}
