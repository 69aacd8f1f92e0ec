/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of the bus to its owner. */
#include "bus_internal.h"

void cue_bus_report(struct cue_bus *bus, const struct cue_report *report)
{
	/* A report may emit. A failure inside it is counted, but not reported again. */
	if (!bus->config.report || bus->reporting)
		return;
	bus->reporting = true;
	bus->hold++;
	bus->config.report(bus->config.user, report);
	bus->hold--;
	bus->reporting = false;
}

void cue_bus_handler_failed(struct cue_bus *bus, int error, const struct cue_event *event,
                            const char *what)
{
	bus->stats.handler_failures++;
	cue_bus_report(bus, &(struct cue_report){ .code = CUE_REPORT_HANDLER_FAILED,
	                                          .error = error,
	                                          .event_type = event->type->name,
	                                          .what = what,
	                                          .seq = event->seq });
}
