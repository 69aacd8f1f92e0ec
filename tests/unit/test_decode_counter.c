/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "decode.h"

Test(decode_counter, counts_the_beginning_of_each_pulse)
{
	struct decode_counter counter = { 0 };
	struct decoder_change change;

	decode_counter_start(&counter, false);
	for (unsigned i = 1; i <= 5; i++) {
		cr_assert(decode_counter_level(&counter, true, 100 * i, &change));
		cr_assert_eq(change.type, DECODER_COUNTED);
		cr_assert_eq(change.count, i);
		cr_assert_eq(change.interval_ns, i == 1 ? 0 : 100);
		cr_assert_not(decode_counter_level(&counter, false, 100 * i + 10, &change));
	}
}

Test(decode_counter, a_line_that_is_active_at_the_start_is_no_pulse)
{
	struct decode_counter counter = { 0 };
	struct decoder_change change;

	decode_counter_start(&counter, true);
	cr_assert_not(decode_counter_level(&counter, true, 1, &change));
	cr_assert_not(decode_counter_level(&counter, false, 2, &change));
	cr_assert(decode_counter_level(&counter, true, 3, &change));
	cr_assert_eq(change.count, 1);
}

Test(decode_counter, no_interval_across_a_gap)
{
	struct decode_counter counter = { 0 };
	struct decoder_change change;

	decode_counter_start(&counter, false);
	decode_counter_level(&counter, true, 100, &change);
	decode_counter_level(&counter, false, 150, &change);
	decode_counter_gap(&counter);
	cr_assert(decode_counter_level(&counter, true, 900, &change));
	cr_assert_eq(change.count, 2);
	cr_assert_eq(change.interval_ns, 0);
	decode_counter_level(&counter, false, 950, &change);
	cr_assert(decode_counter_level(&counter, true, 1000, &change));
	cr_assert_eq(change.interval_ns, 100);
}

Test(decode_counter, goes_on_from_what_was_counted_before)
{
	struct decode_counter counter = { 0 };
	struct decoder_change change;

	decode_counter_start(&counter, false);
	decode_counter_add(&counter, 3);
	cr_assert(decode_counter_level(&counter, true, 100, &change));
	cr_assert_eq(change.count, 4U);
	cr_assert_eq(change.interval_ns, 0U);
	/* For any value on the disk it counts up without overflow. */
	decode_counter_add(&counter, -5);
	cr_assert_eq(counter.count, 4U);
	decode_counter_add(&counter, INT64_MAX);
	cr_assert_eq(counter.count, 4U);
}
