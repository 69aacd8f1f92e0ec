/* SPDX-License-Identifier: Apache-2.0 */
/* The order of work under overload. */
#include "cue_criterion.h"

#include "engine_fixture.h"

#define MS CUE_NS_PER_MS

static struct config_input button(const char *name, const char *line, uint64_t debounce_ns)
{
	return (struct config_input){
		.name = (char *)(uintptr_t)name,
		.driver = (char *)(uintptr_t) "fake",
		.lines = { (char *)(uintptr_t)line },
		.n_lines = 1,
		.decoder = { .kind = DECODER_BUTTON, .debounce_ns = debounce_ns },
		.event = (char *)(uintptr_t) "press",
		.release_event = (char *)(uintptr_t) "release",
	};
}

static struct config config_of(struct config_input *inputs, size_t n)
{
	return (struct config){ .gateway = { .id = (char *)(uintptr_t) "t" },
		                .inputs = inputs,
		                .n_inputs = n };
}

/** Timers that emit, all overdue at some time. */
#define BACKLOG 400

struct backlog {
	struct fixture f;
	struct config_input inputs[2];
	struct config config;
	struct cue_timer *timers[BACKLOG];
	unsigned fired;
};

static void on_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct backlog *b = user;

	(void)deadline_ns;
	b->fired++;
	(void)cue_bus_emit(bus, &(struct cue_emit){ .type = "step", .time_ns = CUE_TIME_NONE },
	                   NULL);
}

static void open_backlog(struct backlog *b, uint64_t debounce_ns, unsigned n, uint64_t due_ns)
{
	char error[512];

	memset(b, 0, sizeof(*b));
	b->inputs[0] = button("a", "l0", debounce_ns);
	b->inputs[1] = button("b", "l1", 0);
	b->config = config_of(b->inputs, 2);
	fixture_set_up(&b->f, &b->config);
	cr_assert_eq(engine_open_inputs(b->f.engine, error), 0);
	engine_be_fair(b->f.engine);
	for (unsigned i = 0; i < n; i++) {
		cr_assert_eq(cue_timer_new(engine_bus(b->f.engine), on_timer, b, &b->timers[i]), 0);
		cue_timer_arm(b->timers[i], due_ns);
	}
}

static void close_backlog(struct backlog *b)
{
	for (unsigned i = 0; i < BACKLOG; i++)
		cue_timer_free(b->timers[i]);
	fixture_tear_down(&b->f);
}

/** One wake of some steps. */
static int wake(struct backlog *b, uint64_t now_ns, uint32_t steps)
{
	struct cue_budget budget = { .steps = steps };

	return engine_wake_within(b->f.engine, now_ns, &budget);
}

static int admit(struct backlog *b, uint64_t now_ns, uint32_t steps)
{
	struct cue_budget budget = { .steps = steps };

	return engine_admit(b->f.engine, now_ns, &budget);
}

static uint64_t overtaken(const struct backlog *b)
{
	struct engine_wake_totals totals;

	engine_get_wake_totals(b->f.engine, &totals);
	return totals.overtaken;
}

Test(engine_wake, timers_that_are_a_little_late_go_before_an_edge_as_ever)
{
	struct backlog b;
	const char *log;

	open_backlog(&b, 0, 8, 10 * MS);
	fake_edge(0, 15 * MS, true, false);
	while (wake(&b, 20 * MS, 3) == -EAGAIN)
		cr_assert_eq(cue_bus_now(engine_bus(b.f.engine)), 10 * MS);
	log = fixture_log(&b.f);
	cr_assert_str_eq(log + strlen(log) -
	                         strlen("press@15000000 {\"input\":\"a\",\"pressed\":true}\n"),
	                 "press@15000000 {\"input\":\"a\",\"pressed\":true}\n");
	cr_assert_eq(b.fired, 8U);
	cr_assert_eq(overtaken(&b), 0U);
	close_backlog(&b);
}

Test(engine_wake, a_late_wake_that_gets_through_everything_overtakes_nothing)
{
	struct backlog b;

	open_backlog(&b, 0, 8, 10 * MS);
	fake_edge(0, 500 * MS, true, false);
	cr_assert_eq(wake(&b, 1000 * MS, 1000), 0);
	cr_assert(strstr(fixture_log(&b.f), "press@500000000"));
	cr_assert_eq(b.fired, 8U);
	cr_assert_eq(overtaken(&b), 0U);
	close_backlog(&b);
}

