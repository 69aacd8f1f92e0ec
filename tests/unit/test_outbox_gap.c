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

/* A gap whose event was dropped is announced later. */
Test(outbox_gap, one_whose_event_is_given_up_is_taken_again)
{
	static struct outbox_gaps gaps;

	outbox_gaps_add(&gaps, &own, 3, 4, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &old, 8, 1, OUTBOX_REASON_DISK);
	expect(&gaps, "", 3, 6, 4);
	outbox_gaps_told(&gaps, 20);
	expect(&gaps, "old", 8, 8, 1);
	outbox_gaps_told(&gaps, 21);
	expect_none(&gaps);
	outbox_gaps_add(&gaps, &old, 20, 2, OUTBOX_REASON_FULL); /* of another boot */
	expect(&gaps, "old", 20, 21, 2);
	outbox_gaps_told(&gaps, 22);
	outbox_gaps_add(&gaps, &own, 19, 2, OUTBOX_REASON_FULL);
	expect(&gaps, "", 19, 20, 2);
	outbox_gaps_told(&gaps, 23);
	expect(&gaps, "", 3, 6, 4);
	outbox_gaps_told(&gaps, 24);
	expect_none(&gaps);
	cr_assert_eq(gaps.n_news, 4);
}

Test(outbox_gap, one_that_can_not_be_told_comes_first_again)
{
	static struct outbox_gaps gaps;

	outbox_gaps_add(&gaps, &own, 3, 1, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &own, 7, 1, OUTBOX_REASON_FULL);
	expect(&gaps, "", 3, 3, 1);
	outbox_gaps_again(&gaps);
	outbox_gaps_again(&gaps);
	expect(&gaps, "", 3, 3, 1);
	outbox_gaps_told(&gaps, 9);
	outbox_gaps_again(&gaps);
	expect(&gaps, "", 7, 7, 1);
	outbox_gaps_told(&gaps, 0);
	expect_none(&gaps);
	cr_assert_eq(gaps.n_news, 1);
	outbox_gaps_arrived(&gaps, 8);
	cr_assert_eq(gaps.n_news, 1);
	outbox_gaps_arrived(&gaps, 9);
	cr_assert_eq(gaps.n_news, 0);
}

Test(outbox_gap, those_that_are_told_and_not_acknowledged_are_bounded)
{
	static struct outbox_gaps gaps;
	struct outbox_gap gap;

	for (uint64_t i = 0; i < 2 * OUTBOX_GAP_NEWS; i++)
		outbox_gaps_add(&gaps, &own, 1 + 2 * i, 1, OUTBOX_REASON_FULL);
	for (uint64_t i = 0; i < OUTBOX_GAP_NEWS; i++) {
		cr_assert(outbox_gaps_take(&gaps, &own, &gap));
		outbox_gaps_told(&gaps, 1000 + i);
	}
	expect_none(&gaps);
	outbox_gaps_arrived(&gaps, 1000);
	expect(&gaps, "", 1 + 2 * OUTBOX_GAP_NEWS, 1 + 2 * OUTBOX_GAP_NEWS, 1);
}

Test(outbox_gap, a_full_ring_takes_the_first_of_another_boot)
{
	static struct outbox_gaps gaps;
	struct outbox_gap gap;
	bool found = false;

	for (uint64_t i = 0; i < OUTBOX_GAPS_MAX; i++)
		outbox_gaps_add(&gaps, &own, 1 + 2 * i, 1, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &old, 5, 1, OUTBOX_REASON_FULL);
	while (outbox_gaps_take(&gaps, &own, &gap))
		found |= strcmp(gap.boot_id, "old") == 0 && gap.from_seq == 5;
	cr_assert(found);
}

static char *text_of(const struct outbox_gaps *gaps)
{
	char *text;
	size_t len;

	cr_assert_eq(outbox_gaps_write(gaps, &text, &len), 0);
	text[len] = '\0';
	return text;
}

static void forget(struct outbox *outbox)
{
	while (outbox->boots) {
		struct outbox_boot *next = outbox->boots->next;

		free(outbox->boots);
		outbox->boots = next;
	}
}

Test(outbox_gap, the_note_has_all_that_is_not_acknowledged)
{
	static struct outbox outbox;
	static struct outbox_gaps gaps;
	char *text;

	outbox_gaps_add(&gaps, &own, 3, 4, OUTBOX_REASON_FULL);
	outbox_gaps_add(&gaps, &own, 9, 1, OUTBOX_REASON_KILLED);
	outbox_gaps_add(&gaps, &old, 1, UINT64_MAX, OUTBOX_REASON_DISK);
	expect(&gaps, "", 3, 6, 4);
	outbox_gaps_told(&gaps, 10);
	text = text_of(&gaps);
	cr_assert_str_eq(text, "own 3 6 4 outbox_full\nown 9 9 1 killed\n"
	                       "old 1 18446744073709551615 18446744073709551615 disk_failed\n");
	outbox_gaps_read(&outbox, text, strlen(text));
	outbox_gaps_read(&outbox, text, strlen(text)); /* known already */
	free(text);
	cr_assert(outbox.gaps.dirty);
	expect(&outbox.gaps, "own", 3, 6, 4);
	expect(&outbox.gaps, "own", 9, 9, 1);
	expect(&outbox.gaps, "old", 1, UINT64_MAX, UINT64_MAX);
	expect_none(&outbox.gaps);
	forget(&outbox);
}

Test(outbox_gap, lines_that_are_not_ours_are_passed_over)
{
	static const char *const lines[] = {
		"",
		"own",
		"own 0 4 4 outbox_full\n",
		"own 5 4 1 outbox_full\n",
		"own 3 4 3 outbox_full\n",
		"own 3 4 0 outbox_full\n",
		"own 3 4 2 outbox\n",
		"own 3 4 2\n",
		"o\"n 3 4 2 outbox_full\n",
		"own 3 4 2 outbox_full", /* its end is missing */
		"owwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwn 3 4 2 outbox_full\n",
	};
	static struct outbox outbox;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		outbox_gaps_read(&outbox, lines[i], strlen(lines[i]));
	expect_none(&outbox.gaps);
	outbox_gaps_read(&outbox, "x\nown 3 4 2 outbox_full\n", 25);
	expect(&outbox.gaps, "own", 3, 4, 2);
	forget(&outbox);
}

/* As a damaged note may have them, one beginning in the other's middle. */
Test(outbox_gap, joined_ranges_never_count_more_than_they_span)
{
	static struct outbox_gaps gaps;
	struct outbox_gap gap;

	for (uint64_t i = 0; i < 3 * OUTBOX_GAPS_MAX; i++)
		outbox_gaps_add(&gaps, &own, 1 + i % 7, UINT64_MAX - 8, OUTBOX_REASON_FULL);
	while (outbox_gaps_take(&gaps, &own, &gap)) {
		cr_assert_gt(gap.count, 0);
		cr_assert_leq(gap.count - 1, gap.to_seq - gap.from_seq);
	}
}
