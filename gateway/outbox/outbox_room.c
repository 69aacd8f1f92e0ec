/* SPDX-License-Identifier: Apache-2.0 */
/* Whether there is room for events about gaps. */
#include "outbox_internal.h"

/* Topic and payload of a `gateway.gap` have at least this many bytes. */
#define NEWS_LEAST 200U

/** Whether there is room for announcements. Mutex held. @param more events emitted but not put
 * yet. */
static bool has_room(const struct outbox *outbox, uint64_t more)
{
	uint64_t bytes = more * outbox_entry_size(NEWS_LEAST);

	return outbox->stats.events + more <= outbox->max_events / 10 * 9 &&
	       outbox->stats.bytes + bytes <= outbox->max_bytes / 10 * 9 &&
	       outbox->memory_only_bytes + bytes <= outbox->max_memory_bytes / 10 * 9;
}

bool outbox_has_room(struct outbox *outbox, uint64_t more)
{
	bool room;

	pthread_mutex_lock(&outbox->mutex);
	room = has_room(outbox, more);
	pthread_mutex_unlock(&outbox->mutex);
	return room;
}

bool outbox_is_gap_due(const struct outbox *outbox)
{
	return outbox->gaps.n > 0 && outbox->gaps.n_news < OUTBOX_GAP_NEWS && has_room(outbox, 0);
}
