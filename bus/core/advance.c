/* SPDX-License-Identifier: Apache-2.0 */
/* Time: timers in order of (deadline, creation), whole or in portions. */
#include "bus_internal.h"

#include <errno.h>

/** The arguments of one advance. */
struct request {
	uint64_t now_ns;
	bool inclusive;
	bool urgent;               /* fire only urgent timers and overtake the others */
	struct cue_budget *budget; /* NULL: no bound */
};

uint64_t cue_bus_now(const struct cue_bus *bus)
{
	return bus->now_ns;
}

void cue_bus_set_wall_offset(struct cue_bus *bus, int64_t wall_offset_ns)
{
	bus->wall_offset_ns = wall_offset_ns;
}

int64_t cue_bus_wall_offset(const struct cue_bus *bus)
{
	return bus->wall_offset_ns;
}

uint64_t cue_bus_clock(const struct cue_bus *bus)
{
	uint64_t clock_ns;

	if (!bus->config.clock_ns)
		return bus->now_ns;
	clock_ns = bus->config.clock_ns(bus->config.user);
	return clock_ns > bus->now_ns ? clock_ns : bus->now_ns;
}

uint64_t cue_bus_horizon(const struct cue_bus *bus)
{
	uint64_t clock_ns = cue_bus_clock(bus);

	if (!bus->advancing)
		return bus->now_ns;
	return clock_ns < bus->target_ns ? clock_ns : bus->target_ns;
}

void cue_bus_defer(struct cue_bus *bus, bool defer)
{
	bus->deferred = defer;
}

bool cue_bus_is_urgent_due(const struct cue_bus *bus, uint64_t now_ns)
{
	return cue_timer_is_due(bus, now_ns, true, true);
}

bool cue_bus_has_waiting(const struct cue_bus *bus)
{
	return bus->queue.n > 0;
}

static bool is_busy(const struct cue_bus *bus)
{
	return bus->dispatching || bus->advancing || bus->hold > 0;
}

static void fire(struct cue_bus *bus, struct cue_timer *timer, bool overtakes)
{
	uint64_t deadline_ns = timer->deadline_ns;

	if (deadline_ns > bus->now_ns)
		bus->now_ns = deadline_ns;
	if (deadline_ns > bus->line_ns && !overtakes)
		bus->line_ns = deadline_ns;
	bus->stats.timers_fired++;
	bus->hold++;
	bus->on_line = !overtakes;
	timer->handler(timer->user, bus, deadline_ns);
	bus->on_line = false;
	bus->hold--;
}

/** Each timer's events are dispatched before the next timer fires. */
static int run_due(struct cue_bus *bus, const struct request *request)
{
	int r;

	while ((r = cue_queue_drain(bus, request->budget)) >= 0) {
		if (!cue_timer_is_due(bus, request->now_ns, request->inclusive, request->urgent))
			return 0;
		if (request->budget && !cue_budget_take(request->budget))
			return -EAGAIN;
		fire(bus, cue_timer_pop(bus, request->urgent), request->urgent);
	}
	return r;
}

static int advance(struct cue_bus *bus, const struct request *request)
{
	int r;

	if (is_busy(bus))
		return -EBUSY;
	if (request->now_ns < bus->now_ns)
		return bus->deferred ? cue_queue_drain(bus, request->budget) : 0;
	bus->advancing = true;
	/* Events at now_ns itself come before the timers of that time: they may stop them. */
	bus->target_ns = request->now_ns - (!request->inclusive && request->now_ns > 0);
	r = run_due(bus, request);
	if (r >= 0)
		bus->now_ns = request->now_ns;
	if (r >= 0 && !request->urgent)
		bus->line_ns = request->now_ns;
	bus->advancing = false;
	return r;
}

int cue_bus_advance(struct cue_bus *bus, uint64_t now_ns)
{
	return advance(bus, &(struct request){ .now_ns = now_ns, .inclusive = true });
}

int cue_bus_advance_before(struct cue_bus *bus, uint64_t now_ns)
{
	return advance(bus, &(struct request){ .now_ns = now_ns });
}

int cue_bus_advance_within(struct cue_bus *bus, uint64_t now_ns, struct cue_budget *budget)
{
	return advance(bus,
	               &(struct request){ .now_ns = now_ns, .inclusive = true, .budget = budget });
}

int cue_bus_advance_before_within(struct cue_bus *bus, uint64_t now_ns, struct cue_budget *budget)
{
	return advance(bus, &(struct request){ .now_ns = now_ns, .budget = budget });
}

int cue_bus_overtake(struct cue_bus *bus, uint64_t now_ns, bool inclusive,
                     struct cue_budget *budget)
{
	return advance(bus, &(struct request){ .now_ns = now_ns,
	                                       .inclusive = inclusive,
	                                       .urgent = true,
	                                       .budget = budget });
}

int cue_bus_dispatch(struct cue_bus *bus, struct cue_budget *budget)
{
	return is_busy(bus) ? -EBUSY : cue_queue_drain(bus, budget);
}
