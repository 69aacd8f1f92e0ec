/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file wall_offset.h
 * @brief Wall time minus monotonic time, and detection of steps.
 *
 * Only `timestamp` uses wall time. It is computed from one offset, which follows the system's clock
 * when that is set.
 */
#ifndef CUEBUS_WALL_OFFSET_H
#define CUEBUS_WALL_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

/** Difference from which the wall clock counts as set. */
#define WALL_STEP_NS 1000000LL

struct wall_clocks {
	uint64_t (*monotonic_ns)(void *user);
	int64_t (*wall_ns)(void *user);
	void *user;
};

/** The current offset, with the error of the best of a few pairs of readings. */
int64_t wall_offset_read(const struct wall_clocks *clocks);

/**
 * Whether to adopt @p new_ns. A smaller difference is the error of reading (or slewing of the
 * clock), and following it would give one event different times in two places.
 */
bool wall_offset_is_step(int64_t old_ns, int64_t new_ns);

#endif
