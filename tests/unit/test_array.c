/* SPDX-License-Identifier: Apache-2.0 */
#include "array.h"

#include <stdlib.h>

#include "cue_criterion.h"

Test(array, grows_by_doubling_and_keeps_its_elements)
{
	size_t n = 0, capacity = 0;
	unsigned *items = NULL, moves = 0;

	for (unsigned i = 0; i < 1000; i++) {
		size_t before = capacity;

		items = array_grow(items, n, &capacity, sizeof(*items));
		cr_assert_not_null(items);
		cr_assert_gt(capacity, n);
		moves += capacity != before;
		items[n++] = i;
	}
	cr_assert_eq(moves, 7); /* 16, 32 … 1,024 */
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(items[i], i);
	free(items);
}

Test(array, does_not_move_while_it_has_room)
{
	size_t capacity = 0;
	char *items = array_grow(NULL, 0, &capacity, 1);

	cr_assert_eq(capacity, 16);
	items[15] = 'x';
	cr_assert_eq(array_grow(items, 15, &capacity, 1), items);
	cr_assert_eq(capacity, 16);
	items = array_grow(items, 16, &capacity, 1);
	cr_assert_eq(capacity, 32);
	cr_assert_eq(items[15], 'x');
	free(items);
}
