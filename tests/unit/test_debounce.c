/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "debounce.h"

#define MS 1000000ULL

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

Test(debounce, a_level_counts_when_it_was_stable_and_from_its_first_edge)
{
	struct debounce d = { .debounce_ns = 20 * MS };
	uint64_t time_ns = 0;

	debounce_start(&d, false);
	cr_assert_not(debounce_edge(&d, true, 100 * MS));
	cr_assert_not(debounce_edge(&d, false, 101 * MS));
	cr_assert_not(debounce_edge(&d, true, 103 * MS));
	cr_assert_eq(d.deadline_ns, 123 * MS);
	cr_assert(debounce_settle(&d, &time_ns));
	cr_assert_eq(time_ns, 100 * MS);
	cr_assert(d.level);
	cr_assert_eq(d.bounces, 2);
}

Test(debounce, a_line_that_never_settles_is_counted_all_the_same)
{
	struct debounce d = { .debounce_ns = 20 };
	uint64_t time_ns;

	cr_assert_eq(debounce_bounces(&d), 0);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_not(debounce_edge(&d, i % 2 == 0, 10 * i));
	cr_assert_eq(debounce_bounces(&d), 999);
	/* It ends at its first level: the first edge was bounce too. */
	cr_assert_not(debounce_settle(&d, &time_ns));
	cr_assert_eq(debounce_bounces(&d), 1000);
	cr_assert_not(debounce_edge(&d, true, 20000));
	cr_assert_eq(debounce_bounces(&d), 1000);
	cr_assert(debounce_settle(&d, &time_ns));
	cr_assert_eq(debounce_bounces(&d), 1000);
}

Test(debounce, a_glitch_is_nothing_but_bounces)
{
	struct debounce d = { .debounce_ns = 20 * MS };
	uint64_t time_ns = 7;

	debounce_start(&d, true);
	debounce_edge(&d, false, 1 * MS);
	debounce_edge(&d, true, 2 * MS);
	cr_assert_not(debounce_settle(&d, &time_ns));
	cr_assert_eq(time_ns, 7);
	cr_assert(d.level);
	cr_assert_eq(d.bounces, 2);
	cr_assert_eq(d.state, DEBOUNCE_STABLE);
}

Test(debounce, an_edge_at_exactly_the_deadline_goes_on_with_the_transition)
{
	struct debounce d = { .debounce_ns = 20 * MS };
	uint64_t time_ns = 0;

	debounce_start(&d, false);
	debounce_edge(&d, true, 0);
	cr_assert_eq(d.deadline_ns, 20 * MS);
	debounce_edge(&d, false, 20 * MS);
	cr_assert_eq(d.deadline_ns, 40 * MS);
	cr_assert_not(debounce_settle(&d, &time_ns));
	cr_assert_eq(d.bounces, 2);
}

Test(debounce, none_lets_every_edge_count)
{
	struct debounce d = { 0 };

	debounce_start(&d, false);
	for (unsigned i = 0; i < 10; i++)
		cr_assert(debounce_edge(&d, i % 2 == 0, i));
	cr_assert_not(debounce_edge(&d, false, 11));
	cr_assert_eq(d.bounces, 0);
	cr_assert_eq(d.state, DEBOUNCE_STABLE);
}

Test(debounce, what_can_not_happen_changes_nothing)
{
	struct debounce d = { .debounce_ns = MS };
	uint64_t time_ns = 7;

	debounce_start(&d, true);
	cr_assert_not(debounce_settle(&d, &time_ns)); /* nothing pending */
	cr_assert_not(debounce_edge(&d, true, 5));    /* no change */
	cr_assert_eq(d.state, DEBOUNCE_STABLE);
	cr_assert_eq(d.bounces, 0);
	cr_assert_eq(time_ns, 7);
}

Test(debounce, time_does_not_overflow)
{
	struct debounce d = { .debounce_ns = 100 };
	uint64_t time_ns = 0;

	debounce_start(&d, false);
	debounce_edge(&d, true, UINT64_MAX - 5);
	cr_assert_eq(d.deadline_ns, UINT64_MAX);
	cr_assert(debounce_settle(&d, &time_ns));
	cr_assert_eq(time_ns, UINT64_MAX - 5);
}

Test(debounce, an_edge_from_the_past_does_not_shorten_the_wait)
{
	struct debounce d = { .debounce_ns = 100 };

	debounce_start(&d, false);
	debounce_edge(&d, true, 1000);
	debounce_edge(&d, false, 900);
	cr_assert_eq(d.deadline_ns, 1100);
}

/*
 * Naive model: cut the list of all edges where the line was quiet for longer than the debounce;
 * the last level of each part decides.
 */
struct edge {
	uint64_t time_ns;
	bool level;
};

struct outcome {
	struct edge changes[256];
	unsigned n;
	uint64_t bounces;
};

static void model(const struct edge *edges, unsigned n, uint64_t debounce_ns, bool level,
                  struct outcome *out)
{
	unsigned i = 0;

	while (i < n) {
		unsigned last;

		if (edges[i].level == level) {
			i++;
			continue;
		}
		for (last = i;
		     last + 1 < n && edges[last + 1].time_ns - edges[last].time_ns <= debounce_ns;)
			last++;
		out->bounces += last - i + (edges[last].level == level);
		if (edges[last].level != level) {
			level = edges[last].level;
			out->changes[out->n++] = (struct edge){ edges[i].time_ns, level };
		}
		i = last + 1;
	}
}