Test(engine_wake, an_edge_overtakes_timers_that_are_overdue_for_long)
{
	struct backlog b;

	open_backlog(&b, 0, BACKLOG, 10 * MS);
	fake_edge(0, 50 * MS, true, false);
	cr_assert_eq(wake(&b, 60 * MS, 20), -EAGAIN);
	cr_assert_not(strstr(fixture_log(&b.f), "press"));
	cr_assert_eq(wake(&b, 61 * MS, 20), -EAGAIN);
	cr_assert(strstr(fixture_log(&b.f), "press@50000000 {\"input\":\"a\",\"pressed\":true}\n"));
	cr_assert_lt(b.fired, 30U);
	cr_assert_eq(overtaken(&b), 1U);
	/* The bus's time has advanced, and the remaining timers fire in order. */
	cr_assert_geq(cue_bus_now(engine_bus(b.f.engine)), 61 * MS);
	while (wake(&b, 70 * MS, 20) == -EAGAIN)
		;
	cr_assert_eq(b.fired, (unsigned)BACKLOG);
	close_backlog(&b);
}

Test(engine_wake, a_press_keeps_its_length_and_its_debounce_behind_a_backlog)
{
	struct backlog b;

	open_backlog(&b, 20 * MS, BACKLOG, 10 * MS);
	cr_assert_eq(wake(&b, 60 * MS, 20), -EAGAIN);
	fake_edge(0, 65 * MS, true, false);
	fake_edge(0, 145 * MS, false, false);
	cr_assert_eq(wake(&b, 150 * MS, 20), -EAGAIN);
	/* The end of the debounce, at 85 ms, lies between the two edges. */
	cr_assert(strstr(fixture_log(&b.f), "press@65000000"));
	cr_assert_eq(wake(&b, 170 * MS, 20), -EAGAIN);
	cr_assert(strstr(fixture_log(&b.f), "release@145000000 {\"input\":\"a\",\"pressed\":false,"
	                                    "\"held_ms\":80}\n"));
	cr_assert_lt(b.fired, 40U);
	close_backlog(&b);
}

static int answer(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)user, (void)event;
	for (int i = 0; i < 10; i++)
		(void)cue_bus_emit(
		        bus, &(struct cue_emit){ .type = "more", .time_ns = CUE_TIME_NONE }, NULL);
	return 0;
}

Test(engine_wake, nothing_from_outside_comes_into_the_middle_of_a_cascade)
{
	struct backlog b;
	struct cue_subscription *subscription;
	struct cue_subscription_config config = { .type = "step", .handler = answer };

	open_backlog(&b, 0, BACKLOG, 10 * MS);
	cr_assert_eq(cue_bus_subscribe(engine_bus(b.f.engine), &config, &subscription), 0);
	cr_assert_eq(wake(&b, 60 * MS, 5), -EAGAIN);
	cr_assert(cue_bus_has_waiting(engine_bus(b.f.engine)));
	cr_assert_eq(admit(&b, 60 * MS, 2), -EAGAIN);
	fake_edge(0, 50 * MS, true, false);
	cr_assert_eq(wake(&b, 60 * MS, 2), -EAGAIN);
	cr_assert_not(strstr(fixture_log(&b.f), "press"));
	/* When it is over, both may come in, ahead of the timers. */
	cr_assert_eq(admit(&b, 60 * MS, 50), 0);
	cr_assert_eq(b.fired, 1U);
	cr_assert(strstr(fixture_log(&b.f), "press@50000000"));
	cr_assert_eq(overtaken(&b), 2U);
	cue_subscription_cancel(subscription);
	close_backlog(&b);
}

Test(engine_wake, a_message_waits_for_what_is_due_unless_that_is_overdue_for_long)
{
	struct backlog b;

	open_backlog(&b, 0, BACKLOG, 10 * MS);
	cr_assert_eq(admit(&b, 15 * MS, 20), -EAGAIN);
	cr_assert_eq(admit(&b, 29 * MS, 20), -EAGAIN);
	cr_assert_eq(admit(&b, 35 * MS, 20), 0);
	cr_assert_eq(cue_bus_now(engine_bus(b.f.engine)), 35 * MS);
	cr_assert_eq(overtaken(&b), 1U);
	while (wake(&b, 40 * MS, 20) == -EAGAIN)
		;
	cr_assert_eq(admit(&b, 50 * MS, 20), 0);
	cr_assert_eq(overtaken(&b), 1U);
	close_backlog(&b);
}

