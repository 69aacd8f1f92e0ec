/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

void rate_init(struct rate *rate, uint64_t per_second, uint64_t now_ns)
{
	*rate = (struct rate){ .tokens = (double)per_second, .at_ns = now_ns };
}

bool rate_allows(struct rate *rate, uint64_t n, uint64_t per_second, uint64_t now_ns)
{
	if (now_ns > rate->at_ns) {
		rate->tokens += (double)(now_ns - rate->at_ns) * 1e-9 * (double)per_second;
		rate->at_ns = now_ns;
	}
	if (rate->tokens > (double)per_second)
		rate->tokens = (double)per_second;
	return n == 0 || rate->tokens >= (double)(n < per_second ? n : per_second);
}

bool rate_take(struct rate *rate, uint64_t n, uint64_t per_second, uint64_t now_ns)
{
	if (!rate_allows(rate, n, per_second, now_ns))
		return false;
	rate->tokens -= (double)n;
	return true;
}
