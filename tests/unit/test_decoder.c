/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>

#include <drivers/decoder.h>

#define MS        1000000ULL
#define EDGES_MAX 80U

struct edge {
	uint64_t time_ns;
	unsigned line;
	bool level;
};

struct log {
	struct decoder_change changes[2 * EDGES_MAX];
	unsigned n;
};

static struct decoder *make(enum decoder_kind kind, uint64_t debounce_ns)
{
	struct decoder_config config = { .kind = kind, .debounce_ns = debounce_ns };
	struct decoder *decoder = NULL;

	cr_assert_eq(decoder_new(&config, &decoder), 0);
	return decoder;
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

Test(decoder, refuses_what_there_is_not)
{
	struct decoder_config config = { .kind = (enum decoder_kind)99 };
	struct decoder *decoder = NULL;

	cr_assert_eq(decoder_new(&config, &decoder), -EINVAL);
	config = (struct decoder_config){ .kind = DECODER_ROTARY, .steps_per_detent = 3 };
	cr_assert_eq(decoder_new(&config, &decoder), -EINVAL);
	cr_assert_null(decoder);
	cr_assert_null(decoder_free(NULL));
}

Test(decoder, lines_there_are_not_are_ignored)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct decoder *decoder = make(DECODER_BUTTON, 0);

	cr_assert_eq(decoder_start(decoder, 1, true, 0, changes), 0);
	cr_assert_eq(decoder_edge(decoder, 1, true, 0, changes), 0);
	cr_assert_eq(decoder_resync(decoder, 1, true, 0, changes), 0);
	cr_assert_eq(decoder_deadline(decoder), UINT64_MAX);
	decoder_free(decoder);
}

Test(decoder, a_bounced_press_is_one_press_at_its_first_edge)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct decoder *decoder = make(DECODER_BUTTON, 20 * MS);
	struct decoder_stats stats;

	decoder_start(decoder, 0, false, 0, changes);
	cr_assert_eq(decoder_edge(decoder, 0, true, 100 * MS, changes), 0);
	cr_assert_eq(decoder_edge(decoder, 0, false, 101 * MS, changes), 0);
	cr_assert_eq(decoder_edge(decoder, 0, true, 102 * MS, changes), 0);
	cr_assert_eq(decoder_deadline(decoder), 122 * MS);
	cr_assert_eq(decoder_tick(decoder, 122 * MS - 1, changes), 0);
	cr_assert_eq(decoder_tick(decoder, 122 * MS, changes), 1);
	cr_assert_eq(changes[0].type, DECODER_PRESSED);
	cr_assert_eq(changes[0].time_ns, 100 * MS);
	cr_assert_eq(decoder_deadline(decoder), UINT64_MAX);
	decoder_get_stats(decoder, &stats);
	cr_assert_eq(stats.bounces, 2);
	decoder_free(decoder);
}

Test(decoder, a_late_wake_up_never_turns_a_short_press_into_a_long_one)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct decoder *decoder = make(DECODER_BUTTON, 20 * MS);

	/* Pressed for 50 ms, and not read for 10 s. */
	decoder_start(decoder, 0, false, 0, changes);
	cr_assert_eq(decoder_edge(decoder, 0, true, 1000 * MS, changes), 0);
	cr_assert_eq(decoder_edge(decoder, 0, false, 1050 * MS, changes), 1);
	cr_assert_eq(changes[0].type, DECODER_PRESSED);
	cr_assert_eq(changes[0].time_ns, 1000 * MS);
	cr_assert_eq(decoder_tick(decoder, 11000 * MS, changes), 1);
	cr_assert_eq(changes[0].type, DECODER_RELEASED);
	cr_assert_eq(changes[0].time_ns, 1050 * MS);
	cr_assert_eq(changes[0].held_ns, 50 * MS);
	decoder_free(decoder);
}

static void keep(struct log *log, const struct decoder_change *changes, int n)
{
	for (int i = 0; i < n; i++)
		log->changes[log->n++] = changes[i];
}

