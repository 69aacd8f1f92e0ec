/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "did_you_mean.h"

#include <stdint.h>
#include <string.h>

static size_t distance(const char *a, const char *b)
{
	return edit_distance(a, strlen(a), b, strlen(b));
}

Test(did_you_mean, distance_counts_edits)
{
	cr_assert_eq(distance("", ""), 0);
	cr_assert_eq(distance("abc", ""), 3);
	cr_assert_eq(distance("", "abc"), 3);
	cr_assert_eq(distance("kitten", "sitting"), 3);
	cr_assert_eq(distance("window", "widnow"), 1); /* neighbours swapped */
	cr_assert_eq(distance("ca", "abc"), 3);        /* no part edited twice */
	cr_assert_eq(distance("EMIT", "emit"), 0);
}

Test(did_you_mean, overlong_words_are_not_compared)
{
	char word[66];

	memset(word, 'a', 65);
	word[65] = '\0';
	cr_assert_eq(edit_distance(word, 65, "a", 1), SIZE_MAX);
	cr_assert_eq(edit_distance(word, 64, word, 64), 0);
}

Test(did_you_mean, nearest_within_a_third)
{
	static const char *const keys[] = { "emit", "offset", "repeat", "interval" };

	cr_assert_str_eq(did_you_mean("emti", keys, 4), "emit");
	cr_assert_str_eq(did_you_mean("ofset", keys, 4), "offset");
	cr_assert_str_eq(did_you_mean("intervall", keys, 4), "interval");
	cr_assert_null(did_you_mean("colour", keys, 4));
	cr_assert_null(did_you_mean("x", keys, 4));
	cr_assert_null(did_you_mean("emit", keys, 0));
}

Test(did_you_mean, beginning_of_a_name)
{
	static const char *const keys[] = { "username", "password_file", "keepalive" };

	cr_assert_str_eq(did_you_mean("password", keys, 3), "password_file");
	cr_assert_null(did_you_mean("key", keys, 3));
}
