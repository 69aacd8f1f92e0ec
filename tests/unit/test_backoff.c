/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "backoff.h"

Test(backoff, doubles_up_to_its_maximum)
{
	struct backoff backoff = { 0 };
	uint64_t step_ns = BACKOFF_MIN_NS;

	for (int i = 0; i < 20; i++) {
		uint64_t delay_ns = backoff_next(&backoff, (uint32_t)i * 0x1234567U);

		cr_assert_geq(delay_ns, step_ns / 2);
		cr_assert_leq(delay_ns, step_ns);
		step_ns = 2 * step_ns < BACKOFF_MAX_NS ? 2 * step_ns : BACKOFF_MAX_NS;
	}
	cr_assert_eq(step_ns, BACKOFF_MAX_NS);
}

Test(backoff, jitter_spans_the_upper_half)
{
	struct backoff backoff = { .step_ns = BACKOFF_MAX_NS };
	uint64_t delay_ns;

	cr_assert_eq(backoff_next(&backoff, 0), BACKOFF_MAX_NS / 2);
	delay_ns = backoff_next(&backoff, UINT32_MAX);
	cr_assert_gt(delay_ns, BACKOFF_MAX_NS - BACKOFF_MAX_NS / 100);
	cr_assert_leq(delay_ns, BACKOFF_MAX_NS);
}

Test(backoff, only_a_stable_connection_starts_anew)
{
	struct backoff backoff = { 0 };

	for (int i = 0; i < 5; i++)
		backoff_next(&backoff, 0);
	backoff_connected_for(&backoff, BACKOFF_STABLE_NS - 1);
	cr_assert_eq(backoff_next(&backoff, 0), BACKOFF_MIN_NS * 32 / 2);
	backoff_connected_for(&backoff, BACKOFF_STABLE_NS);
	cr_assert_eq(backoff_next(&backoff, 0), BACKOFF_MIN_NS / 2);
}

/** A broker that restarts repeatedly causes long pauses only while it does so. */
Test(backoff, a_dozen_short_outages_are_forgotten_after_a_stable_minute)
{
	struct backoff backoff = { 0 };

	for (int i = 0; i < 12; i++) {
		backoff_next(&backoff, 0);
		backoff_connected_for(&backoff, BACKOFF_STABLE_NS / 12);
	}
	/* Short sessions don't add up to a stable one. */
	cr_assert_eq(backoff_next(&backoff, 0), BACKOFF_MAX_NS / 2);
	backoff_connected_for(&backoff, BACKOFF_STABLE_NS);
	for (uint64_t step_ns = BACKOFF_MIN_NS; step_ns < BACKOFF_MAX_NS; step_ns *= 2)
		cr_assert_eq(backoff_next(&backoff, 0), step_ns / 2);
}

Test(backoff, a_takeover_waits_at_least_ten_seconds)
{
	struct backoff backoff = { 0 };

	backoff_takeover(&backoff);
	cr_assert_geq(backoff_next(&backoff, 0), BACKOFF_TAKEOVER_NS);
	backoff.step_ns = BACKOFF_MAX_NS;
	backoff_takeover(&backoff);
	cr_assert_eq(backoff.step_ns, BACKOFF_MAX_NS);
}

Test(backoff, limits_can_be_given)
{
	struct backoff backoff = { .min_ns = 1000, .max_ns = 3000 };

	cr_assert_eq(backoff_next(&backoff, 0), 500U);
	cr_assert_eq(backoff_next(&backoff, 0), 1000U);
	cr_assert_eq(backoff_next(&backoff, 0), 1500U);
	cr_assert_eq(backoff_next(&backoff, 0), 1500U);
	backoff_reset(&backoff);
	cr_assert_eq(backoff_next(&backoff, 0), 500U);
	cr_assert_eq(backoff.max_ns, 3000U);
}
