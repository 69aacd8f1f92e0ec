/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>

#include "bus_fixture.h"

/** A timer that emits its name when it fires. */
struct ticker {
	struct fixture *f;
	const char *type;
	struct cue_timer *timer;
	uint64_t seen_ns; /* the bus's now in there */
};

static void on_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct ticker *ticker = user;

	(void)deadline_ns;
	ticker->seen_ns = cue_bus_now(bus);
	cr_assert_eq(fixture_emit(ticker->f, ticker->type), 0);
}

static void ticker_open(struct ticker *ticker, struct fixture *f, const char *type,
                        uint64_t deadline_ns, bool urgent)
{
	*ticker = (struct ticker){ .f = f, .type = type };
	cr_assert_eq((urgent ? cue_timer_new_urgent : cue_timer_new)(f->bus, on_timer, ticker,
	                                                             &ticker->timer),
	             0);
	cue_timer_arm(ticker->timer, deadline_ns);
}

static int log_type(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)bus;
	struct fixture *f = user;

	fixture_log(f, cue_event_type_name(event));
	f->last_ns = event->time_ns;
	return 0;
}

static int answer(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)bus, (void)event;
	return fixture_emit(user, "answer");
}

static void subscribe(struct fixture *f, const char *type, cue_handler handler)
{
	struct cue_subscription *subscription;
	struct cue_subscription_config config = { .type = type, .handler = handler, .user = f };

	cr_assert_eq(cue_bus_subscribe(f->bus, &config, &subscription), 0);
}

Test(advance, a_budget_ends_a_cascade_in_the_middle_and_the_next_call_goes_on)
{
	struct fixture f;
	struct ticker a, b;
	int calls = 0, r;

	fixture_open(&f, NULL);
	subscribe(&f, "*", log_type);
	subscribe(&f, "a", answer);
	ticker_open(&a, &f, "a", 2000, false);
	ticker_open(&b, &f, "b", 2000, false);
	do {
		struct cue_budget budget = { .steps = 1 };

		r = cue_bus_advance_within(f.bus, 5000, &budget);
		calls++;
		/* The first timer fires in one call, its event is dispatched in the next. */
		if (calls == 1)
			cr_assert(cue_bus_has_waiting(f.bus));
		if (r == -EAGAIN)
			cr_assert_eq(cue_bus_now(f.bus), 2000U);
	} while (r == -EAGAIN);
	cr_assert_eq(r, 0);
	cr_assert_eq(cue_bus_now(f.bus), 5000U);
	cr_assert_str_eq(f.log, "a answer b");
	cr_assert_eq(calls, 5); /* two timers, three events */
	cue_timer_free(a.timer);
	cue_timer_free(b.timer);
	fixture_close(&f);
}

static bool is_over(void *user)
{
	unsigned *left = user;

	if (*left == 0)
		return true;
	--*left;
	return false;
}

Test(advance, the_owner_says_when_time_is_up)
{
	struct fixture f;
	struct ticker a, b;
	unsigned left = 2;
	struct cue_budget budget = { .steps = 1000, .is_over = is_over, .user = &left };

	fixture_open(&f, NULL);
	subscribe(&f, "*", log_type);
	ticker_open(&a, &f, "a", 2000, false);
	ticker_open(&b, &f, "b", 3000, false);
	cr_assert_eq(cue_bus_advance_within(f.bus, 5000, &budget), -EAGAIN);
	cr_assert_str_eq(f.log, "a");
	cr_assert_eq(cue_bus_now(f.bus), 2000U);
	cr_assert_eq(cue_bus_advance(f.bus, 5000), 0);
	cr_assert_str_eq(f.log, "a b");
	cue_timer_free(a.timer);
	cue_timer_free(b.timer);
	fixture_close(&f);
}

Test(advance, a_bus_that_defers_dispatches_when_told_to)
{
	struct fixture f;
	struct cue_budget budget = { .steps = 1 };
	uint64_t seq = 0;
	struct cue_emit emit = { .type = "a", .time_ns = CUE_TIME_NONE };

	fixture_open(&f, NULL);
	subscribe(&f, "*", log_type);
	subscribe(&f, "a", answer);
	cue_bus_defer(f.bus, true);
	cr_assert_eq(cue_bus_emit(f.bus, &emit, &seq), 0);
	cr_assert_eq(seq, 1U);
	cr_assert_eq(fixture_emit(&f, "b"), 0);
	cr_assert_str_eq(f.log, "");
	cr_assert_eq(cue_bus_next_deadline(f.bus), 1000U); /* there is work now */
	cr_assert_eq(cue_bus_dispatch(f.bus, &budget), -EAGAIN);
	cr_assert_str_eq(f.log, "a");
	cr_assert_eq(cue_bus_dispatch(f.bus, NULL), 0);
	cr_assert_str_eq(f.log, "a b answer");
	cue_bus_defer(f.bus, false);
	cr_assert_eq(fixture_emit(&f, "c"), 0);
	cr_assert_str_eq(f.log, "a b answer c");
	fixture_close(&f);
}

