/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"

#include <cuebus/event.h>

#define RETRY_MIN_NS CUE_NS_PER_S
#define RETRY_MAX_NS (30 * CUE_NS_PER_S)

int retry_init(struct retry *retry, struct cue_bus *bus, cue_timer_handler handler, void *user)
{
	return cue_timer_new_urgent(bus, handler, user, &retry->timer);
}

void retry_clear(struct retry *retry)
{
	retry->timer = cue_timer_free(retry->timer);
}

void retry_begin(struct retry *retry, uint64_t now_ns)
{
	retry->attempts = 0;
	retry->delay_ns = RETRY_MIN_NS;
	cue_timer_arm(retry->timer, now_ns + retry->delay_ns);
}

void retry_again(struct retry *retry, uint64_t now_ns)
{
	retry->delay_ns *= 2;
	if (retry->delay_ns > RETRY_MAX_NS)
		retry->delay_ns = RETRY_MAX_NS;
	/* From now, not from the deadline: a late wake-up must not cause a burst of tries. */
	cue_timer_arm(retry->timer, now_ns + retry->delay_ns);
}

void retry_stop(struct retry *retry)
{
	cue_timer_disarm(retry->timer);
}
