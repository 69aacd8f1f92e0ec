/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file backoff.h
 * @brief The delay before the next attempt to connect.
 *
 * It doubles from 100 ms to 30 s, with jitter: the delay is drawn from the upper half of the step,
 * so that gateways that lost the same broker do not reconnect at the same moment. Pure: the caller
 * passes the random number.
 */
#ifndef CUEBUS_BACKOFF_H
#define CUEBUS_BACKOFF_H

#include <stdint.h>

#define BACKOFF_MIN_NS 100000000ULL
#define BACKOFF_MAX_NS 30000000000ULL
/** Delay after another client took our id: two clients with one id must not evict each other
 * several times a second. */
#define BACKOFF_TAKEOVER_NS 10000000000ULL
/** A connection that lasted at least this long resets the backoff. */
#define BACKOFF_STABLE_NS 60000000000ULL

/** Zero-initialise before use. */
struct backoff {
	uint64_t step_ns;
	/* For tests; 0: the defaults above. */
	uint64_t min_ns, max_ns;
};

/** Forget the attempts so far. */
void backoff_reset(struct backoff *backoff);
/** The next delay; @p random is any 32 random bits. */
uint64_t backoff_next(struct backoff *backoff, uint32_t random);
/** A connection ended: reset the backoff if it lasted long enough. */
void backoff_connected_for(struct backoff *backoff, uint64_t duration_ns);
/** Make the next delay BACKOFF_TAKEOVER_NS. */
void backoff_takeover(struct backoff *backoff);

#endif