Test(advance, overtaking_fires_urgent_timers_and_leaves_the_others_their_order)
{
	struct fixture f;
	struct ticker early, late, urgent, future;

	fixture_open(&f, NULL);
	subscribe(&f, "*", log_type);
	ticker_open(&late, &f, "late", 3000, false);
	ticker_open(&early, &f, "early", 2000, false);
	ticker_open(&urgent, &f, "urgent", 4000, true);
	ticker_open(&future, &f, "future", 9000, true);
	cr_assert_eq(cue_bus_overdue(f.bus, 6000), 4000U);
	cr_assert_eq(cue_bus_overtake(f.bus, 4000, false, NULL), 0);
	cr_assert_str_eq(f.log, ""); /* strictly before */
	cr_assert_eq(cue_bus_overtake(f.bus, 6000, true, NULL), 0);
	cr_assert_str_eq(f.log, "urgent");
	cr_assert_eq(urgent.seen_ns, 4000U);
	cr_assert_eq(f.last_ns, 4000U);
	cr_assert_eq(cue_bus_now(f.bus), 6000U);
	cr_assert_eq(fixture_emit(&f, "stop"), 0);
	cr_assert_eq(cue_bus_advance(f.bus, 6000), 0);
	cr_assert_str_eq(f.log, "urgent stop early late");
	cr_assert_eq(early.seen_ns, 6000U); /* now does not go back … */
	cr_assert_eq(f.last_ns, 3000U);     /* … but a step is reported with its own time */
	cr_assert_eq(cue_bus_overdue(f.bus, 6000), 0U);
	cue_timer_free(early.timer);
	cue_timer_free(late.timer);
	cue_timer_free(urgent.timer);
	cue_timer_free(future.timer);
	fixture_close(&f);
}

Test(advance, without_overtaking_urgent_is_only_a_name)
{
	struct fixture f;
	struct ticker a, b, c;

	fixture_open(&f, NULL);
	subscribe(&f, "*", log_type);
	ticker_open(&a, &f, "a", 3000, true);
	ticker_open(&b, &f, "b", 2000, false);
	ticker_open(&c, &f, "c", 3000, false);
	cr_assert_eq(cue_bus_next_deadline(f.bus), 2000U);
	cr_assert_eq(cue_bus_advance(f.bus, 9000), 0);
	cr_assert_str_eq(f.log, "b a c"); /* by deadline, then by creation */
	cue_timer_free(a.timer);
	cue_timer_free(b.timer);
	cue_timer_free(c.timer);
	fixture_close(&f);
}

static int dispatch_inside(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)user, (void)event;
	cr_assert_eq(cue_bus_dispatch(bus, NULL), -EBUSY);
	cr_assert_eq(cue_bus_overtake(bus, 5000, true, NULL), -EBUSY);
	return 0;
}

Test(advance, no_portion_begins_inside_a_handler)
{
	struct cue_bus_stats stats;
	struct fixture f;

	fixture_open(&f, NULL);
	subscribe(&f, "a", dispatch_inside);
	cr_assert_eq(fixture_emit(&f, "a"), 0);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.events, 1U);
	cr_assert_eq(cue_bus_now(f.bus), 1000U);
	fixture_close(&f);
}

static int count_call(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	unsigned *n = user;

	(void)bus, (void)event;
	++*n;
	return 0;
}

Test(advance, a_backlog_that_is_cut_reaches_what_publishes_and_stops_and_nothing_else)
{
	static const int priorities[] = { CUE_PRIORITY_BRIDGE, CUE_PRIORITY_INTERRUPT,
		                          CUE_PRIORITY_INTERRUPT - 1, CUE_PRIORITY_GESTURE,
		                          CUE_PRIORITY_TRIGGER };
	struct cue_budget budget = { .steps = 2 };
	struct cue_bus_stats stats;
	unsigned calls[5] = { 0 };
	struct fixture f;

	fixture_open(&f, NULL);
	for (size_t i = 0; i < 5; i++) {
		struct cue_subscription *subscription;

		cr_assert_eq(cue_bus_subscribe(
		                     f.bus,
		                     &(struct cue_subscription_config){ .type = "a",
		                                                        .priority = priorities[i],
		                                                        .handler = count_call,
		                                                        .user = &calls[i] },
		                     &subscription),
		             0);
	}
	cue_bus_cut_backlog(f.bus); /* nothing waits */
	cr_assert_not(cue_bus_is_cutting(f.bus));
	cue_bus_defer(f.bus, true);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(fixture_emit(&f, "a"), 0);
	cr_assert_eq(cue_bus_dispatch(f.bus, &budget), -EAGAIN);
	cue_bus_cut_backlog(f.bus);
	cue_bus_cut_backlog(f.bus); /* it is cut already */
	cr_assert(cue_bus_is_cutting(f.bus));
	budget.steps = 10;
	cr_assert_eq(cue_bus_dispatch(f.bus, &budget), 0);
	cr_assert_not(cue_bus_is_cutting(f.bus));
	cr_assert_eq(calls[0], 5U);
	cr_assert_eq(calls[1], 5U);
	for (size_t i = 2; i < 5; i++)
		cr_assert_eq(calls[i], 2U, "priority %d", priorities[i]);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.backlogs_cut, 1U);
	cr_assert_eq(stats.events_cut, 3U);
	cr_assert_eq(f.reports[CUE_REPORT_BACKLOG_CUT], 1U);
	/* What comes afterwards is whole again. */
	cr_assert_eq(fixture_emit(&f, "a"), 0);
	budget.steps = 10;
	cr_assert_eq(cue_bus_dispatch(f.bus, &budget), 0);
	cr_assert_eq(calls[4], 3U);
	fixture_close(&f);
}
