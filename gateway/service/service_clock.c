/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock may be set at any time (NTP at its first answer, an operator, a machine without a
 * battery). `timestamp` follows at the next wake-up, so no event after the step has a time before
 * it. Nothing else is affected. */
#include <stdlib.h>

#include "clock.h"
#include "service_internal.h"
#include "wall_offset.h"

/** Steps from this size on are logged; slewing and small corrections are not. */
#define TELL_STEP_NS ((int64_t)CUE_NS_PER_S)

static uint64_t monotonic_ns(void *user)
{
	(void)user;
	return clock_monotonic_ns();
}

static int64_t wall_ns(void *user)
{
	(void)user;
	return clock_wall_ns();
}

int64_t service_wall_offset_ns(void)
{
	static const struct wall_clocks clocks = { monotonic_ns, wall_ns, NULL };

	return wall_offset_read(&clocks);
}

static void tell_step(struct log *log, int64_t old_ns, int64_t new_ns)
{
	int64_t by_ns;

	if (__builtin_sub_overflow(new_ns, old_ns, &by_ns))
		by_ns = new_ns < old_ns ? -INT64_MAX : INT64_MAX;
	if (llabs(by_ns) < TELL_STEP_NS)
		return;
	log_write(log, LOG_LEVEL_NOTICE,
	          "the system's clock was set %s by %.3f s: timestamps follow",
	          by_ns < 0 ? "back" : "forward", (double)llabs(by_ns) / (double)CUE_NS_PER_S);
}

void service_follow_wall_clock(struct service *service)
{
	struct cue_bus *bus = engine_bus(service->engine);
	int64_t old_ns = cue_bus_wall_offset(bus);
	int64_t new_ns = service_wall_offset_ns();

	if (!wall_offset_is_step(old_ns, new_ns))
		return;
	cue_bus_set_wall_offset(bus, new_ns);
	tell_step(service->log, old_ns, new_ns);
}
