/* SPDX-License-Identifier: Apache-2.0 */
#include "own_types.h"

const char *const own_types[OWN_TYPES_COUNT] = {
	"event.playlist.created",
	"event.playlist.emitted",
	"event.playlist.stopped",
	"event.playlist.rejected",
	"event.playlist.paused",
	"event.playlist.resumed",
	"event.playlist.seeked",
	"event.playlist.tempo_changed",
	"event.playlist.overdue",
	"gateway.cascade",
	"gateway.fault",
	"gateway.gap",
	"gateway.refused",
	"gateway.output_failed",
	"gateway.output_restored",
	"gateway.output_ignored",
	"gesture.near_miss",
	"input.resync",
	"input.failed",
	"input.restored",
};

/* The trigger type of `playlist/start`, and the step of a run whose definition is lost. */
static const char *const needed[] = { "cmd.playlist.start", "unknown" };

static int intern(struct cue_bus *bus, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cue_type *type;
		int r = cue_bus_intern(bus, names[i], &type);

		if (r < 0)
			return r;
	}
	return 0;
}

int own_types_intern(struct cue_bus *bus)
{
	int r = intern(bus, own_types, OWN_TYPES_COUNT);

	return r < 0 ? r : intern(bus, needed, sizeof(needed) / sizeof(*needed));
}
