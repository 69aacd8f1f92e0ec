/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog: a run whose `stopped` is absent 5 s after its expected end. */
#include "bus_internal.h"
#include "playlist_fixture.h"

static const struct cue_step two[] = { { .emit = "x" }, { .emit = "y", .offset_ns = MS(100) } };

static void define(struct pf *f)
{
	f->no_emitted = true;
	pf_define(f, &(struct cue_playlist_config){ .name = "p", .steps = two, .n_steps = 2 });
}

static uint64_t overdue(const struct pf *f)
{
	struct cue_playlists_stats stats;

	cue_playlists_get_stats(f->playlists, &stats);
	return stats.overdue;
}

Test(run_tick, a_process_that_slept_is_told_as_overdue_once)
{
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .clock_ns = pf_clock });
	define(&f);
	pf_start(&f, "p");
	f.clock_ns = MS(5100);
	pf_advance(&f, 5100);
	pf_expect(&f, "0 created A\n0 overdue A 5000\n0 x\n100 y\n100 stopped A completed 2\n");
	cr_assert_eq(overdue(&f), 1U);
	pf_close(&f);
}

Test(run_tick, a_little_less_is_not_overdue)
{
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .clock_ns = pf_clock });
	define(&f);
	pf_start(&f, "p");
	f.clock_ns = MS(5100) - 1;
	cr_assert_eq(cue_bus_advance(f.bus, f.clock_ns), 0);
	pf_expect(&f, "0 created A\n0 x\n100 y\n100 stopped A completed 2\n");
	cr_assert_eq(overdue(&f), 0U);
	pf_close(&f);
}

Test(run_tick, time_that_arrives_in_one_piece_is_not_lateness)
{
	struct pf f;

	pf_open(&f);
	define(&f);
	pf_start(&f, "p");
	pf_advance(&f, 100000);
	pf_expect(&f, "0 created A\n0 x\n100 y\n100 stopped A completed 2\n");
	pf_close(&f);
}

Test(run_tick, an_interrupted_run_is_not_overdue)
{
	const struct cue_filter stop = { .type = "stop" };
	struct pf f;

	pf_open(&f);
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .interrupts = &stop,
	                                             .n_interrupts = 1,
	                                             .steps = two,
	                                             .n_steps = 2 });
	pf_start(&f, "p");
	pf_advance(&f, 50);
	pf_emit(&f, "stop");
	pf_advance(&f, 60000);
	pf_expect(&f, "0 created A\n0 x\n50 stop\n50 stopped A interrupted 1\n");
	cr_assert_eq(overdue(&f), 0U);
	pf_close(&f);
}

/* The bus refuses every event, as it does when memory is used up. */
struct blockade {
	struct pf f;
	struct cue_timer *off, *on;
};

static void close_bus(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	(void)user, (void)deadline_ns;
	bus->limits.queue_events = 0;
}

static void open_bus(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	(void)user, (void)deadline_ns;
	bus->limits.queue_events = 100;
}

static void blockade_begin(struct blockade *b, uint64_t from_ms, uint64_t to_ms)
{
	pf_open(&b->f);
	cr_assert_eq(cue_timer_new(b->f.bus, close_bus, b, &b->off), 0);
	cr_assert_eq(cue_timer_new(b->f.bus, open_bus, b, &b->on), 0);
	cue_timer_arm(b->off, MS(from_ms));
	cue_timer_arm(b->on, MS(to_ms));
	define(&b->f);
	pf_start(&b->f, "p");
}

static void blockade_end(struct blockade *b)
{
	cue_timer_free(b->off);
	cue_timer_free(b->on);
	pf_close(&b->f);
}

Test(run_tick, a_stopped_that_the_bus_refuses_for_long_is_overdue_and_still_comes)
{
	struct blockade b;

	/* Overdue when the bus accepts events again: reported before `stopped`. */
	blockade_begin(&b, 50, 6000);
	pf_advance(&b.f, 10000);
	pf_expect(&b.f, "0 created A\n0 x\n6000 overdue A 5900\n"
	                "6000 stopped A completed 1 skipped 1\n");
	cr_assert_eq(overdue(&b.f), 1U);
	blockade_end(&b);
}

Test(run_tick, a_stopped_that_the_bus_refuses_for_a_while_just_comes)
{
	struct blockade b;

	blockade_begin(&b, 50, 5099);
	pf_advance(&b.f, 10000);
	pf_expect(&b.f, "0 created A\n0 x\n5099 stopped A completed 1 skipped 1\n");
	cr_assert_eq(overdue(&b.f), 0U);
	blockade_end(&b);
}

Test(run_tick, overdue_carries_the_fields_of_its_schema)
{
	const cJSON *json;
	struct pf f;
	cJSON *root;

	pf_open_config(&f, (struct cue_bus_config){ .clock_ns = pf_clock });
	define(&f);
	pf_start(&f, "p");
	pf_advance(&f, 0);
	f.clock_ns = MS(7350);
	pf_advance(&f, 7350);
	root = cJSON_Parse(f.last[PF_OVERDUE]);
	cr_assert(root != NULL);
	cr_assert_str_eq(pf_text(root, "playlist_name"), "p");
	cr_assert_eq(pf_ms(root, "expected_duration"), 100);
	cr_assert_eq(pf_ms(root, "overdue_by"), 7250);
	cr_assert_eq(pf_number(root, "emitted_count"), 1);
	json = cJSON_GetObjectItemCaseSensitive(root, "playlist_id");
	cr_assert(cJSON_IsString(json));
	cJSON_Delete(root);
	pf_close(&f);
}
