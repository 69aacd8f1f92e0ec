/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failure of the disk, and the return to it.
 *
 *   what happened         | the database         | its ranges
 *   full, read-only, I/O  | stays open           | are read from it
 *   error                 |                      |
 *   file removed or       | a new one is made    | are read from the old one, which is still
 *   replaced              |                      | open, and written to the new one
 *   folder above it gone  | stays open           | are read from it
 *   only its log removed  | renamed, a new one   | are read from the old one, and written to
 *                         | is made              | the new one
 *   damaged               | renamed, a new one   | the same; what can't be read is given up
 *                         | is made              |
 *   can't be opened       | tried again          | there are none
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "outbox_internal.h"
#include "outbox_vfs.h"

#define NS_PER_S 1000000000ULL

#define RETURN_CHUNK  4096U
#define GROUP_POLL_NS (NS_PER_S / 1000)

/** Add the messages of earlier boots to the list. @return 0; negative errno. */
static int adopt(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	struct outbox_db *salvage = disk->salvage;
	size_t i = 0;
	int r;

	if (salvage) {
		while (i < OUTBOX_SOURCES_MAX && disk->sources[i])
			i++;
		if (i == OUTBOX_SOURCES_MAX)
			return -EBUSY;
		r = outbox_disk_adopt(outbox, salvage, true);
		if (r < 0)
			return r;
		disk->sources[i] = salvage;
		disk->salvage = NULL;
		outbox->journal.rewrite = true;
	}
	if (!disk->adopted) {
		r = outbox_disk_adopt(outbox, disk->db, false);
		if (r < 0)
			return r;
		disk->adopted = true;
	}
	outbox_away_found(outbox);
	return 0;
}

/** Wait for the end of a group that may have begun during a call of the disk: a group is not
 * written before its end. */
static void wait_for_group_end(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	while (outbox->held > 0 && !disk->quit) {
		uint64_t until_ns = clock_monotonic_ns() + GROUP_POLL_NS;
		struct timespec until = clock_timespec(until_ns);

		pthread_cond_timedwait(&disk->work, &outbox->mutex, &until);
	}
}

/** Write everything that is not on disk; messages in another database are read first. */
static int write_all(struct outbox *outbox)
{
	bool probe = true;
	int r = 1;

	while (r > 0) {
		r = 0;
		if (outbox->unwritten && outbox->unwritten->is_range)
			r = outbox_disk_load(outbox, outbox_as_range(outbox->unwritten), true);
		wait_for_group_end(outbox);
		if (r >= 0)
			r = outbox_disk_write(outbox, RETURN_CHUNK, probe);
		probe = false;
	}
	return r;
}

static void close_sources(struct outbox_disk *disk)
{
	for (size_t i = 0; i < OUTBOX_SOURCES_MAX; i++)
		disk->sources[i] = outbox_db_close(disk->sources[i], true);
}

static int try_return(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	int r = 0;

	outbox_disk_call_begin(outbox);
	if (disk->db)
		r = outbox_db_check_place(disk->db);
	if (r == 0 && disk->db)
		r = outbox_disk_hold_lock(disk, error);
	if (r == -ENOENT || r == -ESTALE || r == -ENODATA)
		r = outbox_disk_leave_if_gone(outbox, error);
	else if (r == 0 && disk->db && disk->last_failure == -ENOSPC)
		outbox_db_make_room(disk->db);
	if (r >= 0)
		r = outbox_disk_prepare(outbox, error);
	outbox_disk_call_end(outbox);
	if (r >= 0)
		r = adopt(outbox);
	if (r >= 0)
		r = write_all(outbox);
	if (r < 0 && !*error && disk->db)
		snprintf(error, OUTBOX_DB_ERROR_SIZE, "%s", outbox_db_error(disk->db));
	return r;
}

void outbox_disk_return(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	char error[OUTBOX_DB_ERROR_SIZE] = "";
	uint64_t refused = outbox_vfs_refused_reads();
	int r = try_return(outbox, error);

	if (outbox_disk_is_unreadable(disk, r, outbox_vfs_refused_reads() != refused)) {
		disk->unreadable = true;
		r = -EBADMSG;
	}
	if (r == -EBADMSG || (r == -ENOMEM && !disk->adopted && outbox_disk_is_damage(disk, r))) {
		/* It was opened but is damaged: handle that at once, before any message is
		 * taken. */
		outbox_disk_found_damaged(outbox);
		error[0] = '\0';
		r = try_return(outbox, error);
	}
	disk->adopting = false;
	if (r < 0) {
		outbox_disk_fail(outbox, r, error);
		return;
	}
	disk->stuck = 0;
	disk->unreadable = false;
	if ((disk->was_ok || disk->last_failure) && disk->log)
		log_write(disk->log, LOG_LEVEL_NOTICE, "outbox: %s: back on disk", disk->path);
	disk->state = OUTBOX_DISK_OK;
	disk->was_ok = true;
	disk->last_failure = 0;
	if (disk->unread == 0)
		disk->no_memory = 0;
	disk->patience_ns = 0;
	disk->reason[0] = '\0';
	disk->next_check_ns = clock_monotonic_ns() + disk->check_interval_ns;
	close_sources(disk);
	outbox_disk_tell_egress(outbox);
}
