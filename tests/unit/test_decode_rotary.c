/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "decode.h"

/** The positive direction, line 0 in bit 1: line 0 leads. */
static const unsigned forward[4] = { 0, 2, 3, 1 };

static unsigned phase_of(unsigned levels)
{
	unsigned i = 0;

	while (forward[i] != levels)
		i++;
	return i;
}

static void start(struct decode_rotary *rotary, int steps_per_detent, unsigned levels)
{
	*rotary = (struct decode_rotary){ .steps_per_detent = steps_per_detent };
	rotary_position_init(&rotary->position, &(struct decoder_config){ 0 });
	decode_rotary_start(rotary, 0, levels & 2U);
	decode_rotary_start(rotary, 1, levels & 1U);
	cr_assert_eq(rotary->levels, levels);
}

Test(decode_rotary, all_sixteen_transitions)
{
	for (unsigned from = 0; from < 4; from++) {
		for (unsigned to = 0; to < 4; to++) {
			unsigned way = (phase_of(to) - phase_of(from)) % 4;
			int expected = way == 0   ? 0
			               : way == 1 ? 1
			               : way == 3 ? -1
			                          : QUADRATURE_ILLEGAL;

			cr_assert_eq(quadrature_step(from, to), expected, "%u -> %u", from, to);
		}
	}
}

Test(decode_rotary, a_position_for_each_detent_in_both_directions)
{
	static const int sizes[] = { 1, 2, 4 };

	for (unsigned s = 0; s < 3; s++) {
		for (unsigned rest = 0; rest < 4; rest++) {
			for (int direction = -1; direction <= 1; direction += 2) {
				struct decode_rotary rotary;
				struct decoder_change change = { 0 };
				unsigned at = phase_of(rest);

				start(&rotary, sizes[s], rest);
				for (int step = 1; step <= 12; step++) {
					at = (at + (direction > 0 ? 1U : 3U)) % 4;
					bool due = step % sizes[s] == 0;

					cr_assert_eq(decode_rotary_levels(&rotary, forward[at],
					                                  (uint64_t)step, &change),
					             due);
					if (!due)
						continue;
					cr_assert_eq(change.type, DECODER_ROTATED);
					cr_assert_eq(change.time_ns, (uint64_t)step);
					cr_assert_eq(change.delta, direction);
					cr_assert_eq(change.position, direction * step / sizes[s]);
				}
				cr_assert_eq(rotary.illegal, 0);
			}
		}
	}
}

Test(decode_rotary, trembling_on_the_way_reports_nothing)
{
	struct decode_rotary rotary;
	struct decoder_change change;

	start(&rotary, 4, 0);
	for (unsigned i = 0; i < 100; i++) {
		cr_assert_not(decode_rotary_levels(&rotary, 2, i, &change));
		cr_assert_not(decode_rotary_levels(&rotary, 3, i, &change));
		cr_assert_not(decode_rotary_levels(&rotary, 1, i, &change));
		cr_assert_not(decode_rotary_levels(&rotary, 3, i, &change));
		cr_assert_not(decode_rotary_levels(&rotary, 2, i, &change));
		cr_assert_not(decode_rotary_levels(&rotary, 0, i, &change));
	}
	cr_assert_eq(rotary.position.value, 0);
}

Test(decode_rotary, illegal_transitions_are_counted_and_turn_nothing)
{
	static const unsigned pairs[4][2] = { { 0, 3 }, { 3, 0 }, { 1, 2 }, { 2, 1 } };

	for (unsigned i = 0; i < 4; i++) {
		struct decode_rotary rotary;
		struct decoder_change change;

		start(&rotary, 1, pairs[i][0]);
		cr_assert_not(decode_rotary_levels(&rotary, pairs[i][1], 1, &change));
		cr_assert_eq(rotary.illegal, 1);
		cr_assert_eq(rotary.position.value, 0);
		cr_assert_eq(rotary.levels, pairs[i][1]);
	}
}

/* Wherever a gap leaves the knob: at the next detent it is aligned again, and
 * a whole turn of a detent from there is one position. */
Test(decode_rotary, after_a_gap_positions_are_at_the_detents_again)
{
	static const int sizes[] = { 1, 2, 4 };

	for (unsigned s = 0; s < 3; s++) {
		for (unsigned before = 0; before < 4; before++) {
			for (unsigned after = 0; after < 4; after++) {
				struct decode_rotary rotary;
				struct decoder_change change;
				unsigned at;

				start(&rotary, sizes[s], 0);
				for (unsigned step = 1; step <= before; step++)
					decode_rotary_levels(&rotary, forward[step], 1, &change);
				int64_t position = rotary.position.value;

				decode_rotary_gap(&rotary, forward[after], 1);
				cr_assert_eq(rotary.position.value, position,
				             "a gap turns nothing");
				at = after;
				while (at % (unsigned)sizes[s] != 0) { /* back to the detent */
					at--;
					decode_rotary_levels(&rotary, forward[at], 2, &change);
				}
				cr_assert_eq(rotary.steps, 0);
				position = rotary.position.value;
				for (int step = 0; step < sizes[s]; step++) {
					at = (at + 1) % 4;
					decode_rotary_levels(&rotary, forward[at], 3, &change);
				}
				cr_assert_eq(rotary.position.value, position + 1);
			}
		}
	}
}

