/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

void rate_init(struct rate *rate, uint32_t per_second, uint64_t now_ns)
{
	*rate = (struct rate){ .tokens = per_second, .at_ns = now_ns };
}

bool rate_take(struct rate *rate, uint32_t per_second, uint64_t now_ns)
{
	if (now_ns > rate->at_ns) {
		rate->tokens += (double)(now_ns - rate->at_ns) * 1e-9 * per_second;
		rate->at_ns = now_ns;
	}
	if (rate->tokens > per_second)
		rate->tokens = per_second;
	if (rate->tokens < 1)
		return false;
	rate->tokens -= 1;
	return true;
}
