/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "lateness.h"

Test(lateness, empty_is_zero)
{
	struct lateness lateness = { 0 };

	cr_assert_eq(lateness_percentile_ns(&lateness, 500), 0);
	cr_assert_eq(lateness.max_ns, 0);
}

Test(lateness, percentiles_are_at_most_an_eighth_too_high)
{
	struct lateness lateness = { 0 };

	for (uint64_t i = 1; i <= 1000; i++)
		lateness_add(&lateness, i * 1000);
	for (unsigned p = 1; p <= 1000; p++) {
		uint64_t exact_ns = p * 1000ULL;
		uint64_t ns = lateness_percentile_ns(&lateness, p);

		cr_assert_geq(ns, exact_ns);
		cr_assert_leq(ns, exact_ns + exact_ns / 8);
	}
	cr_assert_eq(lateness_percentile_ns(&lateness, 1000), 1000000, "the maximum is exact");
	cr_assert_eq(lateness.count, 1000);
	lateness_reset(&lateness);
	cr_assert_eq(lateness.count, 0);
	cr_assert_eq(lateness_percentile_ns(&lateness, 999), 0);
}

Test(lateness, takes_every_value)
{
	struct lateness lateness = { 0 };

	lateness_add(&lateness, 0);
	cr_assert_eq(lateness_percentile_ns(&lateness, 500), 0);
	for (unsigned bit = 0; bit < 64; bit++) {
		lateness_add(&lateness, 1ULL << bit);
		lateness_add(&lateness, (1ULL << bit) - 1);
	}
	lateness_add(&lateness, UINT64_MAX);
	cr_assert_eq(lateness_percentile_ns(&lateness, 1000), UINT64_MAX);
	cr_assert_eq(lateness_percentile_ns(&lateness, 1), 0);
}
