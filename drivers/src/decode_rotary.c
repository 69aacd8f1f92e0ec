/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lines in quadrature. Line 0 leading is the positive direction: 00 -> 10 -> 11 -> 01 -> 00
 * (line 0 is the left digit).
 *
 *   from \ to |  00  |  01  |  10  |  11
 *   00        |   0  |  -1  |  +1  |  ill.
 *   01        |  +1  |   0  |  ill.|  -1
 *   10        |  -1  |  ill.|   0  |  +1
 *   11        | ill. |  +1  |  -1  |   0
 *
 * A detent is steps_per_detent steps. The position (rotary_position.c) changes only when the knob
 * reaches the next detent, so a knob that trembles at a detent, or a contact that bounces there,
 * reports nothing. After an illegal transition or a gap the number of steps since the last detent
 * is unknown. It is then computed from the levels: at a detent the levels are those of `rest`, or
 * with fewer than 4 steps a detent, levels at a multiple of steps_per_detent from them.
 *
 * `rest` is learnt, because encoders rest at 00 or at 11, and a knob may be between two detents at
 * the start. Levels are a place of rest if they stay for ROTARY_REST_NS, and ROTARY_REST_RATIO
 * times as long as the levels before: a knob falls into a detent quickly, while a slowly turned
 * knob stays equally long everywhere. The duration of a stay is known at the next step. The levels
 * at the start prove nothing, however long they stay.
 *
 *   rest     | stays at rest         | stays elsewhere
 *   assumed  | -> proven             | rest = here, steps = 0
 *   proven   | forget the candidate  | the candidate, for the third time in a row:
 *            |                       | rest = here, steps = 0 -> assumed; else count it
 *
 * Once the rest is proven, a hand that holds the knob between two detents does not change it, and a
 * wrongly proven rest is corrected later. A stay of ROTARY_REST_NS is enough to forget the
 * candidate.
 */
#include "decode.h"

/** Longer than one step by hand, shorter than a pause between turns. */
#define ROTARY_REST_NS    400000000ULL
#define ROTARY_REST_RATIO 4U

/** A step that is reversed within this time is bounce: the stay before it continues. */
#define ROTARY_BOUNCE_NS 20000000ULL

/** Number of consecutive stays elsewhere after which a proven rest moves. */
#define ROTARY_OUTVOTES 3

static const int quadrature[4][4] = {
	{ 0, -1, 1, QUADRATURE_ILLEGAL },
	{ 1, 0, QUADRATURE_ILLEGAL, -1 },
	{ -1, QUADRATURE_ILLEGAL, 0, 1 },
	{ QUADRATURE_ILLEGAL, 1, -1, 0 },
};

/** Position of each pair of levels in the cycle, in the positive direction. */
static const int phase[4] = { 0, 3, 1, 2 };

int quadrature_step(unsigned from, unsigned to)
{
	return quadrature[from & 3U][to & 3U];
}

void decode_rotary_start(struct decode_rotary *rotary, unsigned line, bool level)
{
	unsigned bit = line == 0 ? 2U : 1U;

	rotary->levels = level ? rotary->levels | bit : rotary->levels & ~bit;
	rotary->rest = rotary->levels;
	rotary->steps = 0;
	rotary->proven = false;
	rotary->n_candidate = 0;
	rotary->has_since = false;
	rotary->has_stay_before = false;
	rotary->has_before = false;
}

/** Steps from a detent to @p levels, 0 at one. */
static int steps_past_detent(const struct decode_rotary *rotary, unsigned rest, unsigned levels)
{
	return (phase[levels] - phase[rest] + 4) % rotary->steps_per_detent;
}

/** Steps since the detent, computed from the levels: the shorter way, forward if both are equal. */
static int steps_from_levels(const struct decode_rotary *rotary)
{
	int steps = steps_past_detent(rotary, rotary->rest, rotary->levels);

	if (2 * steps > rotary->steps_per_detent)
		return steps - rotary->steps_per_detent;
	return steps;
}

