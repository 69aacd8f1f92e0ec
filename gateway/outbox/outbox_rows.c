/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to delete with the next transaction. Messages are released nearly in order, so a few ranges
 * describe any number of rows. */
#include <stdlib.h>

#include "array.h"
#include "outbox_internal.h"

/* How far acknowledgements may come out of order. */
#define LOOK_BACK 32U

static bool join(struct outbox_row_range *range, uint64_t from, uint64_t to)
{
	if (from == range->to + 1)
		range->to = to;
	else if (to + 1 == range->from)
		range->from = from;
	else
		return false;
	return true;
}

/** Merge the ranges @p i and @p i + 1 if they are adjacent. */
static void join_neighbours(struct outbox_rows *rows, size_t i)
{
	if (i + 1 >= rows->n ||
	    !join(&rows->ranges[i], rows->ranges[i + 1].from, rows->ranges[i + 1].to))
		return;
	rows->n--;
	for (size_t k = i + 1; k < rows->n; k++)
		rows->ranges[k] = rows->ranges[k + 1];
}

void outbox_rows_add(struct outbox_rows *rows, uint64_t from, uint64_t count)
{
	size_t stop = rows->n > LOOK_BACK ? rows->n - LOOK_BACK : 0;
	struct outbox_row_range *ranges;

	for (size_t i = rows->n; i > stop; i--) {
		if (!join(&rows->ranges[i - 1], from, from + count - 1))
			continue;
		join_neighbours(rows, i - 1);
		if (i > 1)
			join_neighbours(rows, i - 2);
		return;
	}
	ranges = array_grow(rows->ranges, rows->n, &rows->size, sizeof(*ranges));
	if (!ranges)
		return;
	rows->ranges = ranges;
	rows->ranges[rows->n++] = (struct outbox_row_range){ from, from + count - 1 };
}

void outbox_rows_add_all(struct outbox_rows *rows, const struct outbox_rows *others)
{
	for (size_t i = 0; i < others->n; i++)
		outbox_rows_add(rows, others->ranges[i].from,
		                others->ranges[i].to - others->ranges[i].from + 1);
}

void outbox_rows_clear(struct outbox_rows *rows)
{
	free(rows->ranges);
	*rows = (struct outbox_rows){ 0 };
}
