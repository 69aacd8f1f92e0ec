/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox's own thread, the only one that waits for the disk.
 *
 *   state  | what is due, the first in this order that is | else
 *   OK     | commit and read a range in turns, sync,      | sleep until the next is due
 *          | look for the file, end                       |
 *   MEMORY | try to return (and end, when asked to),      | sleep until the next try
 *          | read a range                                 |
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "outbox_internal.h"
#include "state_lock.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
#define FILE_NAME "outbox.db"

void outbox_hurry(struct outbox *outbox, uint64_t stall_ns)
{
	struct outbox_disk *disk = outbox->disk;

	pthread_mutex_lock(&outbox->mutex);
	if (disk && stall_ns < disk->stall_ns)
		disk->stall_ns = stall_ns;
	pthread_mutex_unlock(&outbox->mutex);
}

/* ---- due work ---- */

static bool is_clean(const struct outbox *outbox)
{
	return !outbox_disk_has_puts(outbox) && !outbox->away.memory && outbox->deletes.n == 0 &&
	       !outbox->disk->writing && !outbox->disk->unsynced && !outbox->disk->adopting;
}

static uint64_t commit_due_ns(struct outbox *outbox, uint64_t now_ns)
{
	struct outbox_disk *disk = outbox->disk;
	bool at_once = disk->flush || disk->quit;

	if (outbox->held > 0)
		return UINT64_MAX;
	if (outbox_disk_has_puts(outbox))
		return at_once ? now_ns : disk->last_commit_ns + disk->commit_interval_ns;
	if (outbox->deletes.n == 0)
		return UINT64_MAX;
	/* A lost deletion only means that a message is sent twice after a crash, so it can wait. */
	if (disk->deletes_since_ns == 0)
		disk->deletes_since_ns = now_ns;
	return at_once ? now_ns : disk->deletes_since_ns + disk->sync_interval_ns;
}

