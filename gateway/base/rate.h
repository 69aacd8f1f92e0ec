/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rate.h
 * @brief A rate limit for events or bytes: a token bucket of one second.
 *
 * Thread: any one at a time.
 */
#ifndef CUEBUS_RATE_H
#define CUEBUS_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	/** below 0: an item larger than the bucket was taken and is being compensated */
	double tokens;
	uint64_t at_ns; /**< time of the last update */
};

/** Start with a full bucket. */
void rate_init(struct rate *rate, uint64_t per_second, uint64_t now_ns);

/**
 * Whether @p n can be taken, without taking it. An item larger than the bucket can be taken if the
 * bucket is full; 0 always can. A @p now_ns before the last one counts as the last one.
 */
bool rate_allows(struct rate *rate, uint64_t n, uint64_t per_second, uint64_t now_ns);

/** Take @p n if rate_allows() allows it. @return false: beyond the rate, nothing is taken. */
bool rate_take(struct rate *rate, uint64_t n, uint64_t per_second, uint64_t now_ns);

#endif
