/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct diag *diag, const char *file, unsigned line, unsigned column,
                const char *text)
{
	diag_add(diag, DIAG_ERROR, (struct diag_place){ file, line, column, "/p" }, "rule-name",
	         "%s", text);
}

static char *printed(const struct diag *diag)
{
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	diag_print(diag, stream);
	fclose(stream);
	return text;
}

Test(diag, prints_one_line_each)
{
	struct diag diag = { 0 };
	char *text;

	diag_add(&diag, DIAG_WARNING, (struct diag_place){ "a.json", 3, 7, "/x" }, "some-rule",
	         "%d is odd", 3);
	add(&diag, "a.json", 1, 2, "line\nbreak \x1b[31m");
	diag_sort(&diag);
	text = printed(&diag);
	cr_assert_str_eq(text, "a.json:1:2: error: line\\x0abreak \\x1b[31m [rule-name]\n"
	                       "a.json:3:7: warning: 3 is odd [some-rule]\n");
	cr_assert_eq(diag.n_errors, 1);
	free(text);
	diag_clear(&diag);
	cr_assert_eq(diag.n, 0);
}

Test(diag, sorts_by_place_and_keeps_the_order_of_equals)
{
	struct diag diag = { 0 };

	add(&diag, "b", 1, 1, "5");
	add(&diag, "a", 2, 1, "3");
	add(&diag, "a", 1, 9, "1");
	add(&diag, "a", 2, 1, "4");
	add(&diag, "a", 1, 10, "2");
	diag_sort(&diag);
	for (size_t i = 0; i < diag.n; i++)
		cr_assert_eq(diag.findings[i].message[0], (char)('1' + i));
	diag_clear(&diag);
}

Test(diag, is_bounded_and_still_counts)
{
	struct diag diag = { 0 };

	for (unsigned i = 0; i < 1500; i++)
		add(&diag, "f", i, 1, "x");
	cr_assert_eq(diag.n, 1000);
	cr_assert_eq(diag.n_errors, 1500);
	cr_assert_eq(diag.n_dropped, 500);
	diag_clear(&diag);
}

Test(diag, a_hidden_value_is_in_no_message)
{
	struct diag diag = { 0 };

	diag_add(&diag, DIAG_ERROR, diag_file("f"), "rule", "before: %s", "hunter2");
	cr_assert_eq(diag_hide(&diag, "PW", "hunter2"), 0);
	diag_add(&diag, DIAG_ERROR, diag_file("f"), "rule", "after: \"%s\"", "hunter2");
	cr_assert_str_eq(diag.findings[0].message, "before: hunter2");
	cr_assert_str_eq(diag.findings[1].message, "after: \"${PW}\"");
	diag_clear(&diag);
}
