/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hide.h"
#include "jsonc.h"

static void expect(const struct hide *hide, const char *text, const char *expected)
{
	char *shown = NULL;

	cr_assert_eq(hide_text(hide, text, &shown), 0);
	if (strcmp(shown, expected) != 0)
		fprintf(stderr, "%s -> %s\n", text, shown);
	cr_assert_str_eq(shown, expected);
	free(shown);
}

Test(hide, nothing_to_hide_changes_nothing)
{
	struct hide *hide;

	expect(NULL, "a text", "a text");
	cr_assert_eq(hide_new(&hide), 0);
	expect(hide, "a text", "a text");
	cr_assert_eq(hide_add(hide, "EMPTY", ""), 0);
	expect(hide, "a text", "a text");
	hide_free(hide);
	hide_free(NULL);
}

Test(hide, a_value_is_shown_as_its_name_wherever_it_stands)
{
	struct hide *hide;

	cr_assert_eq(hide_new(&hide), 0);
	cr_assert_eq(hide_add(hide, "PW", "hunter2"), 0);
	cr_assert_eq(hide_add(hide, "LONG", "hunter2-and-more"), 0);
	cr_assert_eq(hide_add(hide, "AGAIN", "hunter2"), 0); /* the first name stays */
	expect(hide, "hunter2", "${PW}");
	expect(hide, "xhunter2xhunter2.hun.", "x${PW}x${PW}.hun.");
	expect(hide, "hunter2-and-more of it", "${LONG} of it");
	expect(hide, "nothing of it: hunt", "nothing of it: ${LONG}"); /* cut at the end */
	expect(hide, "hun", "hun");
	hide_free(hide);
}

Test(hide, a_value_that_was_cut_off_is_found_by_its_beginning)
{
	struct hide *hide;
	char quoted[JSONC_QUOTE_SIZE], text[300], value[201] = "";

	memset(value, 'v', 200);
	memcpy(value, "abcdefgh", 8);
	cr_assert_eq(hide_new(&hide), 0);
	cr_assert_eq(hide_add(hide, "BIG", value), 0);
	expect(hide, jsonc_quote(quoted, value), "\"${BIG}...\"");
	snprintf(text, sizeof(text), "%.60s%s",
	         "............................................................", value);
	expect(hide, jsonc_quote(quoted, text),
	       "\"............................................................${BIG}...\"");
	snprintf(text, sizeof(text), "%.20s, and on", value);
	expect(hide, text, "${BIG}, and on");
	hide_free(hide);
}

Test(hide, control_characters_are_found_as_they_are_spelled)
{
	struct hide *hide;
	char quoted[JSONC_QUOTE_SIZE];
	const char *value = "two\nlines\x1b\xC2\x85 end";

	cr_assert_eq(hide_new(&hide), 0);
	cr_assert_eq(hide_add(hide, "V", value), 0);
	expect(hide, value, "${V}");
	expect(hide, jsonc_quote(quoted, value), "\"${V}\"");
	expect(hide, "two lines \xC2\x85 end", "${V}"); /* as the log cleans it */
	hide_free(hide);
}

Test(hide, a_short_value_only_in_quotation_marks)
{
	struct hide *hide;

	cr_assert_eq(hide_new(&hide), 0);
	cr_assert_eq(hide_add(hide, "A", "a"), 0);
	expect(hide, "a name \"a\" and 'a' in a text", "a name \"${A}\" and '${A}' in a text");
	hide_free(hide);
}

Test(hide, all_of_another)
{
	struct hide *hide, *from;

	cr_assert_eq(hide_new(&hide), 0);
	cr_assert_eq(hide_new(&from), 0);
	cr_assert_eq(hide_add(from, "ONE", "value-one"), 0);
	cr_assert_eq(hide_add(hide, "TWO", "value-two"), 0);
	cr_assert_eq(hide_add_all(hide, from), 0);
	cr_assert_eq(hide_add_all(hide, from), 0);
	cr_assert_eq(hide_add_all(hide, NULL), 0);
	hide_free(from);
	expect(hide, "value-one value-two", "${ONE} ${TWO}");
	hide_free(hide);
}
