/* SPDX-License-Identifier: Apache-2.0 */
/* A run's occurrences in order of (time since its start, step). A step's first occurrence comes
 * from the definition's sorted order, which all runs share. Only steps that repeat take memory in
 * the run, so a run of a long playlist stays small. Two occurrences of one step are never at the
 * same time (interval > 0). */
#include "playlist_internal.h"

static bool before(const struct occurrence *a, const struct occurrence *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	return a->step < b->step;
}

static void swap(struct occurrence *a, struct occurrence *b)
{
	struct occurrence t = *a;

	*a = *b;
	*b = t;
}

static void sift_up(struct occurrence *heap, uint32_t i)
{
	while (i > 0 && before(&heap[i], &heap[(i - 1) / 2])) {
		swap(&heap[i], &heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct occurrence *heap, uint32_t n, uint32_t i)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &heap[i]))
			return;
		swap(&heap[i], &heap[child]);
		i = child;
	}
}

void cue_run_steps_begin(struct run_steps *steps, uint64_t now_ns, uint64_t elapsed_ns)
{
	steps->start_ns = now_ns - elapsed_ns;
	steps->starts_before_zero = elapsed_ns > now_ns;
	steps->next_first = 0;
	steps->n_heap = 0;
}

uint64_t cue_run_steps_deadline(const struct run_steps *steps, uint64_t at_ns)
{
	uint64_t deadline_ns = steps->start_ns + at_ns;

	/* The sum wraps exactly when it passes zero. */
	return steps->starts_before_zero && deadline_ns >= steps->start_ns ? 0 : deadline_ns;
}

/** The first occurrence of the next step that has not begun. */
static bool peek_first(const struct run_steps *steps, const struct playlist_def *def,
                       struct occurrence *ret_first)
{
	uint32_t step;

	if (steps->next_first == def->n_steps)
		return false;
	step = def->order[steps->next_first];
	*ret_first = (struct occurrence){
		.at_ns = def->steps[step].offset_ns,
		.step = step,
	};
	return true;
}

/** @param ret_is_first whether the occurrence is its step's first. */
static bool peek(const struct run_steps *steps, const struct playlist_def *def,
                 struct occurrence *ret_next, bool *ret_is_first)
{
	bool have_first = peek_first(steps, def, ret_next);

	*ret_is_first = have_first && (steps->n_heap == 0 || before(ret_next, &steps->heap[0]));
	if (!*ret_is_first && steps->n_heap > 0)
		*ret_next = steps->heap[0];
	return have_first || steps->n_heap > 0;
}

bool cue_run_steps_peek(const struct run_steps *steps, const struct playlist_def *def,
                        struct occurrence *ret_next)
{
	bool is_first;

	return peek(steps, def, ret_next, &is_first);
}

void cue_run_steps_advance(struct run_steps *steps, const struct playlist_def *def, uint32_t n)
{
	struct occurrence next;
	const struct playlist_step *step;
	bool is_first;

	if (!peek(steps, def, &next, &is_first))
		return;
	step = &def->steps[next.step];
	next.repeat += n;
	next.at_ns += n * step->interval_ns;
	if (is_first) {
		steps->next_first++;
		if (next.repeat < step->repeat) {
			steps->heap[steps->n_heap++] = next;
			sift_up(steps->heap, steps->n_heap - 1);
		}
		return;
	}
	steps->heap[0] = next.repeat < step->repeat ? next : steps->heap[--steps->n_heap];
	sift_down(steps->heap, steps->n_heap, 0);
}

uint32_t cue_run_steps_overdue(const struct playlist_def *def, const struct occurrence *next,
                               uint64_t horizon_ns)
{
	const struct playlist_step *step = &def->steps[next->step];
	uint32_t left = step->repeat - 1 - next->repeat;
	uint64_t overdue;

	if (left == 0 || horizon_ns <= next->at_ns)
		return 0;
	overdue = (horizon_ns - next->at_ns) / step->interval_ns;
	return overdue < left ? (uint32_t)overdue : left;
}

uint64_t cue_run_steps_pass(struct run_steps *steps, const struct playlist_def *def,
                            uint64_t through_ns)
{
	struct occurrence next;
	uint64_t passed = 0;

	while (cue_run_steps_peek(steps, def, &next) && next.at_ns <= through_ns) {
		uint32_t n = cue_run_steps_overdue(def, &next, through_ns) + 1;

		cue_run_steps_advance(steps, def, n);
		passed += n;
	}
	return passed;
}

/** Occurrences of a step before @p at_ns. */
static uint32_t count_before(const struct playlist_step *step, uint64_t at_ns)
{
	uint64_t n;

	if (at_ns <= step->offset_ns)
		return 0;
	if (step->repeat == 1)
		return 1;
	n = (at_ns - step->offset_ns - 1) / step->interval_ns + 1;
	return n < step->repeat ? (uint32_t)n : step->repeat;
}

uint64_t cue_run_steps_rank(const struct playlist_def *def, uint64_t at_ns)
{
	uint64_t rank = 0;

	for (uint32_t i = 0; i < def->n_steps; i++)
		rank += count_before(&def->steps[i], at_ns);
	return rank;
}

uint64_t cue_run_steps_count(const struct run_steps *steps, const struct playlist_def *def,
                             uint64_t at_ns)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < steps->n_heap; i++) {
		const struct occurrence *next = &steps->heap[i];
		uint32_t before_at = count_before(&def->steps[next->step], at_ns);

		n += before_at > next->repeat ? before_at - next->repeat : 0;
	}
	for (uint32_t i = steps->next_first; i < def->n_steps; i++)
		n += count_before(&def->steps[def->order[i]], at_ns);
	return n;
}

void cue_run_steps_seek(struct run_steps *steps, const struct playlist_def *def, uint64_t at_ns)
{
	steps->next_first = 0;
	steps->n_heap = 0;
	for (; steps->next_first < def->n_steps; steps->next_first++) {
		uint32_t i = def->order[steps->next_first];
		const struct playlist_step *step = &def->steps[i];
		struct occurrence next = { .step = i, .repeat = count_before(step, at_ns) };

		if (next.repeat == 0)
			return;
		if (next.repeat == step->repeat)
			continue;
		next.at_ns = step->offset_ns + next.repeat * step->interval_ns;
		steps->heap[steps->n_heap++] = next;
		sift_up(steps->heap, steps->n_heap - 1);
	}
}