Test(engine_wake, an_input_that_goes_takes_its_waiting_edges_with_it)
{
	struct backlog b;
	struct config without;
	char error[512];

	open_backlog(&b, 0, BACKLOG, 10 * MS);
	fake_edge(0, 50 * MS, true, false);
	fake_edge(1, 51 * MS, true, false);
	cr_assert_eq(wake(&b, 60 * MS, 20), -EAGAIN);
	without = config_of(&b.inputs[1], 1);
	cr_assert_eq(engine_apply(b.f.engine, &without, error), 0, "%s", error);
	while (wake(&b, 70 * MS, 20) == -EAGAIN)
		;
	cr_assert_not(strstr(fixture_log(&b.f), "\"input\":\"a\""));
	close_backlog(&b);
}

/** Each "storm" leads to two more: what waits grows with every dispatch. */
static int double_it(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)user, (void)event;
	for (int i = 0; i < 2; i++)
		(void)cue_bus_emit_caused(
		        bus, &(struct cue_emit){ .type = "storm", .time_ns = CUE_TIME_NONE }, 0, 1,
		        NULL);
	return 0;
}

static void begin_storm(struct backlog *b)
{
	struct cue_subscription *subscription;

	cr_assert_eq(cue_bus_subscribe(engine_bus(b->f.engine),
	                               &(struct cue_subscription_config){ .type = "storm",
	                                                                  .handler = double_it },
	                               &subscription),
	             0);
	cr_assert_eq(cue_bus_emit(engine_bus(b->f.engine),
	                          &(struct cue_emit){ .type = "storm", .time_ns = CUE_TIME_NONE },
	                          NULL),
	             0);
}

static struct cue_bus_stats stats_of(const struct backlog *b)
{
	struct cue_bus_stats stats;

	cue_bus_get_stats(engine_bus(b->f.engine), &stats);
	return stats;
}

static int see_time(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	uint64_t *time_ns = user;

	(void)bus;
	*time_ns = event->time_ns;
	return 0;
}

/** Wakes of 10 steps, 1 ms apart. @return how many until nothing waits. */
static unsigned settle(struct backlog *b, uint64_t begin_ns, unsigned max)
{
	for (unsigned i = 0; i < max; i++) {
		(void)wake(b, begin_ns + i * MS, 10);
		if (!cue_bus_has_waiting(engine_bus(b->f.engine)))
			return i + 1;
	}
	return max;
}

Test(engine_wake, a_backlog_that_keeps_an_edge_waiting_leads_to_nothing_more)
{
	struct cue_subscription *subscription;
	uint64_t press_ns = 0;
	struct backlog b;
	unsigned wakes;

	open_backlog(&b, 0, 0, 0);
	cr_assert_eq(cue_bus_subscribe(engine_bus(b.f.engine),
	                               &(struct cue_subscription_config){ .type = "press",
	                                                                  .handler = see_time,
	                                                                  .user = &press_ns },
	                               &subscription),
	             0);
	begin_storm(&b);
	cr_assert_eq(settle(&b, 10 * MS, 50), 50U);
	cr_assert_eq(stats_of(&b).backlogs_cut, 0U);
	fake_edge(0, 60 * MS, true, false);
	/* 100 ms after the storm began; what waited by then takes as many wakes again. */
	wakes = settle(&b, 60 * MS, 400);
	cr_assert_lt(wakes, 400U);
	(void)wake(&b, 60 * MS + wakes * MS, 10);
	cr_assert_eq(press_ns, 60 * MS);
	cr_assert_eq(stats_of(&b).backlogs_cut, 1U);
	cr_assert_gt(stats_of(&b).events_cut, 100U);
	/* It is over: another storm may begin. */
	cr_assert_not(cue_bus_is_cutting(engine_bus(b.f.engine)));
	close_backlog(&b);
}

Test(engine_wake, a_backlog_that_nobody_waits_for_has_more_time)
{
	struct backlog b;

	open_backlog(&b, 0, 0, 0);
	begin_storm(&b);
	cr_assert_eq(settle(&b, 10 * MS, 1900), 1900U);
	cr_assert_eq(stats_of(&b).backlogs_cut, 0U);
	(void)settle(&b, 1910 * MS, 200);
	cr_assert_eq(stats_of(&b).backlogs_cut, 1U);
	close_backlog(&b);
}

Test(engine_wake, the_end_of_a_debounce_waits_no_longer_than_an_edge)
{
	struct backlog b;

	open_backlog(&b, 20 * MS, 0, 0);
	fake_edge(0, 5 * MS, true, false);
	cr_assert_eq(wake(&b, 6 * MS, 10), 0);
	begin_storm(&b);
	(void)settle(&b, 10 * MS, 150);
	cr_assert_eq(stats_of(&b).backlogs_cut, 1U);
	close_backlog(&b);
}
