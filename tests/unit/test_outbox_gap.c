/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "outbox_internal.h"

static struct outbox_boot own = { .id = "own" }, old = { .id = "old" };

static void expect(struct outbox_gaps *gaps, const char *boot_id, uint64_t from, uint64_t to,
                   uint64_t count)
{
	struct outbox_gap gap;

	cr_assert(outbox_gaps_take(gaps, &own, &gap));
	cr_assert_str_eq(gap.boot_id, boot_id);
	cr_assert_eq(gap.from_seq, from);
	cr_assert_eq(gap.to_seq, to);
	cr_assert_eq(gap.count, count);
}

static void expect_none(struct outbox_gaps *gaps)
{
	struct outbox_gap gap;

	cr_assert_not(outbox_gaps_take(gaps, &own, &gap));
}

Test(outbox_gap, neighbours_are_one_range)
{
	static struct outbox_gaps gaps;

	outbox_gaps_add(&gaps, &own, 3, 1, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &own, 4, 5, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &own, 9, 1, OUTBOX_REASON_FULL);
	expect(&gaps, "", 3, 9, 7);
	expect_none(&gaps);
}

Test(outbox_gap, ranges_boots_and_reasons_are_kept_apart)
{
	static struct outbox_gaps gaps;

	outbox_gaps_add(&gaps, &own, 3, 1, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &own, 5, 1, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &own, 6, 1, OUTBOX_REASON_TOO_LARGE);
	outbox_gaps_add(&gaps, &old, 6, 1, OUTBOX_REASON_FULL);
	expect(&gaps, "", 3, 3, 1);
	expect(&gaps, "", 5, 5, 1);
	expect(&gaps, "", 6, 6, 1);
	expect(&gaps, "old", 6, 6, 1);
	expect_none(&gaps);
}

/* The oldest is dropped, and what is put is refused, in turns. */
Test(outbox_gap, two_ranges_may_grow_in_turns)
{
	static struct outbox_gaps gaps;

	for (uint64_t i = 0; i < 100; i++) {
		outbox_gaps_add(&gaps, &own, 1 + i, 1, OUTBOX_REASON_FULL);
		outbox_gaps_add(&gaps, &own, 1001 + i, 1, OUTBOX_REASON_FULL);
	}
	expect(&gaps, "", 1, 100, 100);
	expect(&gaps, "", 1001, 1100, 100);
	expect_none(&gaps);
}

Test(outbox_gap, too_many_are_joined_but_none_is_left_out)
{
	static struct outbox_gaps gaps;
	struct outbox_gap gap;
	uint64_t n = 0, total = 0;

	for (uint64_t i = 0; i < 2 * OUTBOX_GAPS_MAX; i++)
		outbox_gaps_add(&gaps, &own, 1 + 2 * i, 1, OUTBOX_REASON_FULL);
	while (outbox_gaps_take(&gaps, &own, &gap)) {
		n++;
		total += gap.count;
	}
	cr_assert_eq(n, OUTBOX_GAPS_MAX);
	cr_assert_eq(total, 2 * OUTBOX_GAPS_MAX);
	cr_assert_eq(gap.to_seq, 4 * OUTBOX_GAPS_MAX - 1);
}
