/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lines in quadrature. Line 0 leading is the positive direction:
 * 00 -> 10 -> 11 -> 01 -> 00 (line 0 is the left digit).
 *
 *   from \ to |  00  |  01  |  10  |  11
 *   00        |   0  |  -1  |  +1  |  ill.
 *   01        |  +1  |   0  |  ill.|  -1
 *   10        |  -1  |  ill.|   0  |  +1
 *   11        | ill. |  +1  |  -1  |   0
 *
 * A position is steps_per_detent steps. It changes only when the whole way to
 * the next detent was made, so a knob that trembles at a detent, or a contact
 * that bounces there, reports nothing. Where the steps between detents are not
 * known any more (an illegal transition, a gap), they follow from the levels:
 * at a detent the levels are those of the start, or for fewer than 4 steps a
 * detent, some that lie a multiple of steps_per_detent from them.
 */
#include "decode.h"

static const int quadrature[4][4] = {
	{ 0, -1, 1, QUADRATURE_ILLEGAL },
	{ 1, 0, QUADRATURE_ILLEGAL, -1 },
	{ -1, QUADRATURE_ILLEGAL, 0, 1 },
	{ QUADRATURE_ILLEGAL, 1, -1, 0 },
};

/** Place of each pair of levels in the positive direction. */
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
}

/** Steps since the detent, as the levels tell: the nearest way, forward when both are as far. */
static int steps_from_levels(const struct decode_rotary *rotary)
{
	int steps = (phase[rotary->levels] - phase[rotary->rest] + 4) % rotary->steps_per_detent;

	if (2 * steps > rotary->steps_per_detent)
		return steps - rotary->steps_per_detent;
	return steps;
}

void decode_rotary_gap(struct decode_rotary *rotary, unsigned levels)
{
	rotary->levels = levels;
	rotary->steps = steps_from_levels(rotary);
}

bool decode_rotary_levels(struct decode_rotary *rotary, unsigned levels, uint64_t time_ns,
                          struct decoder_change *change)
{
	int step = quadrature_step(rotary->levels, levels);

	if (step == QUADRATURE_ILLEGAL) {
		rotary->illegal++;
		decode_rotary_gap(rotary, levels);
		return false;
	}
	rotary->levels = levels;
	rotary->steps += step;
	if (rotary->steps > -rotary->steps_per_detent && rotary->steps < rotary->steps_per_detent)
		return false;
	*change = (struct decoder_change){
		.type = DECODER_ROTATED,
		.time_ns = time_ns,
		.delta = rotary->steps > 0 ? 1 : -1,
	};
	rotary->steps = 0;
	rotary->position += change->delta;
	change->position = rotary->position;
	return true;
}
