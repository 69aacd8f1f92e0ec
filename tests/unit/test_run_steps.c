/* SPDX-License-Identifier: Apache-2.0 */
#include "playlist_fixture.h"
#include "playlist_internal.h"

/** Steps with their order, as a definition has them. */
struct plan {
	struct playlist_step steps[4];
	uint32_t order[4];
	struct playlist_def def;
	struct occurrence heap[4];
	struct run_steps run;
};

static void plan_begin(struct plan *p, uint32_t n, const uint32_t *order, uint64_t start_ns)
{
	memcpy(p->order, order, n * sizeof(*order));
	p->def.steps = p->steps;
	p->def.order = p->order;
	p->def.n_steps = n;
	p->run.heap = p->heap;
	run_steps_begin(&p->run, start_ns);
}

Test(run_steps, come_by_deadline_then_step)
{
	struct plan p = { .steps = { { .offset_ns = 20, .repeat = 1 },
		                     { .offset_ns = 0, .repeat = 3, .interval_ns = 10 },
		                     { .offset_ns = 10, .repeat = 2, .interval_ns = 10 } } };
	const uint32_t order[] = { 1, 2, 0 };
	const struct occurrence expected[] = {
		{ 100, 1, 0 }, { 110, 1, 1 }, { 110, 2, 0 },
		{ 120, 0, 0 }, { 120, 1, 2 }, { 120, 2, 1 },
	};
	struct occurrence next;

	plan_begin(&p, 3, order, 100);
	for (size_t i = 0; i < 6; i++) {
		cr_assert(run_steps_peek(&p.run, &p.def, &next));
		cr_assert_eq(next.deadline_ns, expected[i].deadline_ns);
		cr_assert_eq(next.step, expected[i].step);
		cr_assert_eq(next.repeat, expected[i].repeat);
		run_steps_advance(&p.run, &p.def, 1);
	}
	cr_assert_not(run_steps_peek(&p.run, &p.def, &next));
	run_steps_advance(&p.run, &p.def, 1); /* nothing happens */
	cr_assert_not(run_steps_peek(&p.run, &p.def, &next));
}

Test(run_steps, overdue_counts_what_is_older_than_the_newest)
{
	struct plan p = { .steps = { { .repeat = 5, .interval_ns = 10 }, { .repeat = 1 } } };
	const uint32_t order[] = { 0, 1 };
	struct occurrence first = { .deadline_ns = 100 };
	struct occurrence single = { .deadline_ns = 100, .step = 1 };

	plan_begin(&p, 2, order, 100);
	cr_assert_eq(run_steps_overdue(&p.def, &first, 50), 0U);
	cr_assert_eq(run_steps_overdue(&p.def, &first, 100), 0U);
	cr_assert_eq(run_steps_overdue(&p.def, &first, 109), 0U);
	cr_assert_eq(run_steps_overdue(&p.def, &first, 110), 1U);
	cr_assert_eq(run_steps_overdue(&p.def, &first, 139), 3U);
	cr_assert_eq(run_steps_overdue(&p.def, &first, UINT64_MAX), 4U);
	cr_assert_eq(run_steps_overdue(&p.def, &single, UINT64_MAX), 0U);
	first.repeat = 3;
	cr_assert_eq(run_steps_overdue(&p.def, &first, UINT64_MAX), 1U);
}

Test(run_steps, a_thousand_million_repeats_neither_drift_nor_overflow)
{
	const uint64_t interval_ns = CUE_DURATION_MAX_NS / 999999999U;
	struct plan p = { .steps = { { .repeat = 1000000000, .interval_ns = interval_ns } } };
	const uint32_t order[] = { 0 };
	struct occurrence next;

	plan_begin(&p, 1, order, 1ULL << 62);
	run_steps_advance(&p.run, &p.def, 999999999);
	cr_assert(run_steps_peek(&p.run, &p.def, &next));
	cr_assert_eq(next.deadline_ns, (1ULL << 62) + 999999999U * interval_ns);
	cr_assert_eq(next.repeat, 999999999U);
	run_steps_advance(&p.run, &p.def, 1);
	cr_assert_not(run_steps_peek(&p.run, &p.def, &next));
}
