/* SPDX-License-Identifier: Apache-2.0 */
#include "wall_offset.h"

/* Two readings of the clocks are some 50 ns apart, unless the thread was interrupted. */
#define CLOSE_NS  20000U
#define TRIES_MAX 5U

int64_t wall_offset_read(const struct wall_clocks *clocks)
{
	uint64_t best_ns = UINT64_MAX;
	int64_t offset_ns = 0;

	for (unsigned i = 0; i < TRIES_MAX && best_ns > CLOSE_NS; i++) {
		uint64_t before_ns = clocks->monotonic_ns(clocks->user);
		int64_t wall_ns = clocks->wall_ns(clocks->user);
		uint64_t apart_ns = clocks->monotonic_ns(clocks->user) - before_ns;

		if (apart_ns >= best_ns)
			continue;
		best_ns = apart_ns;
		/* Unsigned arithmetic: never undefined, whatever the clock was set to. */
		offset_ns = (int64_t)((uint64_t)wall_ns - (before_ns + apart_ns / 2));
	}
	return offset_ns;
}

bool wall_offset_is_step(int64_t old_ns, int64_t new_ns)
{
	int64_t by_ns;

	if (__builtin_sub_overflow(new_ns, old_ns, &by_ns))
		return true;
	return by_ns >= WALL_STEP_NS || by_ns <= -WALL_STEP_NS;
}
