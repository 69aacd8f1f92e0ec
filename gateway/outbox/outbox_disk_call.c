/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox's thread and the others: calls that the disk may hold up, and who is woken by what. */
#include <stdio.h>

#include "clock.h"
#include "outbox_internal.h"

#define NS_PER_S 1000000000ULL

void outbox_disk_call_begin(struct outbox *outbox)
{
	outbox->disk->call_since_ns = clock_monotonic_ns();
	pthread_mutex_unlock(&outbox->mutex);
}

void outbox_disk_call_end(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	pthread_mutex_lock(&outbox->mutex);
	if (disk->stalled && disk->log)
		log_write(disk->log, LOG_LEVEL_NOTICE,
		          "outbox: the disk answers again, after %llu s",
		          (unsigned long long)((clock_monotonic_ns() - disk->call_since_ns) /
		                               NS_PER_S));
	disk->stalled = false;
	disk->call_since_ns = 0;
}

static void tell(struct outbox *outbox, void (*whom)(void *user), void *user)
{
	if (!whom)
		return;
	pthread_mutex_unlock(&outbox->mutex);
	whom(user);
	pthread_mutex_lock(&outbox->mutex);
}

void outbox_disk_tell_egress(struct outbox *outbox)
{
	tell(outbox, outbox->wake, outbox->user);
}

void outbox_disk_tell_room(struct outbox *outbox)
{
	tell(outbox, outbox->room, outbox->room_user);
}

void outbox_disk_tell_stalled(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	disk->stalled = true;
	outbox->stats.disk_failures++;
	snprintf(disk->reason, sizeof(disk->reason), "%s: the disk does not answer", disk->path);
	if (disk->log)
		log_write(disk->log, LOG_LEVEL_ERROR,
		          "outbox: %s: the disk has not answered for %llu s; continuing in memory",
		          disk->path,
		          (unsigned long long)((clock_monotonic_ns() - disk->call_since_ns) /
		                               NS_PER_S));
}

bool outbox_disk_is_out(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	if (disk->state == OUTBOX_DISK_MEMORY || disk->stalled)
		return true;
	if (disk->call_since_ns == 0 || clock_monotonic_ns() - disk->call_since_ns < disk->stall_ns)
		return false;
	outbox_disk_tell_stalled(outbox);
	return true;
}

bool outbox_disk_is_refill_due(const struct outbox *outbox)
{
	const struct outbox_disk *disk = outbox->disk;
	const struct outbox_range *range = outbox->first_range;

	if (!range)
		return false;
	/* Messages read from an old database do not become ready. */
	if (range->db != disk->db)
		return outbox->next == &range->node;
	/* However large messages are, at least one must be in memory. */
	return outbox->ready == 0 || (outbox->ready <= disk->window / 2 &&
	                              outbox->stats.memory_bytes <= disk->window_bytes / 2);
}

bool outbox_disk_has_puts(const struct outbox *outbox)
{
	return (outbox->unwritten && !outbox->away.memory) || outbox->journal.ops ||
	       outbox->journal.rewrite || outbox->gaps.dirty || outbox_away_is_mark_due(outbox);
}

/** Whether a sleeping thread should wake up to write. */
static bool is_write_due(const struct outbox *outbox)
{
	const struct outbox_disk *disk = outbox->disk;

	/* A group is not written before its end. */
	if (outbox->held > 0 || disk->state == OUTBOX_DISK_MEMORY)
		return false;
	return outbox_disk_has_puts(outbox) || (disk->idle && outbox->deletes.n > 0);
}

void outbox_disk_wake(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	if (!disk->lazy || (!is_write_due(outbox) && !outbox_disk_is_refill_due(outbox)))
		return;
	disk->idle = false;
	disk->lazy = false;
	pthread_cond_signal(&disk->work);
}
