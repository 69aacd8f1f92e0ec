/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file backoff.h
 * @brief How long to wait before the next attempt to connect.
 *
 * Doubling from 100 ms to 30 s, with jitter: the delay is drawn from the upper
 * half of the step, so that gateways whose broker died at the same moment
 * don't come back at the same moment. Pure: the random number is given.
 */
#ifndef CUEBUS_BACKOFF_H
#define CUEBUS_BACKOFF_H

#include <stdint.h>

#define BACKOFF_MIN_NS 100000000ULL
#define BACKOFF_MAX_NS 30000000000ULL
/** Another client took our id: two that evict each other must not do so several times a second. */
#define BACKOFF_TAKEOVER_NS 10000000000ULL
/** A connection that lasted so long was a good one. */
#define BACKOFF_STABLE_NS 60000000000ULL

/** Zero-initialised is a fresh start. */
struct backoff {
	uint64_t step_ns;
	/* For tests; 0 is the default, from above. */
	uint64_t min_ns, max_ns;
};

/** Forget the attempts so far. */
void backoff_reset(struct backoff *backoff);
/** The next delay; @p random is any 32 random bits. */
uint64_t backoff_next(struct backoff *backoff, uint32_t random);
/** A connection ended: start anew if it lasted long enough. */
void backoff_connected_for(struct backoff *backoff, uint64_t duration_ns);
/** The next delay is a long one. */
void backoff_takeover(struct backoff *backoff);

#endif
