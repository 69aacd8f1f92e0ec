/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rate.h
 * @brief So many a second: a token bucket that holds one second's worth.
 *
 * Thread: any one at a time.
 */
#ifndef CUEBUS_RATE_H
#define CUEBUS_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	double tokens;
	uint64_t at_ns; /**< when they were counted */
};

/** A full bucket. */
void rate_init(struct rate *rate, uint32_t per_second, uint64_t now_ns);

/** Take one. @p now_ns before the last one counts as that. @return false: it is over the rate. */
bool rate_take(struct rate *rate, uint32_t per_second, uint64_t now_ns);

#endif
