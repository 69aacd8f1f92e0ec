/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file utf8.h
 * @brief Code points of UTF-8 text.
 */
#ifndef CUEBUS_UTF8_H
#define CUEBUS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @param text    not at its end; invalid UTF-8 is read byte by byte.
 * @param ret_len bytes of the character.
 */
static inline uint32_t utf8_code_point(const char *text, size_t *ret_len)
{
	const unsigned char *u = (const unsigned char *)text;
	size_t n = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : u[0] >= 0xC0 ? 2 : 1;
	uint32_t c = n == 1 ? u[0] : u[0] & (0x7FU >> n);

	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xC0) != 0x80) {
			*ret_len = 1;
			return u[0];
		}
		c = c << 6 | (u[i] & 0x3FU);
	}
	*ret_len = n;
	return c;
}

/**
 * The precision for "%.*s" that shows at most @p max bytes of @p text without cutting a character.
 * Invalid UTF-8 is read byte by byte.
 */
static inline int utf8_fit(const char *text, int max)
{
	int fit = 0;

	while (text[fit]) {
		size_t n;

		(void)utf8_code_point(text + fit, &n);
		if ((int)n > max - fit)
			break;
		fit += (int)n;
	}
	return fit;
}

/** C0, C1 and DEL. */
static inline int utf8_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

/** Whether Unicode defines the code point as a non-character. */
static inline int utf8_is_noncharacter(uint32_t c)
{
	return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

#endif
