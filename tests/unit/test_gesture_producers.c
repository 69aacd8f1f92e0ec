/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_internal.h"

#include <stdint.h>

static unsigned cleared;

struct item {
	uint64_t value;
};

static void clear_item(void *item)
{
	const struct item *i = item;

	cleared += (unsigned)i->value;
}

static struct item *get(struct producer_table *table, uint32_t id, bool expect_forgot)
{
	bool forgot;
	struct item *item = cue_producer_table_get(table, id, &forgot);

	cr_assert_not_null(item);
	cr_assert_eq(forgot, expect_forgot);
	return item;
}

Test(gesture_producers, makes_zeroed_items_and_finds_them)
{
	struct producer_table table;

	cr_assert_eq(cue_producer_table_init(&table, 10, sizeof(struct item), NULL), 0);
	cr_assert_null(cue_producer_table_find(&table, 7));
	cr_assert_eq(get(&table, 7, false)->value, 0);
	get(&table, 7, false)->value = 42;
	cr_assert_eq(get(&table, 7, false)->value, 42);
	cr_assert_eq(((struct item *)cue_producer_table_find(&table, 7))->value, 42);
	cr_assert_null(cue_producer_table_find(&table, 8));
	cr_assert_eq((uintptr_t)get(&table, 7, false) % _Alignof(max_align_t), 0);
	cr_assert_eq(table.n, 1);
	cue_producer_table_clear(&table);
}

Test(gesture_producers, forgets_the_one_not_heard_of_longest)
{
	struct producer_table table;

	cleared = 0;
	cr_assert_eq(cue_producer_table_init(&table, 3, sizeof(struct item), clear_item), 0);
	get(&table, 1, false)->value = 1;
	get(&table, 2, false)->value = 10;
	get(&table, 3, false)->value = 100;
	get(&table, 1, false);              /* heard of */
	cue_producer_table_find(&table, 2); /* that counts too */
	get(&table, 4, true)->value = 1000;
	cr_assert_eq(cleared, 100);
	cr_assert_null(cue_producer_table_find(&table, 3));
	cr_assert_not_null(cue_producer_table_find(&table, 1));
	cr_assert_eq(table.n, 3);
	cue_producer_table_clear(&table);
	cr_assert_eq(cleared, 1111);
}

Test(gesture_producers, a_limit_of_zero_is_taken_as_one)
{
	struct producer_table table;

	cr_assert_eq(cue_producer_table_init(&table, 0, sizeof(struct item), NULL), 0);
	get(&table, 1, false);
	get(&table, 2, true);
	cr_assert_null(cue_producer_table_find(&table, 1));
	cue_producer_table_clear(&table);
}

Test(gesture_producers, grows_and_keeps_all_up_to_its_limit)
{
	struct producer_table table;

	cr_assert_eq(cue_producer_table_init(&table, 1024, sizeof(struct item), NULL), 0);
	for (uint32_t i = 0; i < 1024; i++)
		get(&table, i * 0x10001U, false)->value = i;
	cr_assert_gt(table.n_buckets, 512);
	for (uint32_t i = 0; i < 1024; i++)
		cr_assert_eq(get(&table, i * 0x10001U, false)->value, i);
	/* a flood of new ids takes the place of all, and no more memory */
	for (uint32_t i = 0; i < 5000; i++)
		get(&table, 0x80000000U + i, true);
	cr_assert_eq(table.n, 1024);
	cr_assert_null(cue_producer_table_find(&table, 0));
	cr_assert_not_null(cue_producer_table_find(&table, 0x80000000U + 4999));
	cue_producer_table_clear(&table);
}

Test(gesture_producers, an_empty_table_can_be_cleared)
{
	struct producer_table table = { 0 };

	cue_producer_table_clear(&table);
	cr_assert_eq(table.n, 0);
}