static uint64_t sync_due_ns(const struct outbox *outbox, uint64_t now_ns)
{
	const struct outbox_disk *disk = outbox->disk;

	if (!disk->unsynced)
		return UINT64_MAX;
	return disk->flush || disk->quit ? now_ns : disk->sync_at_ns;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void sleep_until(struct outbox *outbox, uint64_t until_ns, bool urgent)
{
	struct outbox_disk *disk = outbox->disk;
	struct timespec until = clock_timespec(until_ns);

	disk->lazy = !urgent;
	disk->idle = !urgent && outbox->deletes.n == 0;
	pthread_cond_timedwait(&disk->work, &outbox->mutex, &until);
	disk->idle = false;
	disk->lazy = false;
}

/* ---- the thread ---- */

static void sync_now(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	int r;

	disk->unsynced = false;
	disk->writing = true;
	outbox_disk_call_begin(outbox);
	r = outbox_db_sync(disk->db);
	outbox_disk_call_end(outbox);
	disk->writing = false;
	outbox->stats.syncs++;
	if (r < 0)
		outbox_disk_fail(outbox, r, outbox_db_error(disk->db));
}

static void look_for_file(struct outbox *outbox, uint64_t now_ns)
{
	struct outbox_disk *disk = outbox->disk;
	char error[STATE_LOCK_ERROR_SIZE] = "";
	int r;

	disk->next_check_ns = now_ns + disk->check_interval_ns;
	outbox_disk_call_begin(outbox);
	r = outbox_db_check_place(disk->db);
	if (r == 0 && disk->lock)
		r = state_lock_hold(disk->lock, error);
	outbox_disk_call_end(outbox);
	if (r == 0)
		return;
	outbox_disk_fail(outbox, r,
	                 r == -ENOENT    ? "the file was removed"
	                 : r == -ESTALE  ? "another file was put in its place"
	                 : r == -ENODATA ? "its log (outbox.db-wal) was removed"
	                                 : error);
	if (r == -ENOENT || r == -ESTALE || r == -ENODATA)
		disk->retry_ns = 0; /* a new file should work: retry at once */
}

/** Read messages of the first range, for the egress. */
static void refill(struct outbox *outbox, uint64_t now_ns)
{
	struct outbox_disk *disk = outbox->disk;
	struct outbox_range *range = outbox->first_range;
	/* This may be a removed file, while the next one is not open yet. */
	const struct outbox_db *db = range->db;
	/* A failed read may work later, but the following messages must not wait forever. */
	bool tolerant = range->db != disk->db || outbox_disk_is_damage(disk, -EIO);
	int r = outbox_disk_load(outbox, range, tolerant);

	if (r >= 0) {
		outbox_disk_tell_egress(outbox);
		return;
	}
	outbox_disk_fail(outbox, r, outbox_db_error(db));
	disk->read_retry_ns = now_ns + disk->patience_ns;
}

/** @return false to end. */
static bool step_ok(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t leave_ns = outbox_away_step(outbox, now_ns);
	uint64_t commit_ns = commit_due_ns(outbox, now_ns), sync_ns = sync_due_ns(outbox, now_ns);
	int r;

	/* Alternate with commits: neither may block the other. */
	if (outbox_disk_is_refill_due(outbox) && !disk->quit &&
	    (now_ns < commit_ns || disk->committed)) {
		disk->committed = false;
		refill(outbox, now_ns);
	} else if (now_ns >= commit_ns) {
		disk->committed = true;
		r = outbox_disk_write(outbox, UINT32_MAX, false);
		if (r < 0)
			outbox_disk_fail(outbox, r, outbox_db_error(disk->db));
	} else if (now_ns >= sync_ns) {
		sync_now(outbox);
	} else if (now_ns >= disk->next_check_ns) {
		look_for_file(outbox, now_ns);
	} else if (disk->quit && is_clean(outbox)) {
		return false;
	} else {
		sleep_until(outbox,
		            earliest(earliest(commit_ns, sync_ns),
		                     earliest(disk->next_check_ns, leave_ns)),
		            outbox_disk_has_puts(outbox) && outbox->held == 0);
	}
	return true;
}

/** @return false to end. */
static bool step_memory(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	uint64_t now_ns = clock_monotonic_ns();
	bool last = disk->quit;

	if (now_ns >= disk->retry_ns || last) {
		if (outbox->held > 0 && !last) {
			sleep_until(outbox, now_ns + NS_PER_MS, true);
			return true;
		}
		outbox_disk_return(outbox);
		return !last || disk->state == OUTBOX_DISK_OK;
	}
	if (outbox_disk_is_refill_due(outbox) && now_ns >= disk->read_retry_ns)
		refill(outbox, now_ns);
	else if (outbox_disk_is_refill_due(outbox))
		sleep_until(outbox, earliest(disk->retry_ns, disk->read_retry_ns), true);
	else
		sleep_until(outbox, disk->retry_ns, false);
	return true;
}

/** Report once that the notes of earlier boots can be read. */
static void tell_known(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	if (disk->known || !disk->db)
		return;
	disk->known = true;
	if (!disk->known_call)
		return;
	pthread_mutex_unlock(&outbox->mutex);
	disk->known_call(disk->known_user);
	pthread_mutex_lock(&outbox->mutex);
}

static void open_first(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	char error[OUTBOX_DB_ERROR_SIZE] = "";
	int r;

	outbox_disk_call_begin(outbox);
	r = outbox_disk_prepare(outbox, error);
	outbox_disk_call_end(outbox);
	if (r < 0)
		outbox_disk_fail(outbox, r, error);
	tell_known(outbox);
	disk->tried = true;
	pthread_cond_broadcast(&disk->done);
}

/** Close here and not in outbox_disk_free(), because closing may wait for the disk too. */
static void close_all(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	outbox_disk_call_begin(outbox);
	for (size_t i = 0; i < OUTBOX_SOURCES_MAX; i++)
		disk->sources[i] = outbox_db_close(disk->sources[i], true);
	disk->salvage = outbox_db_close(disk->salvage, true);
	/* SQLite would otherwise remove another database's log of the same name. */
	disk->db = outbox_db_close(
	        disk->db, disk->damaged || (disk->db && outbox_db_check_place(disk->db) < 0));
	outbox_disk_call_end(outbox);
}

static void *run(void *user)
{
	struct outbox *outbox = user;
	struct outbox_disk *disk = outbox->disk;
	bool go_on = true;

	pthread_mutex_lock(&outbox->mutex);
	open_first(outbox);
	while (go_on) {
		tell_known(outbox);
		switch (disk->state) {
		case OUTBOX_DISK_OK:
			go_on = step_ok(outbox);
			break;
		case OUTBOX_DISK_MEMORY:
			go_on = step_memory(outbox);
			break;
		}
		if (disk->flush)
			pthread_cond_broadcast(&disk->done);
	}
	close_all(outbox);
	disk->ended = true;
	pthread_cond_broadcast(&disk->done);
	pthread_mutex_unlock(&outbox->mutex);
	return NULL;
}

/* ---- life ---- */

static uint64_t or_default(uint64_t value, uint64_t normally)
{
	return value ? value : normally;
}

static int make(struct outbox *outbox, const struct outbox_config *config)
{
	struct outbox_disk *disk = calloc(1, sizeof(*disk));
	pthread_condattr_t attr;

	if (!disk)
		return -ENOMEM;
	outbox->disk = disk;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&disk->work, &attr);
	pthread_cond_init(&disk->done, &attr);
	pthread_condattr_destroy(&attr);
	disk->sync = config->sync;
	disk->log = config->log;
	disk->lock = config->lock;
	disk->known_call = config->known;
	disk->known_user = config->known_user;
	disk->sync_interval_ns = or_default(config->sync_interval_ns, 50 * NS_PER_MS);
	disk->commit_interval_ns = config->sync == OUTBOX_SYNC_ALWAYS
	                                   ? 0
	                                   : or_default(config->commit_interval_ns, NS_PER_MS);
	disk->check_interval_ns = or_default(config->check_interval_ns, 2 * NS_PER_S);
	disk->retry_min_ns = or_default(config->retry_min_ns, NS_PER_S);
	disk->retry_max_ns = or_default(config->retry_max_ns, 60 * NS_PER_S);
	disk->open_wait_ns = or_default(config->open_wait_ns, 5 * NS_PER_S);
	disk->stall_ns = or_default(config->stall_ns, 5 * NS_PER_S);
	disk->end_wait_ns = or_default(config->end_wait_ns, 3 * NS_PER_S);
	disk->window = config->memory_window ? config->memory_window : 1024;
	disk->window_bytes = or_default(config->memory_window_bytes, 16U * 1024 * 1024);
	disk->state = OUTBOX_DISK_MEMORY;
	snprintf(disk->reason, sizeof(disk->reason), "starting");
	disk->adopting = true;
	disk->dir = strdup(config->dir);
	return disk->dir && asprintf(&disk->path, "%s/" FILE_NAME, disk->dir) >= 0 ? 0 : -ENOMEM;
}

