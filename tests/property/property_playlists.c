/* SPDX-License-Identifier: Apache-2.0 */
/* property_playlists [cases [first seed]]
 *
 * Without arguments: a fixed set of cases, then some from a fresh seed, which is printed. A
 * failure prints its seed: repeat it with "1 SEED". */
#include "engine_under_test.h"
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIXED_CASES = 6000, FRESH_CASES = 1000 };

struct totals {
	unsigned cases, too_long, late;
	unsigned long events;
	unsigned long stopped[3], rejected, skipped, steered[4];
};

/** The first line in which the two differ, with what led there. */
static void print_difference(const char *expected, const char *actual)
{
	const char *e = expected, *a = actual;
	const char *begin;
	int lines = 0;

	while (*e && *e == *a) {
		e++;
		a++;
	}
	while (e > expected && e[-1] != '\n') {
		e--;
		a--;
	}
	for (begin = e; begin > expected; begin--) {
		if (begin[-1] == '\n' && ++lines > 12)
			break;
	}
	fprintf(stderr, "same in both:\n%.*s", (int)(e - begin), begin);
	fprintf(stderr, "expected: %.*s\n", (int)strcspn(e, "\n"), e);
	fprintf(stderr, "actual:   %.*s\n", (int)strcspn(a, "\n"), a);
}

static bool play_once(const struct scenario *sc, const struct sc_log *expected, uint64_t start_ns,
                      uint64_t step_ns, uint32_t budget)
{
	struct sc_log log = { 0 };
	char failure[256];
	bool same;

	engine_play(sc, start_ns, step_ns, budget, &log, failure);
	same = log.len == expected->len && memcmp(log.text, expected->text, log.len) == 0;
	if (!same || *failure) {
		fprintf(stderr, "FAILED: seed %llu, start %llu ns, step %llu ns, budget %u: %s\n",
		        (unsigned long long)sc->seed, (unsigned long long)start_ns,
		        (unsigned long long)step_ns, budget,
		        *failure ? failure : "not what the model says");
		scenario_print(sc, stderr);
		if (!same)
			print_difference(expected->text, log.text);
	}
	sc_log_clear(&log);
	return same && !*failure;
}

static unsigned long occurrences(const char *text, const char *what)
{
	unsigned long n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

static void add_up(struct totals *totals, const struct scenario *sc, const struct sc_log *log)
{
	totals->cases++;
	totals->late += sc->late;
	totals->events += log->lines;
	totals->stopped[0] += occurrences(log->text, " completed ");
	totals->stopped[1] += occurrences(log->text, " interrupted ");
	totals->stopped[2] += occurrences(log->text, " cancelled ");
	totals->rejected += occurrences(log->text, " rejected ");
	totals->steered[0] += occurrences(log->text, " paused R");
	totals->steered[1] += occurrences(log->text, " resumed R");
	totals->steered[2] += occurrences(log->text, " seeked R");
	totals->steered[3] += occurrences(log->text, " tempo_changed R");
	totals->skipped +=
	        occurrences(log->text, " skipped ") - occurrences(log->text, " skipped 0");
}

static bool play_case(uint64_t seed, struct totals *totals)
{
	struct scenario sc;
	struct sc_log expected = { 0 };
	bool good = true;

	scenario_make(seed, &sc);
	if (!model_play(&sc, &expected)) {
		totals->too_long++;
		sc_log_clear(&expected);
		return true;
	}
	good = play_once(&sc, &expected, 0, 0, 0);
	/* Where there is a clock, how late one wakes is part of the scenario. */
	if (good)
		good = play_once(&sc, &expected, 987654321012345ULL, sc.late ? 0 : 7 * SC_MS + 1,
		                 0);
	if (good && !sc.late)
		good = play_once(&sc, &expected, 1, SC_MS + (seed * 7919) % (50 * SC_MS), 0);
	/* Work in portions gives the same result. */
	if (good)
		good = play_once(&sc, &expected, 0, 0, 1);
	if (good)
		good = play_once(&sc, &expected, 0, 0, 2 + (uint32_t)(seed % 13));
	add_up(totals, &sc, &expected);
	sc_log_clear(&expected);
	return good;
}

static bool play_cases(uint64_t seed, unsigned cases, struct totals *totals)
{
	for (unsigned i = 0; i < cases; i++) {
		if (!play_case(seed + i, totals))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct totals totals = { 0 };
	uint32_t fresh = 0;
	bool good;

	if (argc > 1) {
		good = play_cases(argc > 2 ? strtoull(argv[2], NULL, 0) : 1,
		                  (unsigned)strtoul(argv[1], NULL, 0), &totals);
	} else {
		if (getrandom(&fresh, sizeof(fresh), 0) != sizeof(fresh))
			return 1;
		printf("fixed seeds from 1, fresh seeds from %lu\n",
		       (unsigned long)fresh + FIXED_CASES);
		good = play_cases(1, FIXED_CASES, &totals) &&
		       play_cases((uint64_t)fresh + FIXED_CASES, FRESH_CASES, &totals);
	}
	printf("%u cases (%u with a clock), %lu events; runs completed %lu, interrupted %lu, "
	       "cancelled %lu, "
	       "with skipped steps %lu; starts rejected %lu; %u cases too long to compare; paused "
	       "%lu, resumed %lu, seeks %lu, changes of tempo %lu\n",
	       totals.cases, totals.late, totals.events, totals.stopped[0], totals.stopped[1],
	       totals.stopped[2], totals.skipped, totals.rejected, totals.too_long,
	       totals.steered[0], totals.steered[1], totals.steered[2], totals.steered[3]);
	/* A generator that stopped making interesting cases must not go unnoticed. */
	if (argc <= 1 && (totals.cases < 5000 || totals.stopped[0] == 0 || totals.stopped[1] == 0 ||
	                  totals.stopped[2] == 0 || totals.skipped == 0 || totals.rejected == 0 ||
	                  totals.steered[0] == 0 || totals.steered[1] == 0 ||
	                  totals.steered[2] == 0 || totals.steered[3] == 0)) {
		fprintf(stderr, "FAILED: the cases no longer cover what they should\n");
		good = false;
	}
	return good ? 0 : 1;
}
