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
	cue_run_steps_begin(&p->run, start_ns, 0);
}

Test(run_steps, come_by_deadline_then_step)
{
	struct plan p = { .steps = { { .offset_ns = 20, .repeat = 1 },
		                     { .offset_ns = 0, .repeat = 3, .interval_ns = 10 },
		                     { .offset_ns = 10, .repeat = 2, .interval_ns = 10 } } };
	const uint32_t order[] = { 1, 2, 0 };
	const struct occurrence expected[] = {
		{ 0, 1, 0 }, { 10, 1, 1 }, { 10, 2, 0 }, { 20, 0, 0 }, { 20, 1, 2 }, { 20, 2, 1 },
	};
	struct occurrence next;

	plan_begin(&p, 3, order, 100);
	for (size_t i = 0; i < 6; i++) {
		cr_assert(cue_run_steps_peek(&p.run, &p.def, &next));
		cr_assert_eq(cue_run_steps_deadline(&p.run, next.at_ns), 100 + expected[i].at_ns);
		cr_assert_eq(next.step, expected[i].step);
		cr_assert_eq(next.repeat, expected[i].repeat);
		cue_run_steps_advance(&p.run, &p.def, 1);
	}
	cr_assert_not(cue_run_steps_peek(&p.run, &p.def, &next));
	cue_run_steps_advance(&p.run, &p.def, 1); /* nothing happens */
	cr_assert_not(cue_run_steps_peek(&p.run, &p.def, &next));
}

Test(run_steps, overdue_counts_what_is_older_than_the_newest)
{
	struct plan p = { .steps = { { .repeat = 5, .interval_ns = 10 }, { .repeat = 1 } } };
	const uint32_t order[] = { 0, 1 };
	struct occurrence first = { .at_ns = 100 };
	struct occurrence single = { .at_ns = 100, .step = 1 };

	plan_begin(&p, 2, order, 100);
	cr_assert_eq(cue_run_steps_overdue(&p.def, &first, 50), 0U);
	cr_assert_eq(cue_run_steps_overdue(&p.def, &first, 100), 0U);
	cr_assert_eq(cue_run_steps_overdue(&p.def, &first, 109), 0U);
	cr_assert_eq(cue_run_steps_overdue(&p.def, &first, 110), 1U);
	cr_assert_eq(cue_run_steps_overdue(&p.def, &first, 139), 3U);
	cr_assert_eq(cue_run_steps_overdue(&p.def, &first, UINT64_MAX), 4U);
	cr_assert_eq(cue_run_steps_overdue(&p.def, &single, UINT64_MAX), 0U);
	first.repeat = 3;
	cr_assert_eq(cue_run_steps_overdue(&p.def, &first, UINT64_MAX), 1U);
}

Test(run_steps, a_thousand_million_repeats_neither_drift_nor_overflow)
{
	const uint64_t interval_ns = CUE_DURATION_MAX_NS / 999999999U;
	struct plan p = { .steps = { { .repeat = 1000000000, .interval_ns = interval_ns } } };
	const uint32_t order[] = { 0 };
	struct occurrence next;

	plan_begin(&p, 1, order, 1ULL << 62);
	cue_run_steps_advance(&p.run, &p.def, 999999999);
	cr_assert(cue_run_steps_peek(&p.run, &p.def, &next));
	cr_assert_eq(cue_run_steps_deadline(&p.run, next.at_ns),
	             (1ULL << 62) + 999999999U * interval_ns);
	cr_assert_eq(next.repeat, 999999999U);
	cue_run_steps_advance(&p.run, &p.def, 1);
	cr_assert_not(cue_run_steps_peek(&p.run, &p.def, &next));
}

Test(run_steps, pass_leaves_what_is_after_it_and_counts_the_rest)
{
	struct plan p = { .steps = { { .offset_ns = 20, .repeat = 1 },
		                     { .offset_ns = 0, .repeat = 1000000000, .interval_ns = 10 },
		                     { .offset_ns = 15, .repeat = 2, .interval_ns = 10 } } };
	const uint32_t order[] = { 1, 2, 0 };
	struct occurrence next;

	plan_begin(&p, 3, order, 0);
	cr_assert_eq(cue_run_steps_pass(&p.run, &p.def, 20), 5U); /* 0, 10, 20; 15; 20 */
	cr_assert_eq(cue_run_steps_pass(&p.run, &p.def, 20), 0U);
	cr_assert(cue_run_steps_peek(&p.run, &p.def, &next));
	cr_assert_eq(next.at_ns, 25U);
	cr_assert_eq(next.step, 2U);
	cr_assert_eq(next.repeat, 1U);
	cr_assert_eq(cue_run_steps_pass(&p.run, &p.def, UINT64_MAX), 999999998U);
	cr_assert_not(cue_run_steps_peek(&p.run, &p.def, &next));
}

Test(run_steps, a_time_line_may_begin_before_the_clock)
{
	struct run_steps steps = { 0 };

	cue_run_steps_begin(&steps, 100, 100);
	cr_assert_eq(cue_run_steps_deadline(&steps, 0), 0U);
	cr_assert_eq(cue_run_steps_deadline(&steps, 7), 7U);
	cue_run_steps_begin(&steps, 100, 130);
	cr_assert_eq(cue_run_steps_deadline(&steps, 0), 0U);
	cr_assert_eq(cue_run_steps_deadline(&steps, 29), 0U);
	cr_assert_eq(cue_run_steps_deadline(&steps, 30), 0U);
	cr_assert_eq(cue_run_steps_deadline(&steps, 31), 1U);
	cr_assert_eq(cue_run_steps_deadline(&steps, 130), 100U);
	cr_assert_eq(cue_run_steps_deadline(&steps, CUE_DURATION_MAX_NS), CUE_DURATION_MAX_NS - 30);
}