/** Feed @p edges; a punctual caller serves every deadline, a late one none before the end. */
static void run(const struct decoder_config *config, const struct edge *edges, unsigned n,
                bool punctual, struct log *log, struct decoder_stats *ret_stats)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct decoder *decoder = NULL;

	cr_assert_eq(decoder_new(config, &decoder), 0);
	for (unsigned line = 0; line < 2; line++)
		keep(log, changes, decoder_start(decoder, line, false, 0, changes));
	for (unsigned i = 0; i < n; i++) {
		while (punctual && decoder_deadline(decoder) < edges[i].time_ns)
			keep(log, changes,
			     decoder_tick(decoder, decoder_deadline(decoder), changes));
		keep(log, changes,
		     decoder_edge(decoder, edges[i].line, edges[i].level, edges[i].time_ns,
		                  changes));
	}
	while (decoder_deadline(decoder) != UINT64_MAX)
		keep(log, changes, decoder_tick(decoder, decoder_deadline(decoder), changes));
	decoder_get_stats(decoder, ret_stats);
	decoder_free(decoder);
}

static bool is_same(const struct decoder_change *a, const struct decoder_change *b)
{
	return a->type == b->type && a->time_ns == b->time_ns && a->state == b->state &&
	       a->initial == b->initial && a->position == b->position && a->delta == b->delta &&
	       a->count == b->count && a->held_ns == b->held_ns && a->interval_ns == b->interval_ns;
}

Test(decoder, late_and_punctual_callers_get_the_same_changes)
{
	uint64_t random = 0x9e3779b97f4a7c15ULL;

	for (unsigned round = 0; round < 8000; round++) {
		struct decoder_config config = {
			.kind = (enum decoder_kind)(round % 4),
			.debounce_ns = random_next(&random) % 20,
			.steps_per_detent = 1U << random_next(&random) % 3,
		};
		unsigned n = (unsigned)(random_next(&random) % EDGES_MAX);
		unsigned n_lines = config.kind == DECODER_ROTARY ? 2 : 1;
		struct log punctual = { 0 }, late = { 0 };
		struct decoder_stats a, b;
		struct edge edges[EDGES_MAX];
		bool levels[2] = { false, false };
		uint64_t time_ns = 1;

		for (unsigned i = 0; i < n; i++) {
			unsigned line = (unsigned)(random_next(&random) % n_lines);

			time_ns += random_next(&random) % 3 ? random_next(&random) % 6
			                                    : random_next(&random) % 60;
			levels[line] = !levels[line];
			edges[i] = (struct edge){ time_ns, line, levels[line] };
		}
		run(&config, edges, n, true, &punctual, &a);
		run(&config, edges, n, false, &late, &b);
		cr_assert_eq(punctual.n, late.n, "round %u", round);
		for (unsigned i = 0; i < late.n; i++)
			cr_assert(is_same(&punctual.changes[i], &late.changes[i]), "round %u",
			          round);
		cr_assert_eq(a.bounces, b.bounces);
		cr_assert_eq(a.illegal, b.illegal);
		for (unsigned i = 1; i < late.n; i++)
			cr_assert(config.kind == DECODER_ROTARY ||
			          late.changes[i - 1].time_ns <= late.changes[i].time_ns);
	}
}

/** Turn a knob whose contacts bounce on every edge, each for up to @p bounce_ns. */
static unsigned bouncy_turn(struct edge *edges, int direction, unsigned detents, uint64_t bounce_ns,
                            uint64_t *random)
{
	bool levels[2] = { false, false };
	unsigned n = 0;

	for (unsigned step = 0; step < 4 * detents; step++) {
		unsigned line = direction > 0 ? step % 2 : (step + 1) % 2;
		uint64_t time_ns = 1000 + 100 * (uint64_t)step;
		unsigned bounces = (unsigned)(random_next(random) % 3);

		levels[line] = !levels[line];
		for (unsigned i = 0; i <= 2 * bounces; i++)
			edges[n++] = (struct edge){ time_ns + i * bounce_ns / 6, line,
				                    i % 2 ? !levels[line] : levels[line] };
	}
	return n;
}

Test(decoder, a_bouncing_knob_turns_as_far_as_it_was_turned)
{
	uint64_t random = 0x123456789abcdefULL;

	for (unsigned round = 0; round < 500; round++) {
		/* one debounce longer than a bounce, and none: quadrature bears it by itself */
		struct decoder_config config = { .kind = DECODER_ROTARY,
			                         .debounce_ns = round % 2 ? 30 : 0 };
		int direction = random_next(&random) % 2 ? 1 : -1;
		struct decoder_stats stats;
		struct log log = { 0 };
		struct edge edges[EDGES_MAX];
		unsigned n = bouncy_turn(edges, direction, 3, 60, &random);

		run(&config, edges, n, round % 4 < 2, &log, &stats);
		cr_assert_eq(log.n, 3, "round %u: %u", round, log.n);
		cr_assert_eq(log.changes[2].position, 3 * direction);
		cr_assert_eq(stats.illegal, 0);
	}
}

