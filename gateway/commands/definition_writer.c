/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's thread, the only writer of the folder.
 *
 *   there is          | it
 *   something queued  | writes up to a batch, syncs the folder, says so
 *   nothing, migrating| renames definitions.json
 *   nothing, failures | sleeps until it is time to try them again, or a change
 *   nothing           | sleeps until a change
 *   nothing, quit     | ends
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "definition_store_internal.h"
#include "state_file.h"

#define BATCH_MAX 32U

struct job {
	uint32_t slot, file;
	struct definition_blob *blob; /* NULL: remove */
	uint64_t first_change, last_change;
	int result;
};

void definition_file_name(uint32_t file, char name[32])
{
	snprintf(name, 32, "%lu" DEFINITION_SUFFIX, (unsigned long)file);
}

/* ---- the queue; lock held ---- */

void definition_queue(struct definition_store *store, uint32_t index, uint64_t change)
{
	struct definition_slot *slot = &store->slots[index];

	slot->failed = false;
	if (change > 0) {
		slot->last_change = change;
		if (slot->first_change == 0)
			slot->first_change = change;
	}
	if (slot->queued)
		return;
	slot->queued = true;
	slot->next_queued = DEFINITION_NO_SLOT;
	if (store->last_queued == DEFINITION_NO_SLOT)
		store->first_queued = index;
	else
		store->slots[store->last_queued].next_queued = index;
	store->last_queued = index;
}

static void queue_failed(struct definition_store *store)
{
	for (size_t i = 0; i < store->n_slots; i++) {
		if (store->slots[i].failed)
			definition_queue(store, (uint32_t)i, 0);
	}
	store->migration_failed = false;
}

void definition_writer_wake(struct definition_store *store)
{
	queue_failed(store);
	pthread_cond_signal(&store->work);
}

static size_t take_batch(struct definition_store *store, struct job jobs[BATCH_MAX])
{
	size_t n = 0;

	while (n < BATCH_MAX && store->first_queued != DEFINITION_NO_SLOT) {
		uint32_t index = store->first_queued;
		struct definition_slot *slot = &store->slots[index];

		store->first_queued = slot->next_queued;
		if (store->first_queued == DEFINITION_NO_SLOT)
			store->last_queued = DEFINITION_NO_SLOT;
		jobs[n++] = (struct job){ .slot = index,
			                  .file = slot->file,
			                  .blob = slot->blob,
			                  .first_change = slot->first_change,
			                  .last_change = slot->last_change };
		if (slot->blob)
			slot->blob->refs++;
		slot->queued = false;
		slot->first_change = slot->last_change = 0;
	}
	return n;
}

static void note_result(struct definition_store *store, const struct job *job)
{
	struct definition_slot *slot = &store->slots[job->slot];
	uint64_t change = job->first_change;

	/* A definition that changed meanwhile is written again in any case. */
	if (job->result < 0 && !slot->queued)
		slot->failed = true;
	if (change == 0)
		return;
	if (job->last_change - change >= DEFINITION_STORE_CHANGES)
		change = job->last_change - DEFINITION_STORE_CHANGES + 1;
	for (; change <= job->last_change; change++) {
		struct definition_change *known =
		        &store->changes[change % DEFINITION_STORE_CHANGES];

		if (known->number == change && known->slot == job->slot)
			known->error = job->result;
	}
}

static void note_error(struct definition_store *store, int last)
{
	if (last < 0) {
		store->error = last;
		return;
	}
	for (size_t i = 0; i < store->n_slots; i++) {
		if (store->slots[i].failed)
			return;
	}
	if (!store->migration_failed)
		store->error = 0;
}

/* ---- the disk; without the lock ---- */

/** Open the folder in @p dir_fd. Create it if it is missing; rename anything else of that name
 * first. */
static int open_folder(struct definition_store *store, int dir_fd, bool *ret_made)
{
	char aside[STATE_FILE_NAME_SIZE];
	int r, fd = -ENOENT;

	for (unsigned i = 0; i < 2; i++) {
		fd = openat(dir_fd, DEFINITION_FOLDER,
		            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno == ENOTDIR || errno == ELOOP) {
			r = state_file_set_aside(dir_fd, DEFINITION_FOLDER, DEFINITION_FOLDER,
			                         STATE_FILE_COPIES_MAX, aside);
			if (r < 0)
				return r;
			DEFINITION_SAY(store, LOG_LEVEL_ERROR,
			               "%s/" DEFINITION_FOLDER
			               " is not a folder; it was renamed to %s",
			               store->dir, aside);
		} else if (errno != ENOENT) {
			return -errno;
		}
		if (mkdirat(dir_fd, DEFINITION_FOLDER, 0700) < 0 && errno != EEXIST)
			return -errno;
		*ret_made = true;
		r = state_file_sync(dir_fd);
		if (r < 0)
			return r;
	}
	return -ENOTDIR;
}

/** Detect a replaced folder, which lacks everything that was written. */
static int look_at_folder(struct definition_store *store, int fd, bool made)
{
	struct stat st;
	bool lost;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* Test `made` first: the inode number of a removed folder is soon reused. */
	lost = store->folder_known &&
	       (made || st.st_dev != store->folder_dev || st.st_ino != store->folder_ino);
	store->folder_known = true;
	store->folder_dev = st.st_dev;
	store->folder_ino = st.st_ino;
	if (!lost)
		return 0;
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < store->n_slots; i++) {
		if (store->slots[i].used && store->slots[i].blob)
			definition_queue(store, (uint32_t)i, 0);
	}
	pthread_mutex_unlock(&store->lock);
	return 0;
}

