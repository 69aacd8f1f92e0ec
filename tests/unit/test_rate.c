/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "rate.h"

#define MS 1000000ULL

static unsigned take(struct rate *rate, uint32_t per_second, uint64_t now_ns, unsigned n)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++)
		taken += rate_take(rate, 1, per_second, now_ns);
	return taken;
}

Test(rate, one_seconds_worth_at_once_then_as_time_passes)
{
	struct rate rate;

	rate_init(&rate, 100, 1000 * MS);
	cr_assert_eq(take(&rate, 100, 1000 * MS, 500), 100);
	cr_assert_eq(take(&rate, 100, 1009 * MS, 500), 0);
	cr_assert_eq(take(&rate, 100, 1010 * MS, 500), 1);
	cr_assert_eq(take(&rate, 100, 1110 * MS, 500), 10);
	cr_assert_eq(take(&rate, 100, 100000 * MS, 500), 100);
}

Test(rate, time_that_goes_back_gives_nothing_and_takes_nothing)
{
	struct rate rate;

	rate_init(&rate, 10, 5000 * MS);
	cr_assert_eq(take(&rate, 10, 4000 * MS, 5), 5);
	cr_assert_eq(take(&rate, 10, 5000 * MS, 500), 5);
	cr_assert_eq(take(&rate, 10, 5100 * MS, 500), 1);
}

Test(rate, a_lower_rate_holds_at_once)
{
	struct rate rate;

	rate_init(&rate, 1000, 0);
	cr_assert_eq(take(&rate, 10, 0, 500), 10);
}

Test(rate, many_at_once_are_taken_whole_or_not_at_all)
{
	struct rate rate;

	rate_init(&rate, 100, 0);
	cr_assert(rate_take(&rate, 60, 100, 0));
	cr_assert_not(rate_take(&rate, 41, 100, 0));
	cr_assert(rate_allows(&rate, 40, 100, 0));
	cr_assert(rate_take(&rate, 40, 100, 0));
	cr_assert_not(rate_take(&rate, 51, 100, 500 * MS));
	cr_assert(rate_take(&rate, 50, 100, 500 * MS));
	cr_assert_not(rate_take(&rate, 1, 100, 500 * MS));
	cr_assert(rate_take(&rate, 0, 100, 500 * MS));
}

Test(rate, more_than_the_bucket_holds_passes_when_it_is_full_and_is_paid_off)
{
	struct rate rate;

	rate_init(&rate, 100, 0);
	cr_assert(rate_take(&rate, 1, 100, 0));
	cr_assert_not(rate_take(&rate, 1000, 100, 0), "not full");
	cr_assert(rate_take(&rate, 1000, 100, 1000 * MS));
	cr_assert(rate_take(&rate, 0, 100, 1000 * MS));
	cr_assert_not(rate_take(&rate, 1, 100, 10000 * MS), "9 s pay off 900 of the 900 owed");
	cr_assert(rate_take(&rate, 50, 100, 10500 * MS));
	cr_assert_not(rate_take(&rate, 1000, 100, 10500 * MS));
}

Test(rate, holds_more_than_32_bits)
{
	const uint64_t per_second = 17179869184;
	struct rate rate;

	rate_init(&rate, per_second, 0);
	cr_assert(rate_take(&rate, per_second - 1, per_second, 0));
	cr_assert(rate_take(&rate, 1, per_second, 0));
	cr_assert_not(rate_take(&rate, 1, per_second, 0));
	cr_assert(rate_take(&rate, per_second / 2, per_second, 500 * MS));
}
