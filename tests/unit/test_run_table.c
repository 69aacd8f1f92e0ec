/* SPDX-License-Identifier: Apache-2.0 */
#include "playlist_fixture.h"
#include "playlist_internal.h"

enum { RUNS = 5000 };

static struct run *new_run(void)
{
	struct run *run = calloc(1, sizeof(*run));

	cr_assert_not_null(run);
	return run;
}

Test(run_table, finds_what_is_in_it_and_nothing_else)
{
	struct run_table table = { 0 };
	struct run **runs = calloc(RUNS, sizeof(struct run *));
	struct pf f = { .random = 3 };

	cr_assert_eq(cue_run_table_init(&table), 0);
	for (size_t i = 0; i < RUNS; i++) {
		runs[i] = new_run();
		pf_random(&f, runs[i]->id.bytes, sizeof(runs[i]->id.bytes));
		cr_assert_eq(cue_run_table_reserve(&table), 0);
		cue_run_table_insert(&table, runs[i]);
	}
	cr_assert_eq(table.n, (size_t)RUNS);
	for (size_t i = 0; i < RUNS; i += 2)
		cue_run_table_remove(&table, runs[i]);
	cr_assert_eq(table.n, (size_t)RUNS / 2);
	for (size_t i = 0; i < RUNS; i++)
		cr_assert_eq(cue_run_table_find(&table, &runs[i]->id), i % 2 ? runs[i] : NULL);
	cue_run_table_clear(&table);
	for (size_t i = 0; i < RUNS; i++)
		free(runs[i]);
	free(runs);
}

Test(run_table, ids_that_share_a_bucket_are_told_apart)
{
	struct run_table table = { 0 };
	struct run *runs[3];

	cr_assert_eq(cue_run_table_init(&table), 0);
	for (size_t i = 0; i < 3; i++) {
		runs[i] = new_run();
		runs[i]->id.bytes[15] = (uint8_t)i;
		cue_run_table_insert(&table, runs[i]);
	}
	cue_run_table_remove(&table, runs[1]);
	cr_assert_eq(cue_run_table_find(&table, &runs[0]->id), runs[0]);
	cr_assert_null(cue_run_table_find(&table, &runs[1]->id));
	cr_assert_eq(cue_run_table_find(&table, &runs[2]->id), runs[2]);
	cue_run_table_clear(&table);
	for (size_t i = 0; i < 3; i++)
		free(runs[i]);
}
