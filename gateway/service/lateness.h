/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file lateness.h
 * @brief A histogram of how late timers ran: logarithmic buckets with eight
 *        steps an octave, so a percentile is at most 12.5 % too high. Pure.
 */
#ifndef CUEBUS_LATENESS_H
#define CUEBUS_LATENESS_H

#include <stdint.h>

#define LATENESS_BUCKETS (62U * 8U)

/** Zero-initialise before use. */
struct lateness {
	uint64_t count;
	uint64_t max_ns;
	uint32_t buckets[LATENESS_BUCKETS];
};

void lateness_add(struct lateness *lateness, uint64_t ns);
/** Upper end of the bucket with the @p per_mille-th part, never above the maximum; 0 if empty. */
uint64_t lateness_percentile_ns(const struct lateness *lateness, unsigned per_mille);
void lateness_reset(struct lateness *lateness);

#endif
