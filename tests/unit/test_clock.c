/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "clock.h"

Test(clock, monotonic_is_the_systems)
{
	uint64_t before_ns = clock_monotonic_ns(), between_ns, after_ns;
	struct timespec t;

	cr_assert_eq(clock_gettime(CLOCK_MONOTONIC, &t), 0);
	between_ns = (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
	after_ns = clock_monotonic_ns();
	cr_assert_leq(before_ns, between_ns);
	cr_assert_leq(between_ns, after_ns);
}

/* The clock may be set in between: a day is close enough to distinguish it from the monotonic
 * one. */
Test(clock, wall_is_the_calendars)
{
	int64_t now_s = (int64_t)time(NULL), wall_ns = clock_wall_ns();

	cr_assert_gt(wall_ns / 1000000000, now_s - 86400);
	cr_assert_lt(wall_ns / 1000000000, now_s + 86400);
}

Test(clock, timespec_has_seconds_and_the_rest)
{
	struct timespec t = clock_timespec(7000000001ULL);

	cr_assert_eq(t.tv_sec, 7);
	cr_assert_eq(t.tv_nsec, 1);
	t = clock_timespec(999999999ULL);
	cr_assert_eq(t.tv_sec, 0);
	cr_assert_eq(t.tv_nsec, 999999999);
}
