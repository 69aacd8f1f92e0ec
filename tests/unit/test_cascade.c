/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "playlist_fixture.h"
#include "playlist_internal.h"

/** Every run starts fifty more, through timers of no delay. */
static void define_storm(struct pf *f, uint64_t offset_ns)
{
	static struct cue_step steps[50];
	const struct cue_filter trigger = { .type = "z.z" };

	for (size_t i = 0; i < 50; i++)
		steps[i] = (struct cue_step){ .emit = "z.z", .repeat = 1, .offset_ns = offset_ns };
	pf_define(f, &(struct cue_playlist_config){ .name = "storm",
	                                            .triggers = &trigger,
	                                            .n_triggers = 1,
	                                            .max_runs = 1000000,
	                                            .steps = steps,
	                                            .n_steps = 50 });
}

static uint64_t events(const struct pf *f)
{
	struct cue_bus_stats stats;

	cue_bus_get_stats(f->bus, &stats);
	return stats.events;
}

static int ignore(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)bus;
	++*(uint64_t *)user;
	(void)event;
	return 0;
}

static void open_quiet(struct pf *f, struct cue_limits limits)
{
	struct cue_bus_config config = {
		.gateway_id = "porch",
		.random = pf_random,
		.report = pf_report,
		.user = f,
		.limits = limits,
	};

	memset(f, 0, sizeof(*f));
	cr_assert_eq(cue_bus_new(&config, &f->bus), 0);
	cr_assert_eq(cue_playlists_new(f->bus, &f->playlists), 0);
}

Test(cascade, what_follows_at_one_instant_is_bounded_over_all_its_timers)
{
	struct pf f;

	open_quiet(&f, (struct cue_limits){ .queue_events = 1000 });
	define_storm(&f, 0);
	pf_emit(&f, "z.z");
	pf_advance(&f, 0);
	cr_assert_eq(events(&f), 1001U); /* the first and what follows from it */
	cr_assert_gt(f.reports[CUE_REPORT_QUEUE_FULL], 0U);
	/* Lifecycle events of started runs follow when the instant is over. */
	pf_advance(&f, 1000);
	cr_assert_null(f.playlists->runs.first);
	cr_assert_null(f.playlists->untold.first);
	pf_close(&f);
}

Test(cascade, each_outside_event_has_a_count_of_its_own)
{
	struct pf f;

	open_quiet(&f, (struct cue_limits){ .queue_events = 1000 });
	define_storm(&f, 0);
	pf_emit(&f, "z.z");
	pf_emit(&f, "z.z"); /* at the same instant, while the first one's runs wait */
	pf_advance(&f, 0);
	cr_assert_eq(events(&f), 2002U);
	pf_advance(&f, 1000);
	pf_close(&f);
}

Test(cascade, portions_do_not_renew_it)
{
	struct pf f;
	int r;

	open_quiet(&f, (struct cue_limits){ .queue_events = 1000 });
	define_storm(&f, 0);
	cue_bus_defer(f.bus, true);
	pf_emit(&f, "z.z");
	do {
		struct cue_budget budget = { .steps = 3 };

		r = cue_bus_advance_within(f.bus, 0, &budget);
	} while (r == -EAGAIN);
	cr_assert_eq(events(&f), 1001U);
	cue_bus_defer(f.bus, false);
	pf_advance(&f, 1000);
	pf_close(&f);
}

Test(cascade, nor_does_being_overtaken)
{
	struct pf f;
	uint64_t now_ns = 0, seen = 0;
	int r;

	open_quiet(&f, (struct cue_limits){ .queue_events = 1000 });
	define_storm(&f, 0);
	pf_subscribe(&f, "stop", 0, ignore, &seen);
	cue_bus_defer(f.bus, true);
	pf_emit(&f, "z.z");
	do {
		struct cue_budget budget = { .steps = 20 };

		now_ns += 1000;
		r = cue_bus_advance_within(f.bus, now_ns, &budget);
		if (!cue_bus_has_waiting(f.bus)) {
			cr_assert_eq(cue_bus_overtake(f.bus, now_ns, true, NULL), 0);
			pf_emit(&f, "stop");
		}
	} while (r == -EAGAIN);
	cr_assert_gt(seen, 3U);
	/* Refused `stopped` events are emitted 1 ms later, outside of a cascade. */
	cr_assert_leq(events(&f) - seen, 1001U);
	cue_bus_defer(f.bus, false);
	pf_advance(&f, 1000);
	pf_close(&f);
}

Test(cascade, with_a_delay_every_step_is_a_beginning)
{
	struct pf f;

	open_quiet(&f, (struct cue_limits){ .queue_events = 300, .active_runs = 100 });
	define_storm(&f, MS(1));
	pf_emit(&f, "z.z");
	pf_advance(&f, 1);
	/* Fifty steps, each with `emitted` and a run that it starts, and the end. */
	cr_assert_eq(events(&f), 1 + 1 + 50 * 3 + 1U);
	pf_advance(&f, 2);
	cr_assert_lt(f.playlists->table.n, 101U); /* limits.active_runs holds */
	cr_assert_eq(cue_playlist_stop(f.playlists, NULL, "over", NULL, NULL) > 0, true);
	pf_close(&f);
}
