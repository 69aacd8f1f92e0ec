/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "rotary_position.h"

static struct rotary_position make(int64_t min, int64_t max, int64_t step, bool wrap)
{
	struct decoder_config config = {
		.kind = DECODER_ROTARY,
		.range = { .present = true,
		           .wrap = wrap,
		           .min = min,
		           .max = max,
		           .step = step,
		           .initial = min },
	};
	struct rotary_position position;

	cr_assert(rotary_position_is_valid(&config));
	rotary_position_init(&position, &config);
	return position;
}

/* One step after the other, without arithmetic on ranges. */
static int64_t walk(const struct decoder_range *range, int64_t value, int direction, unsigned n)
{
	int64_t top = range->min;

	while (top + range->step <= range->max)
		top += range->step;
	for (unsigned i = 0; i < n; i++) {
		int64_t next = value + direction * range->step;

		if (next > range->max)
			next = range->wrap ? range->min : range->max;
		else if (next < range->min)
			next = range->wrap ? top : range->min;
		value = next;
	}
	return value;
}

Test(rotary_position, every_small_range_agrees_with_single_steps)
{
	for (int64_t max = -2; max <= 6; max++) {
		for (int64_t step = 1; step <= max + 3; step++) {
			for (int wrap = 0; wrap < 2; wrap++) {
				for (int64_t from = -3; from <= max; from++) {
					for (unsigned n = 1; n <= 20; n++) {
						struct decoder_change change = { 0 };
						struct rotary_position p =
						        make(-3, max, step, wrap);
						int direction = n % 2 ? 1 : -1;
						int64_t to;

						p.n_acceleration = 1;
						p.acceleration[0] =
						        (struct decoder_acceleration){ 5, n };
						p.direction = direction;
						p.value = from;
						to = walk(&p.range, from, direction, n);
						cr_assert_eq(rotary_position_turn(&p, direction, 5,
						                                  &change),
						             to != from);
						cr_assert_eq(p.value, to);
						if (to == from)
							continue;
						cr_assert_eq(change.change, to - from);
						cr_assert_eq(change.limited,
						             !wrap && (to == -3 || to == max));
					}
				}
			}
		}
	}
}

Test(rotary_position, without_range_it_ends_where_numbers_end)
{
	struct decoder_config config = { .kind = DECODER_ROTARY };
	struct decoder_change change;
	struct rotary_position p;

	rotary_position_init(&p, &config);
	rotary_position_restore(&p, INT64_MAX);
	cr_assert_not(rotary_position_turn(&p, 1, 1, &change));
	cr_assert_eq(p.value, INT64_MAX);
	cr_assert(rotary_position_turn(&p, -1, 2, &change));
	cr_assert_not(change.limited);
	rotary_position_restore(&p, INT64_MAX);
	cr_assert_eq(p.value, INT64_MAX - 1, "what can not be added changes nothing");
}

Test(rotary_position, restored_values_are_in_the_range)
{
	struct rotary_position clamps = make(10, 50, 1, false), wraps = make(0, 9, 3, true);

	rotary_position_restore(&clamps, INT64_MIN);
	cr_assert_eq(clamps.value, 10);
	rotary_position_restore(&clamps, INT64_MAX);
	cr_assert_eq(clamps.value, 50);
	wraps.value = 6; /* turned by two detents before the value came */
	rotary_position_restore(&wraps, 9);
	cr_assert_eq(wraps.value, 3);
}
