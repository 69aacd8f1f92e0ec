/* SPDX-License-Identifier: Apache-2.0 */
/* The time line of a run: which position it has at a time of the bus, and when a position comes.
 *
 * A run that nobody has steered needs only the time of its start: position = now - start. From the
 * first pause, seek or tempo on it has an anchor, a position at a time of the bus:
 *
 *   paused     | position                                     | position p comes
 *   -----------+----------------------------------------------+---------------------------------
 *   yes        | the anchor's                                 | never
 *   no         | anchor's + (now - anchor's time) * tempo     | at the first ns at or after it
 *
 * Positions are counted in millionths of a nanosecond and the tempo in millionths, so a change of
 * tempo at any time of the bus has an exact position, and no number of changes drifts. */
#include "playlist_internal.h"

#define MILLION CUE_TEMPO_AS_WRITTEN

uint64_t cue_run_position(const struct run *run, uint64_t now_ns)
{
	struct run_position position = cue_run_exact_position(run, now_ns);

	return position.at_ns;
}

/** `n * tempo` in millionths. Saturates, beyond any time line. */
static struct run_position times(uint64_t n_ns, uint32_t tempo, uint32_t fraction)
{
	uint64_t whole = n_ns / MILLION, rest = n_ns % MILLION * tempo + fraction;
	struct run_position product = { .fraction = (uint32_t)(rest % MILLION) };

	if (whole > UINT64_MAX / 2 / tempo)
		return (struct run_position){ .at_ns = UINT64_MAX / 2 };
	product.at_ns = whole * tempo + rest / MILLION;
	return product;
}

/** `n / tempo` of a position without fraction, rounded up after subtracting the fraction. */
static uint64_t divided(uint64_t n_ns, uint32_t tempo, uint32_t fraction)
{
	uint64_t whole = n_ns / tempo, rest = n_ns % tempo * MILLION;

	if (whole > UINT64_MAX / 2 / MILLION)
		return UINT64_MAX / 2;
	whole *= MILLION;
	if (rest >= fraction)
		return whole + (rest - fraction + tempo - 1) / tempo;
	/* A fraction is less than a nanosecond, which is at least one in `whole` or `rest`. */
	return whole - (fraction - rest) / tempo;
}

struct run_position cue_run_exact_position(const struct run *run, uint64_t now_ns)
{
	const struct run_line *line = run->line;
	struct run_position position;

	if (!line)
		return (struct run_position){ .at_ns = now_ns - run->steps.start_ns };
	if (line->paused || now_ns <= line->since_ns)
		return line->at;
	position = times(now_ns - line->since_ns, line->tempo, line->at.fraction);
	position.at_ns += line->at.at_ns;
	return position;
}

uint64_t cue_run_deadline(const struct run *run, uint64_t at_ns)
{
	const struct run_line *line = run->line;
	uint64_t ago_ns;

	if (!line)
		return cue_run_steps_deadline(&run->steps, at_ns);
	if (line->paused)
		return CUE_TIME_NONE;
	if (at_ns > line->at.at_ns)
		return line->since_ns +
		       divided(at_ns - line->at.at_ns, line->tempo, line->at.fraction);
	/* It was overdue when the line got its anchor. */
	ago_ns = divided(line->at.at_ns - at_ns, line->tempo, 0);
	return ago_ns < line->since_ns ? line->since_ns - ago_ns : 0;
}

struct run_line cue_run_line_now(const struct run *run)
{
	struct run_line line = { .tempo = MILLION };
	struct occurrence next = { 0 };

	if (run->line)
		line = *run->line;
	line.since_ns = cue_bus_now(run->set->bus);
	line.at = cue_run_exact_position(run, line.since_ns);
	if (cue_run_steps_peek(&run->steps, run->def, &next))
		line.pending_ns = next.at_ns;
	line.emitted_count = run->emitted_count;
	line.skipped_count = run->skipped_count;
	return line;
}

void cue_run_arm(struct run *run)
{
	struct occurrence next;

	if ((run->line && run->line->paused) || !cue_run_steps_peek(&run->steps, run->def, &next))
		cue_timer_disarm(run->timer);
	else
		cue_timer_arm(run->timer, cue_run_deadline(run, next.at_ns));
}
