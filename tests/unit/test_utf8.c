/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/utf8.h>

#include <string.h>

Test(utf8, the_first_and_last_of_each_length)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {
		{ "\x01", 1 },
		{ "\x7F", 1 },
		{ "\xC2\x80", 2 },
		{ "\xDF\xBF", 2 },
		{ "\xE0\xA0\x80", 3 },
		{ "\xED\x9F\xBF", 3 },
		{ "\xEE\x80\x80", 3 },
		{ "\xEF\xBF\xBF", 3 },
		{ "\xF0\x90\x80\x80", 4 },
		{ "\xF4\x8F\xBF\xBF", 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_eq(cue_utf8_sequence(rows[i].text, strlen(rows[i].text)), rows[i].n,
		             "%zu", i);
		/* The last byte is missing. */
		cr_assert_eq(cue_utf8_sequence(rows[i].text, rows[i].n - 1), 0, "%zu", i);
		cr_assert(cue_utf8_is_valid(rows[i].text));
	}
	cr_assert_eq(cue_utf8_sequence("", 1), 1); /* a NUL that is counted */
}

Test(utf8, what_is_ill_formed)
{
	static const char *const rows[] = {
		"\x80",     /* a continuation alone */
		"\xC1\xBF", /* overlong */
		"\xE0\x9F\xBF",
		"\xF0\x8F\xBF\xBF",
		"\xED\xA0\x80", /* surrogates */
		"\xED\xBF\xBF",
		"\xF4\x90\x80\x80", /* above U+10FFFF */
		"\xF5\x80\x80\x80",
		"\xFF",
		"\xC3(", /* no continuation */
		"\xE2\x82(",
		"\xF0\x90\x80(",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_eq(cue_utf8_sequence(rows[i], strlen(rows[i])), 0, "%zu", i);
		cr_assert_not(cue_utf8_is_valid(rows[i]), "%zu", i);
	}
}

Test(utf8, a_text_is_valid_throughout)
{
	cr_assert(cue_utf8_is_valid(""));
	cr_assert(cue_utf8_is_valid("Tür \xE2\x82\xAC"));
	cr_assert_not(cue_utf8_is_valid("abc\xFFxyz"));
	cr_assert_not(cue_utf8_is_valid("abc\xE2\x82"));
}
