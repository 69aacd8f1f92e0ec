/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file wall_offset.h
 * @brief Wall time minus monotonic time, and when it is a new one.
 *
 * `timestamp` is the only thing that knows of wall time. It is computed from
 * one offset, which follows the system's clock when that is set.
 */
#ifndef CUEBUS_WALL_OFFSET_H
#define CUEBUS_WALL_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

/** Difference from which the wall clock is taken to have moved. */
#define WALL_STEP_NS 1000000LL

struct wall_clocks {
	uint64_t (*monotonic_ns)(void *user);
	int64_t (*wall_ns)(void *user);
	void *user;
};

/** The offset now; the error is what passes between two readings, the best of a few. */
int64_t wall_offset_read(const struct wall_clocks *clocks);

/**
 * Whether to go over to @p new_ns. What is less than a step is the error of
 * reading (or the clock being slewed), and to follow it would date one event
 * differently in two places.
 */
bool wall_offset_is_step(int64_t old_ns, int64_t new_ns);

#endif
