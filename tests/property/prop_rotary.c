/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rotary encoder against a simulated knob: the model knows where the detents are, the decoder
 * only sees edges. The knob may start between two detents and settles at one. From then on each
 * detent is one event, for any movement: slow, held half way, bouncing, trembling, back and forth.
 * If one step was enough to settle, or edges were lost before the detents were known, this holds
 * after one more turn.
 */
#include <drivers/decoder.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MS    1000000ULL
#define TURNS 40

/** Levels in the positive direction, line 0 in bit 1. */
static const unsigned forward[4] = { 0, 2, 3, 1 };

struct knob {
	struct decoder *decoder;
	uint64_t rng, now_ns, debounce_ns;
	int steps_per_detent;
	int at;         /* quarter steps; a multiple of steps_per_detent is a detent */
	unsigned phase; /* of the levels at quarter step 0 */
	unsigned levels;
	bool bounces, slow;
	int64_t position; /* what the decoder said last */
	unsigned n_events;
	bool wrong_delta;
};

static unsigned below(struct knob *knob, unsigned n)
{
	uint64_t z = knob->rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (unsigned)((z ^ (z >> 31)) % n);
}

static void take(struct knob *knob, const struct decoder_change *changes, int n)
{
	for (int i = 0; i < n; i++) {
		if (changes[i].type != DECODER_ROTATED ||
		    changes[i].position != knob->position + changes[i].delta)
			knob->wrong_delta = true;
		knob->position = changes[i].position;
		knob->n_events++;
	}
}

static void wait(struct knob *knob, uint64_t ns)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];

	knob->now_ns += ns;
	take(knob, changes, decoder_tick(knob->decoder, knob->now_ns, changes));
}

static void edge(struct knob *knob, unsigned line, bool level)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];

	take(knob, changes, decoder_edge(knob->decoder, line, level, knob->now_ns, changes));
}

static unsigned levels_at(const struct knob *knob, int at)
{
	return forward[((unsigned)at + knob->phase) & 3U];
}

/** One quarter step; the line that moves may bounce. */
static void step(struct knob *knob, int direction)
{
	unsigned to = levels_at(knob, knob->at + direction), moved = to ^ knob->levels;
	unsigned line = moved == 2 ? 0 : 1;
	bool level = to & moved;

	edge(knob, line, level);
	for (unsigned n = knob->bounces ? below(knob, 3) : 0; n > 0; n--) {
		wait(knob, MS / 10);
		edge(knob, line, !level);
		wait(knob, MS / 10);
		edge(knob, line, level);
	}
	knob->at += direction;
	knob->levels = to;
}

/** Turn by @p n quarter steps; @p hold: after that many of them the hand stays. 0: nowhere. */
static void turn(struct knob *knob, int direction, int n, int hold)
{
	for (int i = 1; i <= n; i++) {
		step(knob, direction);
		wait(knob, (knob->slow ? 500U : 4U + below(knob, 20)) * MS + knob->debounce_ns);
		if (knob->slow)
			wait(knob, below(knob, 700) * MS);
		if (i == hold)
			wait(knob, 500 * MS + below(knob, 1000) * MS);
	}
}

static void rest(struct knob *knob)
{
	wait(knob, 410 * MS + below(knob, 2000) * MS);
}

/** Forth and back within a detent. */
static void tremble(struct knob *knob)
{
	int n = (int)below(knob, (unsigned)knob->steps_per_detent);
	int direction = below(knob, 2) ? 1 : -1;

	turn(knob, direction, n, 0);
	turn(knob, -direction, n, 0);
}

/** The knob turns on unseen; the driver notices and reads the levels. */
static void lose(struct knob *knob)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];

	knob->at += (int)below(knob, 9) - 4;
	knob->levels = levels_at(knob, knob->at);
	for (unsigned line = 0; line < 2; line++)
		take(knob, changes,
		     decoder_resync(knob->decoder, line, knob->levels & (line == 0 ? 2U : 1U),
		                    knob->now_ns, changes));
}

