/* SPDX-License-Identifier: Apache-2.0 */
#include "backoff.h"

void backoff_reset(struct backoff *backoff)
{
	backoff->step_ns = 0;
}

uint64_t backoff_next(struct backoff *backoff, uint32_t random)
{
	uint64_t min_ns = backoff->min_ns ? backoff->min_ns : BACKOFF_MIN_NS;
	uint64_t max_ns = backoff->max_ns ? backoff->max_ns : BACKOFF_MAX_NS;
	uint64_t step_ns = backoff->step_ns ? backoff->step_ns : min_ns;
	uint64_t half_ns = step_ns / 2;

	backoff->step_ns = 2 * step_ns < max_ns ? 2 * step_ns : max_ns;
	/* half_ns * random / 2^32, without overflowing 64 bits. */
	return half_ns + (((half_ns >> 8) * random) >> 24);
}

void backoff_connected_for(struct backoff *backoff, uint64_t duration_ns)
{
	if (duration_ns >= BACKOFF_STABLE_NS)
		backoff_reset(backoff);
}

void backoff_takeover(struct backoff *backoff)
{
	if (backoff->step_ns < 2 * BACKOFF_TAKEOVER_NS)
		backoff->step_ns = 2 * BACKOFF_TAKEOVER_NS;
}
