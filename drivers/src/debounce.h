/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file debounce.h
 * @brief One line's debounce: a level counts when it was stable.
 *
 * Edges that follow each other within debounce_ns are one transition. Its
 * outcome is known debounce_ns after its last edge; if the level is another
 * one than before, it changed at the transition's first edge, else the whole
 * transition was a glitch. A pure state machine: time comes with the calls.
 */
#ifndef CUEBUS_DEBOUNCE_H
#define CUEBUS_DEBOUNCE_H

#include <stdbool.h>
#include <stdint.h>

enum debounce_state { DEBOUNCE_STABLE, DEBOUNCE_PENDING };

struct debounce {
	uint64_t debounce_ns;
	enum debounce_state state;
	bool level;           /**< accepted */
	bool raw;             /**< after the last edge */
	uint64_t first_ns;    /**< PENDING: the transition's first edge */
	uint64_t deadline_ns; /**< PENDING: when it is decided */
	uint64_t n_edges;     /**< PENDING: edges of the transition */
	uint64_t bounces;     /**< edges swallowed in transitions that are over */
};

/** Take a level as given, forget what was pending. */
void debounce_start(struct debounce *debounce, bool level);

/**
 * One edge; an edge at exactly the deadline still belongs to the transition.
 * @return true when the accepted level changed by it: only with debounce_ns 0,
 *         and then at @p time_ns.
 */
bool debounce_edge(struct debounce *debounce, bool level, uint64_t time_ns);

/**
 * The deadline has passed without another edge.
 * @param ret_time_ns set when true is returned: the transition's first edge.
 * @return true when the accepted level changed.
 */
bool debounce_settle(struct debounce *debounce, uint64_t *ret_time_ns);

/** Edges swallowed so far, those of a line that never settles included. */
uint64_t debounce_bounces(const struct debounce *debounce);

#endif
