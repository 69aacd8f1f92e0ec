/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "engine_fixture.h"

#define MS CUE_NS_PER_MS

static struct config_input button(const char *name, const char *driver, const char *line)
{
	return (struct config_input){
		.name = (char *)(uintptr_t)name,
		.driver = (char *)(uintptr_t)driver,
		.lines = { (char *)(uintptr_t)line },
		.n_lines = line ? 1 : 0,
		.decoder = { .kind = DECODER_BUTTON },
		.producer_id = 7,
		.event = (char *)(uintptr_t) "press",
		.release_event = (char *)(uintptr_t) "release",
	};
}

static struct config config_of(struct config_input *inputs, size_t n)
{
	return (struct config){
		.gateway = { .id = (char *)(uintptr_t) "t" },
		.inputs = inputs,
		.n_inputs = n,
	};
}

Test(engine_inputs, edges_of_all_inputs_are_taken_in_order_of_time)
{
	struct config_input inputs[] = { button("a", "fake", "l0"), button("b", "fake", "l1") };
	struct config config = config_of(inputs, 2);
	struct fixture f;
	char error[512];

	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	fake_edge(0, 10 * MS, true, false);
	fake_edge(0, 30 * MS, false, false);
	fake_edge(1, 20 * MS, true, false);
	fake_edge(1, 10 * MS, false, false); /* older than the one before: sorted, too */
	engine_wake(f.engine, 100 * MS);
	cr_assert_str_eq(fixture_log(&f),
	                 "press@10000000 {\"input\":\"a\",\"pressed\":true}\n"
	                 "press@20000000 {\"input\":\"b\",\"pressed\":true}\n"
	                 "release@30000000 {\"input\":\"a\",\"pressed\":false,\"held_ms\":20}\n");
	cr_assert_eq(cue_bus_now(engine_bus(f.engine)), 100 * MS);
	fixture_tear_down(&f);
}

Test(engine_inputs, an_edge_from_before_now_keeps_its_time_and_one_from_the_future_does_not)
{
	struct config_input inputs[] = { button("a", "fake", "l0") };
	struct config config = config_of(inputs, 1);
	struct fixture f;
	char error[512];

	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	engine_wake(f.engine, 50 * MS);
	fake_edge(0, 40 * MS, true, false);
	fake_edge(0, 90 * MS, false, false);
	engine_wake(f.engine, 60 * MS);
	cr_assert_str_eq(fixture_log(&f),
	                 "press@40000000 {\"input\":\"a\",\"pressed\":true}\n"
	                 "release@60000000 {\"input\":\"a\",\"pressed\":false,\"held_ms\":20}\n");
	fixture_tear_down(&f);
}

Test(engine_inputs, a_gap_is_told_before_what_follows_from_it)
{
	struct config_input inputs[] = { button("a", "fake", "l0") };
	struct config config = config_of(inputs, 1);
	struct fixture f;
	char error[512];

	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	fake_edge(0, 10 * MS, true, true);
	engine_wake(f.engine, 20 * MS);
	cr_assert_str_eq(fixture_log(&f),
	                 "input.resync@10000000 "
	                 "{\"input\":\"a\",\"line\":0,\"level\":true,\"lost\":null}\n"
	                 "press@10000000 {\"input\":\"a\",\"pressed\":true}\n");
	fixture_tear_down(&f);
}

static int find_failed(void *user, const struct engine_input_info *info)
{
	*(bool *)user = info->failed;
	return 0;
}

static bool is_failed(struct fixture *f)
{
	bool failed = false;

	engine_input_foreach(f->engine, find_failed, &failed);
	return failed;
}

Test(engine_inputs, a_failed_driver_is_opened_again_with_growing_delays)
{
	struct config_input inputs[] = { button("a", "fake", "l0") };
	struct config config = config_of(inputs, 1);
	struct fixture f;
	char error[512];

	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	fake_edge(0, 10 * MS, true, false);
	fakes[0].read_error = -ENODEV;
	fakes[0].open_error = -ENODEV;
	engine_wake(f.engine, 20 * MS); /* the edge is read, then… */
	engine_wake(f.engine, 20 * MS); /* …the failure */
	cr_assert_str_eq(fixture_log(&f),
	                 "press@10000000 {\"input\":\"a\",\"pressed\":true}\n"
	                 "input.failed@20000000 {\"input\":\"a\",\"error\":\"No such device\"}\n");
	cr_assert(is_failed(&f));
	cr_assert_eq(fakes[0].closed, 1);
	/* 1 s, then 2 s, then 4 s after */
	cr_assert_eq(engine_next_deadline(f.engine), 1020 * MS);
	engine_wake(f.engine, 1020 * MS);
	cr_assert_eq(engine_next_deadline(f.engine), 3020 * MS);
	engine_wake(f.engine, 3020 * MS);
	cr_assert_eq(engine_next_deadline(f.engine), 7020 * MS);
	cr_assert_str_eq(fixture_log(&f), "");
	/* It is back, and in the meantime the button was let go. */
	fakes[0].open_error = fakes[0].read_error = 0;
	fakes[0].level = false;
	engine_wake(f.engine, 7020 * MS);
	cr_assert_not_null(strstr(fixture_log(&f), "input.restored@7020000000 "
	                                           "{\"input\":\"a\",\"attempts\":3}\n"));
	cr_assert_not(is_failed(&f));
	cr_assert_str_eq(f.failures, "a: No such device\na: restored\n");
	fixture_tear_down(&f);
}

