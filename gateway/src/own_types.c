/* SPDX-License-Identifier: Apache-2.0 */
#include "own_types.h"

const char *const own_types[OWN_TYPES_COUNT] = {
	"event.playlist.created",
	"event.playlist.emitted",
	"event.playlist.stopped",
	"event.playlist.rejected",
	"event.playlist.paused",
	"event.playlist.resumed",
	"event.playlist.overdue",
	"gateway.cascade",
	"gateway.fault",
	"gateway.gap",
	"gateway.refused",
	"gateway.output_failed",
	"gateway.output_restored",
	"gateway.output_ignored",
	"input.resync",
	"input.failed",
	"input.restored",
};

int own_types_intern(struct cue_bus *bus)
{
	for (size_t i = 0; i < OWN_TYPES_COUNT; i++) {
		const struct cue_type *type;
		int r = cue_bus_intern(bus, own_types[i], &type);

		if (r < 0)
			return r;
	}
	return 0;
}
