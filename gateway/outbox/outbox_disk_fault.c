/* SPDX-License-Identifier: Apache-2.0 */
/* What a failure of the disk leads to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "outbox_internal.h"

/* Tries in a row with "out of memory", after which memory is not the reason. */
#define NO_MEMORY_TRIES 3U
/* Tries before unreadable data is given up; they must also span retry_max_ns. */
#define READ_TRIES 3U

static void log_failure(const struct outbox_disk *disk, const char *what)
{
	if (disk->log)
		log_write(disk->log, LOG_LEVEL_ERROR,
		          "outbox: %s: %s; continuing in memory: waiting messages are lost if the "
		          "process ends. Trying again",
		          disk->path, what);
}

bool outbox_disk_is_damage(const struct outbox_disk *disk, int error)
{
	switch (error) {
	case -ENOMEM:
		return disk->no_memory >= NO_MEMORY_TRIES;
	case -EIO:
		return disk->unreadable ||
		       (disk->unread >= READ_TRIES &&
		        clock_monotonic_ns() - disk->unread_since_ns >= disk->retry_max_ns);
	default:
		return true;
	}
}

void outbox_disk_has_read(struct outbox_disk *disk)
{
	disk->unread = 0;
	disk->no_memory = 0;
}

void outbox_disk_has_not_read(struct outbox_disk *disk)
{
	if (disk->unread++ == 0)
		disk->unread_since_ns = clock_monotonic_ns();
}

/** Delay before a check of the file: with a disk that fails intermittently it would be checked all
 * the time. */
static uint64_t first_patience(const struct outbox_disk *disk)
{
	uint64_t patience_ns = disk->retry_min_ns << disk->doubts;

	return patience_ns < disk->retry_max_ns ? patience_ns : disk->retry_max_ns;
}

void outbox_disk_fail(struct outbox *outbox, int error, const char *what)
{
	struct outbox_disk *disk = outbox->disk;
	bool was_ok = disk->state == OUTBOX_DISK_OK;
	char reason[OUTBOX_REASON_SIZE];

	if (!what || !*what)
		what = strerrordesc_np(-error);
	/* Log once for each kind of failure, not for each try. */
	if (was_ok || error != disk->last_failure) {
		outbox->stats.disk_failures++;
		log_failure(disk, what);
	}
	/* May be cut. @p what may point into the text that is overwritten. */
	(void)snprintf(reason, sizeof(reason), "%.60s: %.120s", disk->path, what);
	memcpy(disk->reason, reason, sizeof(reason));
	if (was_ok || disk->patience_ns == 0)
		disk->patience_ns = first_patience(disk);
	else if (disk->patience_ns < disk->retry_max_ns / 2)
		disk->patience_ns *= 2;
	else
		disk->patience_ns = disk->retry_max_ns;
	disk->retry_ns = clock_monotonic_ns() + disk->patience_ns;
	if (error == -EBADMSG) {
		disk->damaged = true;
		if (was_ok && disk->doubts == 0)
			disk->retry_ns = 0; /* renaming it should help: retry at once */
	}
	disk->no_memory = error == -ENOMEM ? disk->no_memory + 1 : 0;
	disk->last_failure = error;
	disk->state = OUTBOX_DISK_MEMORY;
	/* Individual changes would take more and more memory: when the disk works again, all notes
	 * are written instead. */
	outbox_journal_drop_ops(&outbox->journal);
	outbox->journal.rewrite = true;
	disk->unsynced = false;
	outbox_away_leave(outbox);
	outbox_disk_tell_egress(outbox); /* uncommitted messages can be taken now */
}

bool outbox_disk_is_unreadable(struct outbox_disk *disk, int error, bool refused)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (error != -EIO || !refused) {
		disk->stuck = 0;
		return false;
	}
	if (disk->stuck++ == 0)
		disk->stuck_since_ns = now_ns;
	return disk->stuck >= READ_TRIES && now_ns - disk->stuck_since_ns >= disk->retry_max_ns;
}
