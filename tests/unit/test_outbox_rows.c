/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "outbox_internal.h"

Test(outbox_rows, in_order_they_are_one_range)
{
	struct outbox_rows rows = { 0 };

	for (uint64_t row = 5; row < 1000; row++)
		outbox_rows_add(&rows, row, 1);
	outbox_rows_add(&rows, 1000, 50);
	cr_assert_eq(rows.n, 1);
	cr_assert_eq(rows.ranges[0].from, 5);
	cr_assert_eq(rows.ranges[0].to, 1049);
	outbox_rows_clear(&rows);
	cr_assert_eq(rows.n, 0);
}

/* As acknowledgements come: within a window, in any order. */
Test(outbox_rows, out_of_order_they_become_one_range_too)
{
	struct outbox_rows rows = { 0 };

	for (uint64_t base = 0; base < 20000; base += 20) {
		for (uint64_t i = 0; i < 20; i++)
			outbox_rows_add(&rows, 1 + base + i * 7 % 20, 1);
		cr_assert_leq(rows.n, 20);
	}
	cr_assert_eq(rows.n, 1);
	cr_assert_eq(rows.ranges[0].from, 1);
	cr_assert_eq(rows.ranges[0].to, 20000);
	outbox_rows_clear(&rows);
}

Test(outbox_rows, what_does_not_touch_stays_apart)
{
	struct outbox_rows rows = { 0 }, others = { 0 };

	outbox_rows_add(&rows, 10, 2);
	outbox_rows_add(&rows, 13, 1);
	cr_assert_eq(rows.n, 2);
	outbox_rows_add(&others, 12, 1);
	outbox_rows_add(&others, 100, 1);
	outbox_rows_add_all(&rows, &others);
	cr_assert_eq(rows.n, 2);
	cr_assert_eq(rows.ranges[0].from, 10);
	cr_assert_eq(rows.ranges[0].to, 13);
	cr_assert_eq(rows.ranges[1].from, 100);
	outbox_rows_clear(&rows);
	outbox_rows_clear(&others);
}
