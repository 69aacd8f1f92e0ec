/* SPDX-License-Identifier: Apache-2.0 */
/* The common count of the events that follow from one event at the same point in time. It begins
 * with the first event that a handler appends. The queue, the bus and the runs that wait for their
 * steps at offset 0 share it, so neither a timer without delay nor a dispatch in portions starts
 * the count again. */
#include "bus_internal.h"

#include <errno.h>
#include <stdlib.h>

struct cascade *cue_cascade_ref(struct cascade *cascade)
{
	if (cascade)
		cascade->refs++;
	return cascade;
}

struct cascade *cue_cascade_unref(struct cascade *cascade)
{
	if (cascade && --cascade->refs == 0)
		free(cascade);
	return NULL;
}

int cue_cascade_current(struct cue_bus *bus, struct cascade **ret_cascade)
{
	if (!bus->cascade && bus->dispatching) {
		bus->cascade = calloc(1, sizeof(*bus->cascade));
		if (!bus->cascade)
			return -ENOMEM;
		bus->cascade->refs = 1;
	}
	*ret_cascade = bus->cascade;
	return 0;
}
