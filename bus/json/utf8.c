/* SPDX-License-Identifier: Apache-2.0 */
#include <cuebus/utf8.h>

#include <string.h>

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0U) == 0x80U;
}

size_t cue_utf8_sequence(const char *s, size_t len)
{
	unsigned char first = len ? (unsigned char)s[0] : 0xFF;
	unsigned char second;

	if (first < 0x80)
		return 1;
	if (first < 0xC2 || first > 0xF4 || len < 2 || !is_continuation(s[1]))
		return 0;
	if (first < 0xE0)
		return 2;
	second = (unsigned char)s[1];
	if (first < 0xF0) {
		/* E0 80..9F is overlong, ED A0..BF a surrogate */
		if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F))
			return 0;
		return len >= 3 && is_continuation(s[2]) ? 3 : 0;
	}
	/* F0 80..8F is overlong, F4 90..BF above U+10FFFF */
	if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
		return 0;
	return len >= 4 && is_continuation(s[2]) && is_continuation(s[3]) ? 4 : 0;
}

bool cue_utf8_is_valid(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0, n; i < len; i += n) {
		n = cue_utf8_sequence(text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}