static int start_thread(struct outbox *outbox)
{
	sigset_t all, old;
	int r;

	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&outbox->disk->thread, NULL, run, outbox);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	outbox->disk->started = r == 0;
	return -r;
}

/** Wait for the journal, but not for a disk that does not answer: that must not block the start. */
static void wait_for_first(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	uint64_t until_ns = clock_monotonic_ns() + disk->open_wait_ns;
	struct timespec until = clock_timespec(until_ns);
	int r = 0;

	pthread_mutex_lock(&outbox->mutex);
	while (!disk->tried && r == 0)
		r = pthread_cond_timedwait(&disk->done, &outbox->mutex, &until);
	if (!disk->tried) {
		outbox_disk_tell_stalled(outbox);
		/* New messages must not wait for those of earlier boots either. */
		disk->adopting = false;
	}
	pthread_mutex_unlock(&outbox->mutex);
}

int outbox_disk_new(struct outbox *outbox, const struct outbox_config *config)
{
	int r = make(outbox, config);

	if (r >= 0)
		r = start_thread(outbox);
	if (r >= 0)
		wait_for_first(outbox);
	return r;
}

/** Wait for the thread to end. Mutex held. @return false: it hangs in one call. */
static bool wait_for_end(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	uint64_t begin_ns = clock_monotonic_ns();

	while (!disk->ended) {
		uint64_t now_ns = clock_monotonic_ns(), since_ns = now_ns, until_ns;
		struct timespec until;

		if (disk->call_since_ns)
			since_ns = disk->call_since_ns > begin_ns ? disk->call_since_ns : begin_ns;
		until_ns = since_ns + disk->end_wait_ns;
		if (now_ns >= until_ns)
			return false;
		until = clock_timespec(until_ns);
		pthread_cond_timedwait(&disk->done, &outbox->mutex, &until);
	}
	return true;
}

int outbox_disk_end(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	bool ended;

	if (!disk || !disk->started)
		return 0;
	pthread_mutex_lock(&outbox->mutex);
	disk->quit = true;
	pthread_cond_signal(&disk->work);
	ended = wait_for_end(outbox);
	if (!ended) {
		/* SQLite itself may be in an endless computation, not the disk: interrupt it. */
		atomic_store(&disk->halt, true);
		ended = wait_for_end(outbox);
	}
	pthread_mutex_unlock(&outbox->mutex);
	if (!ended)
		return -ETIMEDOUT;
	pthread_join(disk->thread, NULL);
	disk->started = false;
	return 0;
}

void outbox_disk_free(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;

	if (!disk)
		return;
	pthread_cond_destroy(&disk->work);
	pthread_cond_destroy(&disk->done);
	free(disk->dir);
	free(disk->path);
	free(disk);
	outbox->disk = NULL;
}

int outbox_flush(struct outbox *outbox, uint64_t timeout_ns)
{
	struct outbox_disk *disk = outbox->disk;
	uint64_t until_ns = clock_monotonic_ns() + timeout_ns;
	struct timespec until = clock_timespec(until_ns);
	int r = 0;

	if (!disk)
		return -EIO;
	pthread_mutex_lock(&outbox->mutex);
	(void)outbox_disk_is_out(outbox); /* the failure may be unnoticed so far */
	while (r == 0 && (disk->stalled || (!is_clean(outbox) &&
	                                    (disk->state == OUTBOX_DISK_OK || disk->adopting)))) {
		/* Signal only once: the thread answers each signal, and the two would keep waking
		 * each other. */
		if (!disk->flush) {
			disk->flush = true;
			pthread_cond_signal(&disk->work);
		}
		r = -pthread_cond_timedwait(&disk->done, &outbox->mutex, &until);
	}
	disk->flush = false;
	if (r == 0 && disk->state != OUTBOX_DISK_OK)
		r = -EIO;
	pthread_mutex_unlock(&outbox->mutex);
	return r;
}