static int carry_out(int fd, const struct job *job)
{
	char name[32];

	definition_file_name(job->file, name);
	if (job->blob)
		return state_file_write(fd, name, job->blob->bytes, job->blob->len);
	return unlinkat(fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int run_jobs(struct definition_store *store, int dir_fd, struct job *jobs, size_t n)
{
	bool made = false;
	int fd = open_folder(store, dir_fd, &made);
	int r = fd < 0 ? fd : look_at_folder(store, fd, made);

	for (size_t i = 0; r >= 0 && i < n; i++)
		jobs[i].result = carry_out(fd, &jobs[i]);
	if (r >= 0)
		r = state_file_sync(fd);
	if (fd >= 0)
		close(fd);
	return r;
}

/** Open the state folder if it belongs to this gateway. @return fd or negative errno. */
static int open_dir(struct definition_store *store)
{
	int r = store->config.may_write ? store->config.may_write(store->config.user) : 0;

	return r < 0 ? r : state_file_open_dir(store->dir);
}

/** @return the last failure, or 0. */
static int write_batch(struct definition_store *store, struct job *jobs, size_t n)
{
	int dir_fd = open_dir(store);
	int r = dir_fd < 0 ? dir_fd : run_jobs(store, dir_fd, jobs, n);
	int last = r;

	if (dir_fd >= 0)
		close(dir_fd);
	for (size_t i = 0; i < n; i++) {
		if (r < 0)
			jobs[i].result = r;
		if (jobs[i].result < 0)
			last = jobs[i].result;
	}
	return last;
}

static int rename_legacy(int dir_fd)
{
	static const char to[] = DEFINITION_LEGACY ".migrated";
	int r = 0;

	if (renameat(dir_fd, DEFINITION_LEGACY, dir_fd, to) < 0)
		r = -errno;
	/* There is a folder of that name. */
	if (r == -EISDIR || r == -ENOTEMPTY || r == -EEXIST) {
		r = state_file_set_aside(dir_fd, to, to, STATE_FILE_COPIES_MAX, NULL);
		if (r >= 0 && renameat(dir_fd, DEFINITION_LEGACY, dir_fd, to) < 0)
			r = -errno;
	}
	return r == -ENOENT ? 0 : r;
}

static int finish_migration(struct definition_store *store)
{
	int dir_fd = open_dir(store);
	int r = dir_fd < 0 ? dir_fd : rename_legacy(dir_fd);
	if (r >= 0)
		r = state_file_sync(dir_fd);
	if (dir_fd >= 0)
		close(dir_fd);
	return r;
}

/* ---- the thread; lock held ---- */

static void tell(struct definition_store *store)
{
	void (*written)(void *user) = store->config.written;

	pthread_cond_broadcast(&store->done);
	if (!written)
		return;
	pthread_mutex_unlock(&store->lock);
	written(store->config.user);
	pthread_mutex_lock(&store->lock);
}

static void write_some(struct definition_store *store)
{
	struct job jobs[BATCH_MAX];
	size_t n = take_batch(store, jobs);
	int last;

	store->writing = true;
	pthread_mutex_unlock(&store->lock);
	last = write_batch(store, jobs, n);
	pthread_mutex_lock(&store->lock);
	store->writing = false;
	for (size_t i = 0; i < n; i++) {
		note_result(store, &jobs[i]);
		definition_blob_unref(jobs[i].blob);
	}
	note_error(store, last);
	tell(store);
}

static void migrate(struct definition_store *store)
{
	bool failed = false;
	int r = 0;

	for (size_t i = 0; i < store->n_slots; i++)
		failed |= store->slots[i].failed;
	if (!failed) {
		store->writing = true;
		pthread_mutex_unlock(&store->lock);
		r = finish_migration(store);
		pthread_mutex_lock(&store->lock);
		store->writing = false;
	}
	store->migration_failed = failed || r < 0;
	store->migrating = store->migration_failed;
	if (!store->migrating)
		DEFINITION_SAY(store, LOG_LEVEL_NOTICE,
		               "each definition of %s/" DEFINITION_LEGACY
		               " is in a file of its own "
		               "now; it was renamed to " DEFINITION_LEGACY ".migrated",
		               store->dir);
	note_error(store, r);
	tell(store);
}

static void wait_for_work(struct definition_store *store)
{
	struct timespec until;

	if (store->error == 0) {
		pthread_cond_wait(&store->work, &store->lock);
		return;
	}
	until = clock_timespec(clock_monotonic_ns() + DEFINITION_RETRY_NS);
	if (pthread_cond_timedwait(&store->work, &store->lock, &until) == ETIMEDOUT)
		queue_failed(store);
}

static void *run(void *arg)
{
	struct definition_store *store = arg;

	pthread_mutex_lock(&store->lock);
	for (;;) {
		if (store->first_queued != DEFINITION_NO_SLOT)
			write_some(store);
		else if (store->migrating && !store->migration_failed)
			migrate(store);
		else if (store->quit)
			break;
		else
			wait_for_work(store);
	}
	store->ended = true;
	pthread_cond_broadcast(&store->done);
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

int definition_writer_start(struct definition_store *store)
{
	sigset_t all, old;
	int r;

	sigfillset(&all); /* the loop handles signals */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&store->thread, NULL, run, store);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	store->started = r == 0;
	return r == 0 ? 0 : -EAGAIN;
}
