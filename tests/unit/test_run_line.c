/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of time lines: exact, and each the inverse of the other. */
#include "playlist_fixture.h"
#include "playlist_internal.h"

#define MILLION UINT64_C(1000000)

static struct run run_on(struct run_line *line)
{
	return (struct run){ .line = line };
}

Test(run_line, without_steering_it_is_the_time_since_the_start)
{
	struct run run = { .steps = { .start_ns = 100 } };

	cr_assert_eq(cue_run_position(&run, 100), 0U);
	cr_assert_eq(cue_run_position(&run, 142), 42U);
	cr_assert_eq(cue_run_deadline(&run, 42), 142U);
	run.steps = (struct run_steps){ .start_ns = (uint64_t)-100, .starts_before_zero = true };
	cr_assert_eq(cue_run_position(&run, 7), 107U);
	cr_assert_eq(cue_run_deadline(&run, 107), 7U);
	cr_assert_eq(cue_run_deadline(&run, 50), 0U);
}

Test(run_line, a_paused_one_stands_still_and_nothing_comes)
{
	struct run_line line = {
		.at = { .at_ns = 50 }, .since_ns = 1000, .tempo = 1000000, .paused = true
	};
	struct run run = run_on(&line);

	cr_assert_eq(cue_run_position(&run, 1000), 50U);
	cr_assert_eq(cue_run_position(&run, UINT64_MAX - 1), 50U);
	cr_assert_eq(cue_run_deadline(&run, 51), CUE_TIME_NONE);
}

Test(run_line, a_tempo_is_a_ratio_and_rounds_up_to_the_ns)
{
	struct run_line line = { .at = { .at_ns = 50 }, .since_ns = 1000, .tempo = 3000000 };
	struct run run = run_on(&line);

	cr_assert_eq(cue_run_position(&run, 1001), 53U);
	cr_assert_eq(cue_run_deadline(&run, 50), 1000U);
	cr_assert_eq(cue_run_deadline(&run, 51), 1001U, "not before it is reached");
	cr_assert_eq(cue_run_deadline(&run, 53), 1001U);
	cr_assert_eq(cue_run_deadline(&run, 54), 1002U);
	line.tempo = 500000;
	cr_assert_eq(cue_run_position(&run, 1003), 51U);
	cr_assert_eq(cue_run_exact_position(&run, 1003).fraction, 500000U);
	cr_assert_eq(cue_run_deadline(&run, 51), 1002U);
}

Test(run_line, a_fraction_of_a_ns_is_kept)
{
	struct run_line line = { .at = { .at_ns = 50, .fraction = 999999 },
		                 .since_ns = 1000,
		                 .tempo = CUE_TEMPO_MIN };
	struct run run = run_on(&line);

	/* A millionth is missing; one ns adds ten thousand. */
	cr_assert_eq(cue_run_deadline(&run, 51), 1001U);
	cr_assert_eq(cue_run_position(&run, 1001), 51U);
	cr_assert_eq(cue_run_exact_position(&run, 1001).fraction, 9999U);
	line.tempo = CUE_TEMPO_MAX;
	cr_assert_eq(cue_run_deadline(&run, 51), 1001U);
	cr_assert_eq(cue_run_deadline(&run, 150), 1001U);
	cr_assert_eq(cue_run_deadline(&run, 151), 1002U);
}

/** Whole and rest apart, whatever the numbers: the first time at which the position is reached. */
Test(run_line, a_deadline_is_the_first_time_of_its_position)
{
	uint64_t x = 1;

	for (unsigned i = 0; i < 200000; i++) {
		struct run_line line;
		struct run run = run_on(&line);
		uint64_t at_ns, due_ns;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		line = (struct run_line){
			.at = { .at_ns = x % CUE_DURATION_MAX_NS,
			        .fraction = (uint32_t)((x >> 20) % MILLION) },
			.since_ns = (x >> 7) % CUE_DURATION_MAX_NS,
			.tempo = (uint32_t)(CUE_TEMPO_MIN +
			                    (x >> 33) % (CUE_TEMPO_MAX - CUE_TEMPO_MIN + 1)),
		};
		at_ns = line.at.at_ns + 1 + (x >> 11) % (i % 2 ? 1000 : CUE_DURATION_MAX_NS);
		due_ns = cue_run_deadline(&run, at_ns);
		cr_assert_gt(due_ns, line.since_ns);
		cr_assert_geq(cue_run_position(&run, due_ns), at_ns, "%u", i);
		cr_assert_lt(cue_run_position(&run, due_ns - 1), at_ns, "%u", i);
	}
}

Test(run_line, what_was_overdue_at_its_anchor_stays_overdue)
{
	struct run_line line = { .at = { .at_ns = 50 }, .since_ns = 1000, .tempo = 2000000 };
	struct run run = run_on(&line);

	cr_assert_eq(cue_run_deadline(&run, 40), 995U);
	line.since_ns = 3;
	cr_assert_eq(cue_run_deadline(&run, 40), 0U);
}

Test(run_line, no_time_overflows)
{
	struct run_line line = { .tempo = CUE_TEMPO_MAX };
	struct run run = run_on(&line);

	cr_assert_geq(cue_run_position(&run, UINT64_MAX - 1), CUE_DURATION_MAX_NS);
	line.tempo = CUE_TEMPO_MIN;
	cr_assert_geq(cue_run_deadline(&run, CUE_DURATION_MAX_NS), CUE_DURATION_MAX_NS);
	cr_assert_lt(cue_run_deadline(&run, CUE_DURATION_MAX_NS), CUE_TIME_NONE);
}