#define MS 1000000ULL

/** Step by step in one direction, @p ms between steps. @return positions passed. */
static int turn(struct decode_rotary *rotary, uint64_t *time_ns, int direction, int n, unsigned ms)
{
	struct decoder_change change;
	int passed = 0;

	for (int i = 0; i < n; i++) {
		unsigned at = (phase_of(rotary->levels) + (direction > 0 ? 1U : 3U)) % 4;

		passed += decode_rotary_levels(rotary, forward[at], *time_ns, &change);
		*time_ns += ms * MS;
	}
	return passed;
}

Test(decode_rotary, rest_is_where_the_knob_rests)
{
	for (int off = 2; off < 4; off++) {
		struct decode_rotary rotary;
		uint64_t now = 1000 * MS;

		start(&rotary, 4, 0);
		cr_assert_eq(turn(&rotary, &now, 1, off, 5), 0);
		now += 400 * MS - 5 * MS; /* a stay of 400 ms is long enough */
		cr_assert_eq(turn(&rotary, &now, 1, 4, 5), 1);
		cr_assert_eq(rotary.rest, forward[off]);
		cr_assert_not(rotary.proven);
		now += 400 * MS;
		cr_assert_eq(turn(&rotary, &now, -1, 4, 5), 1);
		cr_assert(rotary.proven);
		cr_assert_eq(rotary.position.value, 0);
	}
}

/* Whether one step from the start was into a detent or out of one is not known. */
Test(decode_rotary, one_step_from_the_start_proves_nothing)
{
	static const int sizes[] = { 2, 4 };

	for (unsigned s = 0; s < 2; s++) {
		struct decode_rotary rotary;
		uint64_t now = 1000 * MS;

		start(&rotary, sizes[s], 0);
		turn(&rotary, &now, 1, 1, 5);
		now += 1000 * MS;
		turn(&rotary, &now, 1, sizes[s], 5);
		cr_assert_eq(rotary.rest, 0);
		now += 1000 * MS;
		turn(&rotary, &now, 1, sizes[s], 5);
		cr_assert_eq(rotary.rest, forward[(1 + sizes[s]) % 4], "a whole turn does");
	}
}

Test(decode_rotary, a_shorter_stay_is_no_rest)
{
	struct decode_rotary rotary;
	uint64_t now = 1000 * MS;

	start(&rotary, 4, 0);
	turn(&rotary, &now, 1, 2, 0);
	now += 400 * MS - 1;
	cr_assert_eq(turn(&rotary, &now, 1, 2, 0), 1);
	cr_assert_eq(rotary.rest, 0);
}

Test(decode_rotary, a_knob_turned_slowly_rests_nowhere)
{
	struct decode_rotary rotary;
	uint64_t now = 1000 * MS;

	start(&rotary, 4, 0);
	cr_assert_eq(turn(&rotary, &now, 1, 40, 1000), 10);
	cr_assert_eq(turn(&rotary, &now, -1, 40, 3000), 10);
	cr_assert_eq(rotary.position.value, 0);
	cr_assert_eq(rotary.rest, 0);
}

Test(decode_rotary, a_proven_rest_moves_after_three_stays_in_a_row_elsewhere)
{
	struct decode_rotary rotary;
	uint64_t now = 1000 * MS;

	start(&rotary, 4, 0);
	turn(&rotary, &now, 1, 4, 5);
	now += 500 * MS;
	/* held at half a turn, at the detent's other side, and at half again */
	turn(&rotary, &now, 1, 2, 5);
	now += 500 * MS;
	turn(&rotary, &now, -1, 4, 5);
	now += 500 * MS;
	turn(&rotary, &now, 1, 3, 5);
	now += 500 * MS;
	cr_assert(rotary.proven);
	turn(&rotary, &now, -1, 1, 5);
	cr_assert_eq(rotary.steps, 0, "the detent is at 00 still");
	now += 500 * MS;
	for (int i = 0; i < 3; i++) {
		turn(&rotary, &now, i ? 1 : -1, i ? 4 : 2, 5);
		now += 500 * MS;
	}
	cr_assert_eq(rotary.rest, 0);
	cr_assert_eq(turn(&rotary, &now, 1, 4, 5), 1);
	cr_assert_eq(rotary.rest, 3, "the third stay moves it");
}

Test(decode_rotary, a_stay_after_a_gap_has_nothing_to_be_compared_with)
{
	struct decode_rotary rotary;
	uint64_t now = 1000 * MS;

	start(&rotary, 4, 0);
	turn(&rotary, &now, 1, 1, 0);
	decode_rotary_gap(&rotary, 3, now);
	now += 1000 * MS;
	turn(&rotary, &now, 1, 1, 5);
	cr_assert_eq(rotary.rest, 0);
}
