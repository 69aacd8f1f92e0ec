/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rate.h
 * @brief So many a second, of events or of bytes: a token bucket that holds one second's worth.
 *
 * Thread: any one at a time.
 */
#ifndef CUEBUS_RATE_H
#define CUEBUS_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	double tokens;  /**< below 0: one larger than the bucket was taken and is being paid off */
	uint64_t at_ns; /**< when they were counted */
};

/** A full bucket. */
void rate_init(struct rate *rate, uint64_t per_second, uint64_t now_ns);

/**
 * Whether @p n can be taken; nothing is. What is larger than the bucket can when
 * the bucket is full; 0 always can. @p now_ns before the last one counts as that.
 */
bool rate_allows(struct rate *rate, uint64_t n, uint64_t per_second, uint64_t now_ns);

/** Take @p n if rate_allows() them. @return false: it is over the rate, nothing is taken. */
bool rate_take(struct rate *rate, uint64_t n, uint64_t per_second, uint64_t now_ns);

#endif
