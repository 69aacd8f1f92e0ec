/* SPDX-License-Identifier: Apache-2.0 */
#include "backoff.h"

uint64_t backoff_next(struct backoff *backoff, uint32_t random)
{
	uint64_t step_ns = backoff->step_ns ? backoff->step_ns : BACKOFF_MIN_NS;
	uint64_t half_ns = step_ns / 2;

	backoff->step_ns = 2 * step_ns < BACKOFF_MAX_NS ? 2 * step_ns : BACKOFF_MAX_NS;
	/* half_ns * random / 2^32, without running over 64 bits. */
	return half_ns + (((half_ns >> 8) * random) >> 24);
}

void backoff_connected_for(struct backoff *backoff, uint64_t duration_ns)
{
	if (duration_ns >= BACKOFF_STABLE_NS)
		backoff->step_ns = 0;
}

void backoff_takeover(struct backoff *backoff)
{
	if (backoff->step_ns < 2 * BACKOFF_TAKEOVER_NS)
		backoff->step_ns = 2 * BACKOFF_TAKEOVER_NS;
}