/** Turn by less than a whole detent to the next one on either side. @return steps. */
static int settle(struct knob *knob)
{
	int off = ((knob->at % knob->steps_per_detent) + knob->steps_per_detent) %
	          knob->steps_per_detent;

	if (off > 0 && below(knob, 2)) {
		off = knob->steps_per_detent - off;
		turn(knob, 1, off, 0);
	} else {
		turn(knob, -1, off, 0);
	}
	return off;
}

/** Turn to a detent, whether or not it is counted. */
static void warm_up(struct knob *knob)
{
	turn(knob, below(knob, 2) ? 1 : -1, knob->steps_per_detent, 0);
	rest(knob);
}

static bool fail(const struct knob *knob, unsigned long long seed, unsigned i, int64_t expected)
{
	fprintf(stderr,
	        "seed %llu, turn %u, %d steps a detent: at position %lld after %u events, "
	        "expected %lld\n",
	        seed, i, knob->steps_per_detent, (long long)knob->position, knob->n_events,
	        (long long)expected);
	return false;
}

static bool turns(struct knob *knob, unsigned long long seed)
{
	unsigned rests = 0; /* at a detent, since the start */

	for (unsigned i = 0; i < TURNS; i++) {
		int direction = below(knob, 2) ? 1 : -1, detents = (int)below(knob, 4);
		int n = detents * knob->steps_per_detent, hold = 0;
		int64_t expected = knob->position + direction * detents;
		unsigned events = knob->n_events + (unsigned)detents;

		if (rests >= 2 && n > 0 && below(knob, 3) == 0)
			hold = 1 + (int)below(knob, (unsigned)n);
		/* Not one after the other: a fast turn that stops is a rest. */
		if (below(knob, 3) == 0)
			tremble(knob);
		else
			knob->slow = hold == 0 && below(knob, 3) == 0;
		turn(knob, direction, n, hold);
		rests += n > 0 && !knob->slow;
		knob->slow = false;
		rest(knob);
		/* Where each step is a position, each bounce is a turn and its return. */
		if (knob->steps_per_detent == 1 && knob->bounces && knob->debounce_ns == 0)
			events = knob->n_events;
		if (knob->position != expected || knob->n_events != events || knob->wrong_delta)
			return fail(knob, seed, i, expected);
		if (below(knob, 12) == 0) {
			lose(knob);
			settle(knob);
			rest(knob);
			if (rests < 2)
				warm_up(knob);
		}
	}
	return true;
}

static bool one(unsigned long long seed)
{
	static const unsigned sizes[] = { 1, 2, 4 };
	struct knob knob = { .rng = seed * 0x2545f4914f6cdd1dULL, .now_ns = 1000 * MS };
	struct decoder_change changes[DECODER_CHANGES_MAX];
	bool ok;

	knob.steps_per_detent = (int)sizes[below(&knob, 3)];
	knob.phase = below(&knob, 4);
	knob.at = (int)below(&knob, 4);
	knob.bounces = below(&knob, 2);
	knob.debounce_ns = below(&knob, 2) ? MS : 0;
	knob.levels = levels_at(&knob, knob.at);
	if (decoder_new(
	            &(struct decoder_config){
	                    .kind = DECODER_ROTARY,
	                    .debounce_ns = knob.debounce_ns,
	                    .steps_per_detent = (unsigned)knob.steps_per_detent,
	            },
	            &knob.decoder) < 0)
		abort();
	for (unsigned line = 0; line < 2; line++)
		take(&knob, changes,
		     decoder_start(knob.decoder, line, knob.levels & (line == 0 ? 2U : 1U),
		                   knob.now_ns, changes));
	rest(&knob);
	if (settle(&knob) == 1) {
		rest(&knob);
		warm_up(&knob);
	} else {
		rest(&knob);
	}
	ok = turns(&knob, seed);
	decoder_free(knob.decoder);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned long long cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 5000;
	unsigned long long first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	for (unsigned long long seed = first; seed < first + cases; seed++) {
		if (one(seed))
			continue;
		fprintf(stderr, "again with: %s 1 %llu\n", argv[0], seed);
		return 1;
	}
	printf("%llu knobs count their detents\n", cases);
	return 0;
}
