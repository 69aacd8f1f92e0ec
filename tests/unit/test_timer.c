/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_fixture.h"
#include "cue_criterion.h"

struct probe {
	struct fixture *f;
	const char *name;
	struct cue_timer *timer;
	uint64_t again_ns; /* re-arm once to this */
	bool free_self;
	uint64_t seen_now;
};

static void on_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct probe *p = user;

	p->seen_now = cue_bus_now(bus);
	cr_assert_geq(p->seen_now, deadline_ns);
	cr_assert(!cue_timer_is_armed(p->timer));
	fixture_log(p->f, p->name);
	if (p->again_ns) {
		cue_timer_arm(p->timer, p->again_ns);
		p->again_ns = 0;
	}
	if (p->free_self)
		p->timer = cue_timer_free(p->timer);
}

static void make(struct fixture *f, struct probe *p, const char *name)
{
	*p = (struct probe){ .f = f, .name = name };
	cr_assert_eq(cue_timer_new(f->bus, on_timer, p, &p->timer), 0);
}

Test(timer, fires_by_deadline_then_creation)
{
	struct fixture f;
	struct probe a, b, c;

	fixture_open(&f, NULL);
	make(&f, &a, "a");
	make(&f, &b, "b");
	make(&f, &c, "c");
	cue_timer_arm(c.timer, 2000);
	cue_timer_arm(b.timer, 2000);
	cue_timer_arm(a.timer, 3000);
	cr_assert_eq(cue_bus_next_deadline(f.bus), 2000U);
	cr_assert_eq(cue_bus_advance(f.bus, 5000), 0);
	cr_assert_str_eq(f.log, "b c a");
	cr_assert_eq(a.seen_now, 3000U);
	cr_assert_eq(cue_bus_now(f.bus), 5000U);
	cr_assert_eq(cue_bus_next_deadline(f.bus), CUE_TIME_NONE);
	cue_timer_free(a.timer);
	cue_timer_free(b.timer);
	cue_timer_free(c.timer);
	fixture_close(&f);
}

Test(timer, before_is_strict_so_input_goes_first)
{
	struct fixture f;
	struct probe a;

	fixture_open(&f, NULL);
	make(&f, &a, "a");
	cue_timer_arm(a.timer, 2000);
	cue_bus_advance_before(f.bus, 2000);
	cr_assert_str_eq(f.log, "");
	cr_assert_eq(cue_bus_now(f.bus), 2000U);
	cue_bus_advance(f.bus, 2000);
	cr_assert_str_eq(f.log, "a");
	cue_timer_free(a.timer);
	fixture_close(&f);
}

Test(timer, may_rearm_and_free_itself)
{
	struct fixture f;
	struct probe a, b;
	struct cue_bus_stats stats;

	fixture_open(&f, NULL);
	make(&f, &a, "a");
	make(&f, &b, "b");
	a.again_ns = 2500;
	b.free_self = true;
	cue_timer_arm(a.timer, 2000);
	cue_timer_arm(b.timer, 2200);
	cue_bus_advance(f.bus, 9000);
	cr_assert_str_eq(f.log, "a b a");
	cr_assert_null(b.timer);
	cue_timer_free(a.timer);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.timers_armed, 0U);
	cr_assert_eq(stats.timers_fired, 3U);
	fixture_close(&f);
}

Test(timer, past_deadline_is_due_at_once_and_time_never_goes_back)
{
	struct fixture f;
	struct probe a;

	fixture_open(&f, NULL);
	make(&f, &a, "a");
	cue_timer_arm(a.timer, 10);
	cue_bus_advance(f.bus, 500); /* before now: nothing happens */
	cr_assert_str_eq(f.log, "");
	cue_bus_advance(f.bus, 1000);
	cr_assert_str_eq(f.log, "a");
	cr_assert_eq(a.seen_now, 1000U);
	cue_timer_free(a.timer);
	fixture_close(&f);
}

Test(timer, passed_is_the_time_behind_which_nothing_is_left_to_run)
{
	uint64_t passed_ns = 7;
	struct fixture f;
	struct probe a;

	fixture_open(&f, NULL); /* at 1000 */
	make(&f, &a, "a");
	cr_assert(cue_bus_get_passed(f.bus, &passed_ns));
	cr_assert_eq(passed_ns, 1000U);
	cue_timer_arm(a.timer, 1001);
	cr_assert(cue_bus_get_passed(f.bus, &passed_ns));
	cr_assert_eq(passed_ns, 1000U);
	cue_timer_arm(a.timer, 1000);
	cr_assert(cue_bus_get_passed(f.bus, &passed_ns));
	cr_assert_eq(passed_ns, 999U);
	cue_timer_arm(a.timer, 10);
	cr_assert_eq(cue_bus_next_deadline(f.bus), 1000U); /* never before now */
	cr_assert(cue_bus_get_passed(f.bus, &passed_ns));
	cr_assert_eq(passed_ns, 9U);
	cue_timer_arm(a.timer, 0);
	cr_assert_not(cue_bus_get_passed(f.bus, &passed_ns));
	cr_assert_eq(passed_ns, 9U);
	cue_timer_free(a.timer);
	fixture_close(&f);
}

/* The heap against a naive reference: always the least (deadline, creation). */
Test(timer, random_arms_moves_and_disarms_match_a_sorted_list)
{
	enum { N = 50 };
	struct fixture f;
	struct probe probes[N];
	char names[N][8];
	uint64_t deadlines[N];

	fixture_open(&f, NULL);
	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "%d", i);
		make(&f, &probes[i], names[i]);
	}
	for (int round = 0; round < 300; round++) {
		char expected[4096] = "";
		uint64_t base = cue_bus_now(f.bus);
		unsigned char r[N];

		fixture_random(&f, r, sizeof(r));
		for (int i = 0; i < N; i++) {
			deadlines[i] = CUE_TIME_NONE;
			if (r[i] % 4 == 0)
				continue;
			deadlines[i] = base + 1 + r[i] % 16;
			cue_timer_arm(probes[i].timer, base + 1 + r[(i + 1) % N] % 16);
			cue_timer_arm(probes[i].timer, deadlines[i]); /* moved */
			if (r[i] % 4 == 1) {
				cue_timer_disarm(probes[i].timer);
				deadlines[i] = CUE_TIME_NONE;
			}
		}
		for (uint64_t t = base; t <= base + 20; t++) {
			for (int i = 0; i < N; i++) {
				size_t used = strlen(expected);

				if (deadlines[i] == t)
					snprintf(expected + used, sizeof(expected) - used, "%s%d",
					         used ? " " : "", i);
			}
		}
		f.log[0] = '\0';
		cue_bus_advance(f.bus, base + 20);
		cr_assert_str_eq(f.log, expected);
	}
	for (int i = 0; i < N; i++)
		cue_timer_free(probes[i].timer);
	fixture_close(&f);
}
