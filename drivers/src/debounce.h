/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file debounce.h
 * @brief The debounce of one line, in one of two modes. A pure state machine: the caller passes the
 * time.
 *
 * Defer: a level counts once it was stable. Edges that follow each other within debounce_ns are one
 * transition. It ends debounce_ns after its last edge. If the level then differs from the one
 * before, it changed at the transition's first edge; otherwise the whole transition was a glitch.
 *
 * Eager: the first edge counts at once. For debounce_ns from then on edges are bounces. If the line
 * then has the other level, that level counts, since the last edge; its own debounce time began
 * there.
 */
#ifndef CUEBUS_DEBOUNCE_H
#define CUEBUS_DEBOUNCE_H

#include <stdbool.h>
#include <stdint.h>

enum debounce_state {
	DEBOUNCE_STABLE,
	DEBOUNCE_PENDING, /**< defer */
	DEBOUNCE_BLIND,   /**< eager */
};

struct debounce {
	uint64_t debounce_ns;
	bool eager;
	enum debounce_state state;
	bool level;           /**< accepted */
	bool raw;             /**< after the last edge */
	uint64_t first_ns;    /**< PENDING: the first edge; BLIND: when the level was accepted */
	uint64_t last_ns;     /**< BLIND: the last edge */
	uint64_t deadline_ns; /**< PENDING, BLIND: end of the transition */
	uint64_t n_edges;     /**< PENDING: edges of the transition; BLIND: those after the first */
	uint64_t bounces;     /**< edges suppressed in finished transitions */
};

/** Set the accepted level and drop a pending transition. */
void debounce_start(struct debounce *debounce, bool level);

/**
 * Handle one edge. An edge exactly at the deadline still belongs to the transition.
 * @return true if the edge changed the accepted level, at @p time_ns: only with debounce_ns 0, or
 *         an eager debounce.
 */
bool debounce_edge(struct debounce *debounce, bool level, uint64_t time_ns);

/**
 * Serve a deadline that has passed without another edge. An eager transition may then have a later
 * deadline.
 * @param ret_time_ns time since which the level counts: defer: of the transition's first edge;
 *        eager: of the last. Set only if the result is true.
 * @return true if the accepted level changed.
 */
bool debounce_settle(struct debounce *debounce, uint64_t *ret_time_ns);

/** Edges suppressed so far, including those of a line that never settles. */
uint64_t debounce_bounces(const struct debounce *debounce);

#endif