Test(decoder, a_line_that_bounces_longer_does_not_turn_the_direction_round)
{
	static const struct edge edges[] = {
		/* line 0 first and bouncing, line 1 clean: settles before line 0 does */
		{ 1000, 0, true },
		{ 1030, 1, true },
		{ 1050, 0, false },
		{ 1060, 0, true },
	};
	struct decoder_config config = { .kind = DECODER_ROTARY,
		                         .debounce_ns = 70,
		                         .steps_per_detent = 2 };
	struct decoder_stats stats;
	struct log log = { 0 };

	run(&config, edges, 4, true, &log, &stats);
	cr_assert_eq(log.n, 1);
	cr_assert_eq(log.changes[0].delta, 1);
	cr_assert_eq(log.changes[0].time_ns, 1030);
}

Test(decoder, an_edge_to_the_level_there_is_makes_a_rotary_doubt)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct decoder *decoder = make(DECODER_ROTARY, 0);
	struct decoder_stats stats;

	decoder_start(decoder, 0, false, 0, changes);
	decoder_start(decoder, 1, false, 0, changes);
	cr_assert_eq(decoder_edge(decoder, 0, true, 1, changes), 0);
	cr_assert_eq(decoder_edge(decoder, 0, true, 2, changes), 0);
	decoder_get_stats(decoder, &stats);
	cr_assert_eq(stats.illegal, 1);
	decoder_free(decoder);
}

Test(decoder, resync_takes_the_level_through_the_debounce)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct decoder *decoder = make(DECODER_BUTTON, 20 * MS);

	decoder_start(decoder, 0, false, 0, changes);
	/* The same level: no event is invented for lost edges. */
	cr_assert_eq(decoder_resync(decoder, 0, false, 1 * MS, changes), 0);
	cr_assert_eq(decoder_deadline(decoder), UINT64_MAX);
	/* Lost in the midst of a bounce: still one press, at its first edge. */
	decoder_edge(decoder, 0, true, 100 * MS, changes);
	cr_assert_eq(decoder_resync(decoder, 0, false, 105 * MS, changes), 0);
	decoder_edge(decoder, 0, true, 106 * MS, changes);
	cr_assert_eq(decoder_tick(decoder, 126 * MS, changes), 1);
	cr_assert_eq(changes[0].type, DECODER_PRESSED);
	cr_assert_eq(changes[0].time_ns, 100 * MS);
	cr_assert_eq(decoder_resync(decoder, 0, false, 500 * MS, changes), 0);
	cr_assert_eq(decoder_tick(decoder, 520 * MS, changes), 1);
	cr_assert_eq(changes[0].type, DECODER_RELEASED);
	decoder_free(decoder);
}

Test(decoder, resync_of_each_kind_without_debounce)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct decoder *decoder = make(DECODER_SWITCH, 0);

	cr_assert_eq(decoder_start(decoder, 0, true, 3, changes), 1);
	cr_assert(changes[0].initial && changes[0].state);
	cr_assert_eq(decoder_resync(decoder, 0, true, 4, changes), 0);
	cr_assert_eq(decoder_resync(decoder, 0, false, 5, changes), 1);
	cr_assert(!changes[0].initial && !changes[0].state);
	decoder_free(decoder);

	decoder = make(DECODER_COUNTER, 0);
	decoder_start(decoder, 0, false, 0, changes);
	decoder_edge(decoder, 0, true, 10, changes);
	cr_assert_eq(decoder_resync(decoder, 0, false, 20, changes), 0);
	cr_assert_eq(decoder_edge(decoder, 0, true, 30, changes), 1);
	cr_assert_eq(changes[0].count, 2);
	cr_assert_eq(changes[0].interval_ns, 0);
	decoder_free(decoder);

	decoder = make(DECODER_ROTARY, 0);
	decoder_start(decoder, 0, false, 0, changes);
	decoder_start(decoder, 1, false, 0, changes);
	cr_assert_eq(decoder_resync(decoder, 0, true, 1, changes), 0);
	cr_assert_eq(decoder_resync(decoder, 1, true, 1, changes), 0);
	/* From the half-way house that the levels show, on to the detent. */
	cr_assert_eq(decoder_edge(decoder, 0, false, 2, changes), 0);
	cr_assert_eq(decoder_edge(decoder, 1, false, 3, changes), 1);
	cr_assert_eq(changes[0].delta, 1);
	cr_assert_eq(changes[0].position, 1);
	decoder_free(decoder);
}
