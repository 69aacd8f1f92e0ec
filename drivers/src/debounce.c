/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   state   | edge to the accepted level | edge to the other level      | deadline
 *   STABLE  | ignored (its counterpart   | debounce_ns 0: accept        | impossible
 *           | was lost)                  | defer: first = time          |
 *           |                            |        -> PENDING            |
 *           |                            | eager: accept -> BLIND       |
 *   PENDING | deadline = time + debounce | deadline = time + debounce   | see below -> STABLE
 *   BLIND   | last = time                | last = time                  | level as accepted:
 *           |                            |                              | -> STABLE; else accept
 *           |                            |                              | since last -> BLIND
 *
 * At the deadline of PENDING: if the level is the accepted one, all edges were bounces. Otherwise
 * the level is accepted, and all edges except the first were bounces.
 *
 * A return to the accepted level does not end a transition: a bouncing contact returns at once, and
 * the time of its first edge must count.
 *
 * BLIND: its deadline is debounce_ns after the accepted edge, however often the contact bounces, so
 * that a release is never later than that. The level that is read then has held since the last
 * edge: which of the edges before it were bounces is unknown. That edge may itself be the beginning
 * of a bounce, so it begins another BLIND.
 */
#include "debounce.h"

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/** Edges of the transition so far that were bounces, however it ends. */
static uint64_t bounces_at_least(const struct debounce *debounce)
{
	return debounce->state != DEBOUNCE_STABLE && debounce->n_edges > 0 ? debounce->n_edges - 1
	                                                                   : 0;
}

void debounce_start(struct debounce *debounce, bool level)
{
	if (debounce->state != DEBOUNCE_STABLE)
		debounce->bounces += debounce->n_edges;
	debounce->state = DEBOUNCE_STABLE;
	debounce->level = debounce->raw = level;
}

/** Accept @p level since @p time_ns, and be blind from there. */
static void accept_eagerly(struct debounce *debounce, bool level, uint64_t time_ns)
{
	debounce->state = DEBOUNCE_BLIND;
	debounce->level = level;
	debounce->first_ns = debounce->last_ns = time_ns;
	debounce->deadline_ns = add_saturated(time_ns, debounce->debounce_ns);
	debounce->n_edges = 0;
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
	if (debounce->eager) {
		accept_eagerly(debounce, level, time_ns);
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

static bool edge_blind(struct debounce *debounce, bool level, uint64_t time_ns)
{
	debounce->raw = level;
	debounce->n_edges++;
	if (time_ns > debounce->last_ns)
		debounce->last_ns = time_ns;
	return false;
}

bool debounce_edge(struct debounce *debounce, bool level, uint64_t time_ns)
{
	switch (debounce->state) {
	case DEBOUNCE_STABLE:
		return edge_stable(debounce, level, time_ns);
	case DEBOUNCE_PENDING:
		return edge_pending(debounce, level, time_ns);
	case DEBOUNCE_BLIND:
		return edge_blind(debounce, level, time_ns);
	}
	return false;
}

static bool settle_pending(struct debounce *debounce, uint64_t *ret_time_ns)
{
	debounce->state = DEBOUNCE_STABLE;
	debounce->level = debounce->raw;
	*ret_time_ns = debounce->first_ns;
	return true;
}

static bool settle_blind(struct debounce *debounce, uint64_t *ret_time_ns)
{
	*ret_time_ns = debounce->last_ns;
	accept_eagerly(debounce, debounce->raw, debounce->last_ns);
	return true;
}

bool debounce_settle(struct debounce *debounce, uint64_t *ret_time_ns)
{
	if (debounce->state != DEBOUNCE_STABLE && debounce->raw == debounce->level) {
		debounce->bounces += debounce->n_edges;
		debounce->state = DEBOUNCE_STABLE;
		return false;
	}
	debounce->bounces += bounces_at_least(debounce);
	switch (debounce->state) {
	case DEBOUNCE_STABLE:
		return false;
	case DEBOUNCE_PENDING:
		return settle_pending(debounce, ret_time_ns);
	case DEBOUNCE_BLIND:
		return settle_blind(debounce, ret_time_ns);
	}
	return false;
}

uint64_t debounce_bounces(const struct debounce *debounce)
{
	return debounce->bounces + bounces_at_least(debounce);
}