Test(engine_inputs, the_delay_stops_growing_at_30_s)
{
	struct config_input inputs[] = { button("a", "fake", "l0") };
	struct config config = config_of(inputs, 1);
	struct fixture f;
	char error[512];
	uint64_t last = 0, delay = 0;

	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	fakes[0].read_error = -EIO;
	fakes[0].open_error = -EIO;
	engine_wake(f.engine, 0);
	for (int i = 0; i < 10; i++) {
		uint64_t next = engine_next_deadline(f.engine);

		delay = next - last;
		last = next;
		engine_wake(f.engine, next);
	}
	cr_assert_eq(delay, 30 * CUE_NS_PER_S);
	fixture_tear_down(&f);
}

Test(engine_inputs, a_refused_reload_that_opens_a_failed_input_restores_it)
{
	struct config_input inputs[] = { button("a", "fake", "l0") };
	struct config_input others[] = { button("a", "fake", "l0"), button("b", "fake", "l1") };
	struct config config = config_of(inputs, 1), other = config_of(others, 2);
	struct fixture f;
	char error[512];

	others[0].producer_id = 8; /* so it is replaced */
	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	fakes[0].read_error = fakes[0].open_error = -ENODEV;
	engine_wake(f.engine, 20 * MS);
	cr_assert_str_eq(fixture_log(&f),
	                 "input.failed@20000000 {\"input\":\"a\",\"error\":\"No such device\"}\n");
	/* Still broken: reported once. */
	fakes[1].open_error = -ENOENT;
	cr_assert_lt(engine_apply(f.engine, &other, error), 0);
	engine_wake(f.engine, 30 * MS);
	cr_assert_str_eq(fixture_log(&f), "");
	cr_assert(is_failed(&f));
	/* It is back, and the reload is refused for another input. */
	fakes[0].read_error = fakes[0].open_error = 0;
	cr_assert_lt(engine_apply(f.engine, &other, error), 0);
	engine_wake(f.engine, 40 * MS);
	cr_assert_str_eq(fixture_log(&f),
	                 "input.restored@30000000 {\"input\":\"a\",\"attempts\":1}\n");
	cr_assert_not(is_failed(&f));
	cr_assert_str_eq(f.failures, "a: No such device\na: restored\n");
	fixture_tear_down(&f);
}

Test(engine_inputs, either_all_are_opened_or_none)
{
	struct config_input inputs[] = { button("a", "fake", "l0"), button("b", "fake", "l1") };
	struct config config = config_of(inputs, 2);
	struct fixture f;
	char error[512];

	fixture_set_up(&f, &config);
	fakes[1].open_error = -ENOENT;
	cr_assert_eq(engine_open_inputs(f.engine, error), -ENOENT);
	cr_assert_str_eq(error, "l1 is broken");
	cr_assert_not(fakes[0].is_open);
	fakes[1].open_error = 0;
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	cr_assert(fakes[0].is_open && fakes[1].is_open);
	fixture_tear_down(&f);
}

Test(engine_inputs, input_set_is_for_sim_inputs_only)
{
	struct config_input inputs[] = { button("a", "fake", "l0"), button("s", "sim", NULL) };
	struct config config = config_of(inputs, 2);
	struct fixture f;
	char error[512];

	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), 0);
	cr_assert_eq(engine_input_set(f.engine, "none", 0, true, 1), -ENOENT);
	cr_assert_eq(engine_input_set(f.engine, "a", 0, true, 1), -EPERM);
	cr_assert_eq(engine_input_set(f.engine, "s", 1, true, 1), -EINVAL);
	/* An older edge of another input is dispatched first. */
	fake_edge(0, 5 * MS, true, false);
	cr_assert_eq(engine_input_set(f.engine, "s", 0, true, 10 * MS), 0);
	cr_assert_str_eq(fixture_log(&f), "press@5000000 {\"input\":\"a\",\"pressed\":true}\n"
	                                  "press@10000000 {\"input\":\"s\",\"pressed\":true}\n");
	fixture_tear_down(&f);
}

Test(engine_inputs, an_unknown_driver_is_named)
{
	struct config_input inputs[] = { button("a", "telepathy", "l0") };
	struct config config = config_of(inputs, 1);
	struct fixture f;
	char error[512];

	fixture_set_up(&f, &config);
	cr_assert_eq(engine_open_inputs(f.engine, error), -ENODEV);
	cr_assert_not_null(strstr(error, "telepathy"));
	fixture_tear_down(&f);
}
