/* SPDX-License-Identifier: Apache-2.0 */
/* A running run: each firing of its timer emits one occurrence (see run.c) and checks the
 * watchdog.
 *
 * The watchdog needs no timer: until `stopped` is emitted the run's timer is always armed for a
 * time at or before the expected end, or, if the bus refused `stopped`, for the next try a
 * millisecond later. Each firing checks the clock. So `stopped` is overdue in two cases: the
 * process got no CPU and the occurrences are emitted late, or the bus refuses `stopped` for that
 * long. A run that is restored after its expected end is overdue too: no `stopped` was emitted in
 * time. */
#include "playlist_internal.h"

#include <errno.h>

static void arm(struct run *run, const struct occurrence *next)
{
	cue_timer_arm(run->timer, cue_run_deadline(run, next->at_ns));
}

/** How long ago a position was due, by the clock for lateness; 0: it was not. */
static uint64_t late_ns(const struct run *run, uint64_t at_ns)
{
	uint64_t then_ns = at_ns, now_ns = cue_bus_clock(run->set->bus);

	if (run->line)
		then_ns = cue_run_deadline(run, at_ns);
	else /* exact too if the start lies before the clock's zero */
		now_ns -= run->steps.start_ns;
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/** Emit `overdue` once for a run whose `stopped` is overdue. */
static void watch(struct run *run)
{
	uint64_t overdue_ns;

	if (run->was_overdue || !run->has_begun)
		return;
	overdue_ns = late_ns(run, run->def->expected_duration_ns);
	if (overdue_ns < CUE_OVERDUE_AFTER_NS)
		return;
	/* If the bus refuses it, the next firing tries again. */
	if (cue_lifecycle_overdue(run, overdue_ns) < 0)
		return;
	run->was_overdue = true;
	run->set->stats.overdue++;
}

void cue_run_complete(struct run *run, uint64_t last_seq, unsigned last_depth)
{
	struct cue_playlists *set = run->set;
	struct ended_list ended = { 0 };

	cue_run_detach(run,
	               &(struct run_end){ .reason = CUE_STOP_COMPLETED,
	                                  .cause_seq = last_seq,
	                                  .depth = last_depth + 1 },
	               &ended);
	cue_run_end_all(set, &ended);
}

static void skip(struct run *run, uint32_t n)
{
	struct cue_playlists *set = run->set;

	run->skipped_count += n;
	set->stats.steps_skipped += n;
	if (set->observer.skipped)
		set->observer.skipped(set->observer.user, &run->id, run->skipped_count);
}

/** Whether it is due at the time at which the run was started or last steered. */
static bool is_without_delay(const struct run *run, const struct occurrence *occurrence)
{
	if (!run->line)
		return occurrence->at_ns == 0;
	return cue_run_deadline(run, occurrence->at_ns) == run->line->since_ns;
}

/** Its events are part of the cascade that started or steered the run if they have the same
 * time. */
static void emit_occurrence(struct run *run, const struct occurrence *occurrence)
{
	const struct playlist_step *step = &run->def->steps[occurrence->step];
	struct cue_bus *bus = run->set->bus;
	bool no_time_passed = is_without_delay(run, occurrence);
	unsigned depth = no_time_passed ? run->depth : 0;
	uint64_t seq = 0;
	struct occurrence next;
	int r;

	if (!no_time_passed)
		run->cascade = cue_cascade_unref(run->cascade);
	bus->cascade = cue_cascade_ref(run->cascade);
	r = cue_bus_emit_caused(bus,
	                        &(struct cue_emit){ .type = cue_type_name(step->type),
	                                            .producer_id = step->producer_id,
	                                            .payload = step->data,
	                                            .time_ns = CUE_TIME_NONE },
	                        run->cause_seq, depth, &seq);
	if (seq == 0)
		seq = run->cause_seq;
	cue_run_steps_advance(&run->steps, run->def, 1);
	if (r >= 0) {
		run->emitted_count++;
		run->set->stats.steps_emitted++;
		/* If the bus refuses the event, it reports that itself. */
		(void)cue_lifecycle_emitted(run, occurrence,
		                            late_ns(run, occurrence->at_ns) / CUE_NS_PER_US, seq,
		                            depth + 1);
	} else {
		skip(run, 1);
	}
	if (cue_run_steps_peek(&run->steps, run->def, &next))
		arm(run, &next);
	else
		cue_run_complete(run, seq, depth);
	bus->cascade = cue_cascade_unref(bus->cascade);
}

/** Emit the occurrence due at @p deadline_ns, or with `late: skip` skip it. */
static void tick(struct run *run, uint64_t deadline_ns)
{
	struct occurrence next = { 0 };

	while (cue_run_steps_peek(&run->steps, run->def, &next) &&
	       cue_run_deadline(run, next.at_ns) <= deadline_ns) {
		uint32_t n = 0;

		if (run->def->late == CUE_LATE_SKIP)
			n = cue_run_steps_overdue(
			        run->def, &next,
			        cue_run_position(run, cue_bus_horizon(run->set->bus)));
		if (n == 0) {
			emit_occurrence(run, &next);
			return;
		}
		cue_run_steps_advance(&run->steps, run->def, n);
		skip(run, n);
	}
	arm(run, &next);
}

static void tell_again(struct run *run)
{
	struct cue_playlists *set = run->set;
	struct ended_list ended = { .first = run, .last = run };

	cue_run_list_remove(&set->untold, run, RUNS_OF_SET);
	cue_run_end_all(set, &ended);
}

void cue_run_on_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct run *run = user;

	cue_bus_begin(bus);
	watch(run);
	switch (run->phase) {
	case RUN_WAITING: /* never armed */
		cue_bus_report(bus, &(struct cue_report){ .code = CUE_REPORT_HANDLER_FAILED,
		                                          .error = -EINVAL,
		                                          .what = run->def->name });
		break;
	case RUN_RUNNING:
		tick(run, deadline_ns);
		break;
	case RUN_ENDED:
		tell_again(run);
		break;
	}
	cue_bus_end(bus);
}
