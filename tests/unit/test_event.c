/* SPDX-License-Identifier: Apache-2.0 */
#include <cuebus/event.h>
#include <errno.h>
#include <string.h>

#include "cue_criterion.h"

static bool valid(const char *name)
{
	const char *reason = NULL;
	bool ok = cue_type_is_valid(name, strlen(name), &reason);

	cr_assert(ok || reason != NULL);
	return ok;
}

Test(event, types_that_are_valid)
{
	static const char *const good[] = { "a", "button.press", "a.b.c.d.e.f.g.h", "x_y-z.0",
		                            "9" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_assert(valid(good[i]));
}

Test(event, types_that_are_not)
{
	/* Columns by hand. */
	/* clang-format off */
	static const char *const bad[] = { "",      ".",   "a.",  ".a",  "a..b", "A",  "a b",
		                           "a/b",   "a+",  "a#",  "a*",  "\xc3\xa4",
		                           "a.b.c.d.e.f.g.h.i" };
	/* clang-format on */

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert(!valid(bad[i]));
}

Test(event, type_length_limit_is_128)
{
	char name[130];

	memset(name, 'a', sizeof(name));
	cr_assert(cue_type_is_valid(name, 128, NULL));
	cr_assert(!cue_type_is_valid(name, 129, NULL));
	cr_assert(!cue_type_is_valid("a\0b", 3, NULL));
}

Test(event, reserved_types)
{
	cr_assert(cue_type_is_reserved("event.playlist.created"));
	cr_assert(cue_type_is_reserved("gateway.gap"));
	cr_assert(cue_type_is_reserved("gesture.near_miss"));
	cr_assert(cue_type_is_reserved("input.set"));
	cr_assert(!cue_type_is_reserved("event"));
	cr_assert(!cue_type_is_reserved("inputs.set"));
	cr_assert(!cue_type_is_reserved("button.input.set"));
}

Test(event, id_round_trip)
{
	struct cue_id id, back;
	char text[CUE_ID_TEXT_SIZE];

	/* FNV-1a with 128 bits of "gateway\0name", computed elsewhere. */
	cue_id_derive("gateway", "name", &id);
	cue_id_format(&id, text);
	cr_assert_str_eq(text, "243058d286bb48a39c2b765ac3f9ce10");
	cr_assert_eq(cue_id_parse(text, &back), 0);
	cr_assert(cue_id_equal(&id, &back));
	cr_assert_eq(cue_id_parse("", &back), -EINVAL);
	cr_assert_eq(cue_id_parse("0123456789abcdef0123456789abcdeg", &back), -EINVAL);
	cr_assert_eq(cue_id_parse("0123456789abcdef0123456789abcdef0", &back), -EINVAL);
}

Test(event, derived_ids_are_stable_and_distinct)
{
	struct cue_id a, b, c;

	cue_id_derive("ab", "c", &a);
	cue_id_derive("a", "bc", &b);
	cue_id_derive("ab", "c", &c);
	cr_assert(!cue_id_equal(&a, &b));
	cr_assert(cue_id_equal(&a, &c));
}
