/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "event_pattern.h"

Test(event_pattern, valid_ones)
{
	static const char *const good[] = { "a", "a.b", "a.*", "a.b.c.d.e.f.g.h.*", "a-b_c.0" };
	static const char *const bad[] = { "",     "*",     ".*",
		                           "a*",   "a.*.b", "A.*",
		                           "a..*", "a.b.",  "a.b.c.d.e.f.g.h.i" };
	const char *reason = NULL;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_assert(event_pattern_is_valid(good[i], NULL), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		reason = NULL;
		cr_assert_not(event_pattern_is_valid(bad[i], &reason), "%s", bad[i]);
		cr_assert_not_null(reason);
	}
}

Test(event_pattern, a_prefix_takes_what_is_below_it_only)
{
	cr_assert_gt(event_pattern_match("lamp.*", "lamp.set"), 0);
	cr_assert_gt(event_pattern_match("lamp.*", "lamp.set.now"), 0);
	cr_assert_eq(event_pattern_match("lamp.*", "lamp"), 0);
	cr_assert_eq(event_pattern_match("lamp.*", "lamps.set"), 0);
	cr_assert_eq(event_pattern_match("lamp.*", "my.lamp.set"), 0);
	cr_assert_gt(event_pattern_match("lamp.set", "lamp.set"), 0);
	cr_assert_eq(event_pattern_match("lamp.set", "lamp.set.now"), 0);
	cr_assert_eq(event_pattern_match("lamp.set", "lamp"), 0);
}

Test(event_pattern, the_closer_fit_is_larger)
{
	size_t wide = event_pattern_match("a.*", "a.b.c"),
	       near = event_pattern_match("a.b.*", "a.b.c");

	cr_assert_gt(near, wide);
	cr_assert_gt(event_pattern_match("a.b.c", "a.b.c"), near);
}
