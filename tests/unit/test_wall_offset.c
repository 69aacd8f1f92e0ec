/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "wall_offset.h"

#define MS(n) ((n)*1000000LL)

/* Each reading takes the time that comes next in `takes_ns`. */
struct fake {
	uint64_t monotonic_ns;
	int64_t offset_ns;
	const uint64_t *takes_ns;
	size_t reads, n;
};

static void take(struct fake *fake)
{
	fake->monotonic_ns += fake->takes_ns[fake->reads < fake->n ? fake->reads : fake->n - 1];
	fake->reads++;
}

static uint64_t monotonic(void *user)
{
	struct fake *fake = user;

	take(fake);
	return fake->monotonic_ns;
}

static int64_t wall(void *user)
{
	struct fake *fake = user;

	take(fake);
	return (int64_t)((uint64_t)fake->offset_ns + fake->monotonic_ns);
}

static int64_t read_offset(struct fake *fake)
{
	struct wall_clocks clocks = { monotonic, wall, fake };

	return wall_offset_read(&clocks);
}

Test(wall_offset, an_undisturbed_reading_is_taken_at_once)
{
	static const uint64_t takes[] = { 30 };
	struct fake fake = { 5000, MS(1795431835938), takes, 0, 1 };

	cr_assert_eq(read_offset(&fake), fake.offset_ns);
	cr_assert_eq(fake.reads, 3U);
}

Test(wall_offset, a_reading_that_was_interrupted_is_repeated)
{
	/* 40 ms between the wall's reading and the second one: it would be dated 20 ms off. */
	static const uint64_t takes[] = { 30, 30, 40000000, 30 };
	struct fake fake = { 5000, MS(1795431835938), takes, 0, 4 };

	cr_assert_eq(read_offset(&fake), fake.offset_ns);
	cr_assert_eq(fake.reads, 6U);
}

Test(wall_offset, of_readings_that_were_all_interrupted_the_closest_is_taken)
{
	static const uint64_t takes[] = { 30,      30, 40000000, 30,      30, 100000,
		                          30,      30, 60000000, 9000000, 30, 70000000,
		                          9000000, 30, 80000000, 30 };
	struct fake fake = { 5000, 0, takes, 0, 16 };
	int64_t offset_ns = read_offset(&fake);

	cr_assert_eq(fake.reads, 15U);
	cr_assert_eq(offset_ns, 30 - (100000 + 30) / 2);
}

Test(wall_offset, a_clock_far_out_is_no_undefined_behaviour)
{
	static const uint64_t takes[] = { 30 };
	struct fake early = { 5000, INT64_MIN, takes, 0, 1 };
	struct fake late = { 5000, INT64_MAX - 6000, takes, 0, 1 };

	cr_assert_eq(read_offset(&early), INT64_MIN);
	cr_assert_eq(read_offset(&late), INT64_MAX - 6000);
}

Test(wall_offset, a_step_is_a_millisecond_either_way)
{
	cr_assert_not(wall_offset_is_step(MS(5), MS(5)));
	cr_assert_not(wall_offset_is_step(MS(5), MS(6) - 1));
	cr_assert_not(wall_offset_is_step(MS(5), MS(4) + 1));
	cr_assert(wall_offset_is_step(MS(5), MS(6)));
	cr_assert(wall_offset_is_step(MS(5), MS(4)));
	cr_assert(wall_offset_is_step(MS(5), MS(3600005)));
	cr_assert(wall_offset_is_step(INT64_MIN, INT64_MAX));
	cr_assert(wall_offset_is_step(INT64_MAX, INT64_MIN));
}
