/* SPDX-License-Identifier: Apache-2.0 */
/* The events, with their data, that detectors keep until they fire: per producer or (simultaneous)
 * per gesture. All gestures of a registry share one budget in bytes, bookkeeping included. Beyond
 * it the least recently seen keeper is evicted, of whatever gesture, but never that of the current
 * event. */
#include "gesture_internal.h"

#include <string.h>

/** Without the struct of the event itself, whose place is allocated in any case. */
static size_t bytes_of(const struct cue_event *event)
{
	return cue_payload_size(event->payload);
}

/* ---- the registry's list of keepers with bytes ---- */

static void unlink_kept(struct gesture_kept *kept)
{
	struct cue_gestures *gestures = kept->gesture->registry;

	*(kept->older ? &kept->older->newer : &gestures->oldest) = kept->newer;
	*(kept->newer ? &kept->newer->older : &gestures->newest) = kept->older;
}

static void link_newest(struct gesture_kept *kept)
{
	struct cue_gestures *gestures = kept->gesture->registry;

	kept->newer = NULL;
	kept->older = gestures->newest;
	*(gestures->newest ? &gestures->newest->newer : &gestures->oldest) = kept;
	gestures->newest = kept;
}

static void forget(struct gesture_kept *kept)
{
	kept->gesture->registry->stats.kept_forgotten++;
	if (kept->table)
		cue_producer_table_remove(kept->table, kept->producer_id); /* clears it */
	else
		cue_gesture_kept_clear(kept);
}

static void make_room(struct gesture_kept *kept)
{
	struct cue_gestures *gestures = kept->gesture->registry;
	uint64_t limit = cue_bus_limits(gestures->bus)->gesture_bytes;

	while (gestures->stats.kept_bytes > limit && gestures->oldest != kept)
		forget(gestures->oldest);
}

/** A keeper whose bytes grow becomes the newest. */
static void count(struct gesture_kept *kept, size_t bytes)
{
	if (kept->bytes > 0)
		unlink_kept(kept);
	kept->bytes += bytes;
	kept->gesture->registry->stats.kept_bytes += bytes;
	if (kept->bytes > 0)
		link_newest(kept);
	make_room(kept);
}

static void discount(struct gesture_kept *kept, size_t bytes)
{
	if (bytes == 0)
		return;
	kept->bytes -= bytes;
	kept->gesture->registry->stats.kept_bytes -= bytes;
	if (kept->bytes == 0)
		unlink_kept(kept);
}

/* ---- one keeper ---- */

void cue_gesture_kept_begin(struct gesture_kept *kept, struct gesture *gesture, size_t bytes)
{
	kept->gesture = gesture;
	count(kept, bytes);
}

void cue_gesture_kept_insert(struct gesture_kept *kept, const struct cue_event *event)
{
	struct cue_event *events = kept->events;
	size_t at = kept->n;

	while (at > 0 && events[at - 1].time_ns > event->time_ns)
		at--;
	memmove(events + at + 1, events + at, (kept->n - at) * sizeof(*events));
	events[at] = *event;
	cue_payload_ref(event->payload);
	kept->n++;
	count(kept, bytes_of(event));
}

void cue_gesture_kept_drop(struct gesture_kept *kept, size_t first, size_t n)
{
	struct cue_event *events = kept->events + first;

	for (size_t i = 0; i < n; i++) {
		discount(kept, bytes_of(&events[i]));
		cue_payload_unref(events[i].payload);
	}
	memmove(events, events + n, (kept->n - first - n) * sizeof(*events));
	kept->n -= n;
}

void cue_gesture_kept_clear(struct gesture_kept *kept)
{
	if (kept->n > 0)
		cue_gesture_kept_drop(kept, 0, kept->n);
}

void cue_gesture_kept_end(struct gesture_kept *kept)
{
	if (!kept->gesture)
		return;
	cue_gesture_kept_clear(kept);
	discount(kept, kept->bytes);
	kept->gesture = NULL;
}

void *cue_gesture_producer(struct gesture *gesture, struct producer_table *table,
                           uint32_t producer_id)
{
	bool forgot;
	struct gesture_kept *kept = cue_producer_table_get(table, producer_id, &forgot);

	if (forgot) {
		gesture->producers_forgotten++;
		gesture->registry->stats.producers_forgotten++;
	}
	if (kept && !kept->gesture) {
		kept->table = table;
		kept->producer_id = producer_id;
		cue_gesture_kept_begin(kept, gesture, cue_producer_table_item_bytes(table));
	}
	return kept;
}