void decode_rotary_gap(struct decode_rotary *rotary, unsigned levels, uint64_t time_ns)
{
	rotary->levels = levels;
	rotary->steps = steps_from_levels(rotary);
	rotary->since_ns = time_ns;
	rotary->has_since = true;
	rotary->has_stay_before = false;
	rotary->has_before = false;
	rotary->judged = false;
}

/** Take the current levels as a detent. */
static void rest_here(struct decode_rotary *rotary)
{
	rotary->rest = rotary->levels;
	rotary->steps = 0;
	rotary->proven = false;
	rotary->n_candidate = 0;
}

/** The knob has rested at the current levels. */
static void rested(struct decode_rotary *rotary)
{
	if (steps_past_detent(rotary, rotary->rest, rotary->levels) == 0) {
		rotary->proven = true;
		rotary->n_candidate = 0;
		return;
	}
	if (!rotary->proven) {
		rest_here(rotary);
		return;
	}
	if (rotary->n_candidate > 0 &&
	    steps_past_detent(rotary, rotary->candidate, rotary->levels) == 0) {
		rotary->n_candidate++;
	} else {
		rotary->candidate = rotary->levels;
		rotary->n_candidate = 1;
	}
	if (rotary->n_candidate >= ROTARY_OUTVOTES)
		rest_here(rotary);
}

/** Evaluate the stay at the current levels, which ends at @p time_ns. */
static void end_stay(struct decode_rotary *rotary, uint64_t time_ns)
{
	uint64_t stay_ns = 0;

	if (!rotary->has_since)
		return;
	if (time_ns > rotary->since_ns)
		stay_ns = time_ns - rotary->since_ns;
	if (!rotary->judged && stay_ns >= ROTARY_REST_NS) {
		/* Even after a slow step: single holds must not add up against a proven rest. */
		if (steps_past_detent(rotary, rotary->rest, rotary->levels) == 0)
			rotary->n_candidate = 0;
		if (rotary->has_stay_before &&
		    stay_ns / ROTARY_REST_RATIO >= rotary->stay_before_ns)
			rested(rotary);
	}
	rotary->stay_before_ns = stay_ns;
	rotary->has_stay_before = true;
}

/** Update the times of the stays when @p levels follow the current ones at @p time_ns. */
static void follow_stays(struct decode_rotary *rotary, unsigned levels, uint64_t time_ns)
{
	bool bounced = rotary->has_before && levels == rotary->levels_before &&
	               time_ns - rotary->since_ns < ROTARY_BOUNCE_NS;

	if (bounced) {
		/* The stay before continues. */
		rotary->since_ns = rotary->since_before_ns;
		rotary->has_before = false;
		rotary->judged = true;
		return;
	}
	end_stay(rotary, time_ns);
	rotary->has_before = rotary->has_since;
	rotary->levels_before = rotary->levels;
	rotary->since_before_ns = rotary->since_ns;
	rotary->since_ns = time_ns;
	rotary->has_since = true;
	rotary->judged = false;
}

bool decode_rotary_levels(struct decode_rotary *rotary, unsigned levels, uint64_t time_ns,
                          struct decoder_change *change)
{
	int step = quadrature_step(rotary->levels, levels), direction;

	if (step == 0)
		return false;
	follow_stays(rotary, levels, time_ns);
	if (step == QUADRATURE_ILLEGAL) {
		rotary->illegal++;
		decode_rotary_gap(rotary, levels, time_ns);
		return false;
	}
	rotary->levels = levels;
	rotary->steps += step;
	if (rotary->steps > -rotary->steps_per_detent && rotary->steps < rotary->steps_per_detent)
		return false;
	direction = rotary->steps > 0 ? 1 : -1;
	rotary->steps = 0;
	*change = (struct decoder_change){ .type = DECODER_ROTATED, .time_ns = time_ns };
	return rotary_position_turn(&rotary->position, direction, time_ns, change);
}
