/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/playlist.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define US(n) ((uint64_t)(n)*CUE_NS_PER_US)
#define MS(n) ((uint64_t)(n)*CUE_NS_PER_MS)
#define S(n)  ((uint64_t)(n)*CUE_NS_PER_S)

static const struct cue_playlist_limits usual = { 10000, US(100) };

static int rate(const struct cue_playlist_limits *limits, const struct cue_step *steps, size_t n,
                struct cue_predicate_error *error)
{
	const struct cue_playlist_config config = { .name = "p", .steps = steps, .n_steps = n };

	return cue_playlist_check_rate(&config, limits, error);
}

static struct cue_step step(uint64_t offset_ns, uint32_t repeat, uint64_t interval_ns)
{
	return (struct cue_step){
		.emit = "x", .offset_ns = offset_ns, .repeat = repeat, .interval_ns = interval_ns
	};
}

Test(playlist_rate, an_interval_has_a_least_length)
{
	struct cue_step steps[] = { step(0, 1, 0), step(0, 2, US(100)),
		                    step(0, 1000000000, US(1)) };
	struct cue_predicate_error error;

	cr_assert_eq(rate(&usual, steps, 2, &error), 0);
	cr_assert_eq(rate(&usual, steps, 3, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/steps/2/interval");
	cr_assert(strstr(error.text, "limits.shortest_interval"));
	cr_assert_eq(rate(&usual, steps, 3, NULL), -EINVAL);
	steps[2].repeat = 1; /* nothing repeats */
	cr_assert_eq(rate(&usual, steps, 3, NULL), 0);
}

Test(playlist_rate, one_step_alone)
{
	struct cue_playlist_limits limits = { 10, 1 };
	struct cue_step steps[] = { step(0, 1000, MS(100)) };

	cr_assert_eq(rate(&limits, steps, 1, NULL), 0);
	steps[0].interval_ns = MS(99);
	cr_assert_eq(rate(&limits, steps, 1, NULL), -EINVAL);
	steps[0].repeat = 10;
	cr_assert_eq(rate(&limits, steps, 1, NULL), 0);
}

Test(playlist_rate, steps_that_overlap_add_up_and_those_that_do_not_do_not)
{
	struct cue_step steps[] = { step(0, 50000, US(100)), step(S(5), 50000, US(100)) };
	struct cue_predicate_error error;

	cr_assert_eq(rate(&usual, steps, 2, &error), 0, "%s", error.text);
	steps[1].offset_ns = S(5) - MS(1);
	cr_assert_eq(rate(&usual, steps, 2, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/steps/1/interval");
	cr_assert(strstr(error.text, "limits.events_per_second allows 10000"));
}

Test(playlist_rate, bursts_count)
{
	struct cue_playlist_limits limits = { 3, 1 };
	struct cue_step steps[] = { step(0, 1, 0), step(0, 1, 0), step(MS(999), 1, 0),
		                    step(S(1), 1, 0), step(S(1), 1, 0) };
	struct cue_predicate_error error;

	/* Half-open: what is exactly a second later is in another second. */
	cr_assert_eq(rate(&limits, steps, 5, &error), 0, "%s", error.text);
	steps[4].offset_ns = MS(999);
	cr_assert_eq(rate(&limits, steps, 5, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/steps/4/emit");
	cr_assert_str_eq(error.text, "with this step 4 events fall into one second of a run; "
	                             "limits.events_per_second allows 3");
}

Test(playlist_rate, slow_steps_at_the_same_time_are_a_burst)
{
	struct cue_playlist_limits limits = { 99, 1 };
	struct cue_step steps[100];

	for (size_t i = 0; i < 100; i++)
		steps[i] = step(0, 5, S(10));
	cr_assert_eq(rate(&limits, steps, 99, NULL), 0);
	cr_assert_eq(rate(&limits, steps, 100, NULL), -EINVAL);
}

/** The most events in any second that begins with one, counted one by one. */
static unsigned long counted(const struct cue_step *steps, size_t n)
{
	unsigned long most = 0;

	for (size_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < steps[i].repeat; k++) {
			uint64_t from_ns = steps[i].offset_ns + k * steps[i].interval_ns;
			unsigned long here = 0;

			for (size_t j = 0; j < n; j++) {
				for (uint32_t m = 0; m < steps[j].repeat; m++) {
					uint64_t at = steps[j].offset_ns + m * steps[j].interval_ns;

					here += at >= from_ns && at < from_ns + S(1);
				}
			}
			if (here > most)
				most = here;
		}
	}
	return most;
}

/** splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

Test(playlist_rate, is_what_counting_says_but_for_one_event_a_step)
{
	uint64_t state = 1;

	for (unsigned round = 0; round < 2000; round++) {
		struct cue_step steps[6];
		size_t n = 1 + (size_t)(next(&state) % 6);
		struct cue_playlist_limits limits = { 0, 1 };
		unsigned long most;

		for (size_t i = 0; i < n; i++) {
			uint32_t repeat = 1 + (uint32_t)(next(&state) % 20);

			steps[i] = step(MS(next(&state) % 4000), repeat,
			                repeat > 1 ? MS(1 + next(&state) % 1500) : 0);
		}
		most = counted(steps, n);
		limits.events_per_second = (uint32_t)(most + n);
		cr_assert_eq(rate(&limits, steps, n, NULL), 0, "round %u: %lu", round, most);
		if (most <= n)
			continue;
		limits.events_per_second = (uint32_t)(most - n);
		cr_assert_eq(rate(&limits, steps, n, NULL), -EINVAL, "round %u: %lu", round, most);
	}
}
