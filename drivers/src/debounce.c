/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   state   | edge to the accepted level | edge to the other level      | deadline
 *   STABLE  | ignored (its counterpart   | debounce_ns 0: accept        | impossible
 *           | was lost)                  | else first = time -> PENDING |
 *   PENDING | deadline = time + debounce | deadline = time + debounce   | see below -> STABLE
 *
 * At the deadline: if the level is the accepted one, all edges were bounces. Otherwise the level is
 * accepted, and all edges except the first were bounces.
 *
 * A return to the accepted level does not end a transition: a bouncing contact returns at once, and
 * the time of its first edge must count.
 */
#include "debounce.h"

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void debounce_start(struct debounce *debounce, bool level)
{
	if (debounce->state == DEBOUNCE_PENDING)
		debounce->bounces += debounce->n_edges;
	debounce->state = DEBOUNCE_STABLE;
	debounce->level = debounce->raw = level;
}

static bool edge_stable(struct debounce *debounce, bool level, uint64_t time_ns)
{
	if (level == debounce->level)
		return false;
	debounce->raw = level;
	if (debounce->debounce_ns == 0) {
		debounce->level = level;
		return true;
	}
	debounce->state = DEBOUNCE_PENDING;
	debounce->first_ns = time_ns;
	debounce->deadline_ns = add_saturated(time_ns, debounce->debounce_ns);
	debounce->n_edges = 1;
	return false;
}

static bool edge_pending(struct debounce *debounce, bool level, uint64_t time_ns)
{
	uint64_t deadline_ns = add_saturated(time_ns, debounce->debounce_ns);

	debounce->raw = level;
	debounce->n_edges++;
	if (deadline_ns > debounce->deadline_ns)
		debounce->deadline_ns = deadline_ns;
	return false;
}

bool debounce_edge(struct debounce *debounce, bool level, uint64_t time_ns)
{
	switch (debounce->state) {
	case DEBOUNCE_STABLE:
		return edge_stable(debounce, level, time_ns);
	case DEBOUNCE_PENDING:
		return edge_pending(debounce, level, time_ns);
	}
	return false;
}

bool debounce_settle(struct debounce *debounce, uint64_t *ret_time_ns)
{
	switch (debounce->state) {
	case DEBOUNCE_STABLE:
		return false;
	case DEBOUNCE_PENDING:
		debounce->state = DEBOUNCE_STABLE;
		if (debounce->raw == debounce->level) {
			debounce->bounces += debounce->n_edges;
			return false;
		}
		debounce->bounces += debounce->n_edges - 1;
		debounce->level = debounce->raw;
		*ret_time_ns = debounce->first_ns;
		return true;
	}
	return false;
}

uint64_t debounce_bounces(const struct debounce *debounce)
{
	/* However the transition ends, all edges except the first are bounces. */
	return debounce->bounces +
	       (debounce->state == DEBOUNCE_PENDING ? debounce->n_edges - 1 : 0);
}