static void settle(struct debounce *d, struct outcome *out)
{
	uint64_t time_ns;

	if (debounce_settle(d, &time_ns))
		out->changes[out->n++] = (struct edge){ time_ns, d->level };
}

static void machine(const struct edge *edges, unsigned n, uint64_t debounce_ns, bool level,
                    struct outcome *out)
{
	struct debounce d = { .debounce_ns = debounce_ns };

	debounce_start(&d, level);
	for (unsigned i = 0; i < n; i++) {
		if (d.state == DEBOUNCE_PENDING && d.deadline_ns < edges[i].time_ns)
			settle(&d, out);
		debounce_edge(&d, edges[i].level, edges[i].time_ns);
	}
	settle(&d, out);
	out->bounces = d.bounces;
}

Test(debounce, random_bounce_agrees_with_a_naive_model)
{
	uint64_t random = 0x2545f4914f6cdd1dULL;

	for (unsigned round = 0; round < 20000; round++) {
		struct outcome expected = { 0 }, got = { 0 };
		uint64_t debounce_ns = 1 + random_next(&random) % 20, time_ns = 0;
		unsigned n = (unsigned)(random_next(&random) % 60);
		bool level = random_next(&random) & 1, raw = level;
		struct edge edges[60];

		for (unsigned i = 0; i < n; i++) {
			time_ns += random_next(&random) % 4 ? random_next(&random) % 5
			                                    : random_next(&random) % 50;
			/* now and then an edge is lost and the next is to the same level */
			raw = random_next(&random) % 16 ? !raw : raw;
			edges[i] = (struct edge){ time_ns, raw };
		}
		model(edges, n, debounce_ns, level, &expected);
		machine(edges, n, debounce_ns, level, &got);
		cr_assert_eq(got.n, expected.n, "round %u", round);
		cr_assert_eq(got.bounces, expected.bounces, "round %u", round);
		for (unsigned i = 0; i < got.n; i++) {
			cr_assert_eq(got.changes[i].time_ns, expected.changes[i].time_ns,
			             "round %u", round);
			cr_assert_eq(got.changes[i].level, expected.changes[i].level, "round %u",
			             round);
		}
	}
}

/* ---- eager ---- */

/** All edges at hand: a window after each accepted one, then the level that the last edge left. */
static void model_eager(const struct edge *edges, unsigned n, uint64_t debounce_ns, bool level,
                        struct outcome *out)
{
	uint64_t blind_until = 0;
	bool blind = false;
	unsigned i = 0;

	while (i < n || blind) {
		unsigned first = i;

		if (!blind) {
			if (edges[i].level != level) {
				level = edges[i].level;
				out->changes[out->n++] = edges[i];
				blind = true;
				blind_until = edges[i].time_ns + debounce_ns;
			}
			i++;
			continue;
		}
		while (i < n && edges[i].time_ns <= blind_until)
			i++;
		blind = i > first && edges[i - 1].level != level;
		out->bounces += i - first - blind;
		if (blind) {
			level = edges[i - 1].level;
			out->changes[out->n++] = edges[i - 1];
			blind_until = edges[i - 1].time_ns + debounce_ns;
		}
	}
}

static void take(struct outcome *out, uint64_t time_ns, bool level)
{
	out->changes[out->n++] = (struct edge){ time_ns, level };
}

static void machine_eager(const struct edge *edges, unsigned n, uint64_t debounce_ns, bool level,
                          struct outcome *out)
{
	struct debounce d = { .debounce_ns = debounce_ns, .eager = true };

	debounce_start(&d, level);
	for (unsigned i = 0; i <= n; i++) {
		while (d.state == DEBOUNCE_BLIND && (i == n || d.deadline_ns < edges[i].time_ns))
			settle(&d, out);
		if (i < n && debounce_edge(&d, edges[i].level, edges[i].time_ns))
			take(out, edges[i].time_ns, d.level);
	}
	out->bounces = debounce_bounces(&d);
}

Test(debounce, random_bounce_agrees_with_a_naive_model_of_eager)
{
	uint64_t random = 0x9e3779b97f4a7c15ULL;

	for (unsigned round = 0; round < 20000; round++) {
		struct outcome expected = { 0 }, got = { 0 };
		uint64_t debounce_ns = 1 + random_next(&random) % 20, time_ns = 0;
		unsigned n = (unsigned)(random_next(&random) % 60);
		bool level = random_next(&random) & 1, raw = level;
		struct edge edges[60];

		for (unsigned i = 0; i < n; i++) {
			time_ns += random_next(&random) % 4 ? random_next(&random) % 5
			                                    : random_next(&random) % 50;
			raw = random_next(&random) % 16 ? !raw : raw;
			edges[i] = (struct edge){ time_ns, raw };
		}
		model_eager(edges, n, debounce_ns, level, &expected);
		machine_eager(edges, n, debounce_ns, level, &got);
		cr_assert_eq(got.n, expected.n, "round %u", round);
		cr_assert_eq(got.bounces, expected.bounces, "round %u", round);
		for (unsigned i = 0; i < got.n; i++) {
			cr_assert_eq(got.changes[i].time_ns, expected.changes[i].time_ns);
			cr_assert_eq(got.changes[i].level, expected.changes[i].level);
		}
	}
}
