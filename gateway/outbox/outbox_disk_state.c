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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "outbox_internal.h"
#include "outbox_vfs.h"
#include "outbox_wal.h"
#include "state_file.h"
#include "state_lock.h"

#define NS_PER_S 1000000000ULL

#define RETURN_CHUNK 4096U
#define FILE_NAME    "outbox.db"
#define LOG_NAME     FILE_NAME "-wal"
/* A damaged log is copied up to this size: usually it has 4 MiB, but more after a large commit. */
#define LOG_COPY_MAX  (16L * 1024L * 1024L)
#define GROUP_POLL_NS (NS_PER_S / 1000)
/* Tries in a row with "out of memory", after which memory is not the reason. */
#define NO_MEMORY_TRIES 3U
/* Tries before unreadable data is given up; they must also span retry_max_ns. */
#define READ_TRIES 3U
/* How often a file may be reported as damaged but found sound, with twice the delay each time. */
#define DOUBTS_MAX 6U
/* Age at which such a report no longer counts, in units of retry_max_ns. */
#define DOUBT_AGE 10U

/* ---- failure ---- */

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

/* ---- switching to another database ---- */

/** Keep the current database for reading only; its messages must be written again. @return 0;
 * -EBUSY. */
static int leave_db(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	size_t i = 0;

	pthread_mutex_lock(&outbox->mutex);
	while (i < OUTBOX_SOURCES_MAX && disk->sources[i])
		i++;
	if (i < OUTBOX_SOURCES_MAX) {
		/* A database that could not be read has no ranges. */
		if (disk->adopted)
			disk->sources[i] = disk->db;
		else
			outbox_db_close(disk->db, true);
		disk->db = NULL;
		for (struct outbox_node *n = outbox->head; n; n = n->after) {
			if (n->is_range || !outbox_as_entry(n)->row)
				continue;
			outbox_as_entry(n)->row = 0;
			outbox->stats.unwritten_events++;
			outbox->memory_only_bytes += outbox_as_entry(n)->size;
		}
		outbox->ready = 0;
		outbox_rows_clear(&outbox->deletes);
		outbox->journal.rewrite = true;
		outbox->unwritten = outbox_first_unwritten(outbox, outbox->head, NULL);
	}
	pthread_mutex_unlock(&outbox->mutex);
	return i < OUTBOX_SOURCES_MAX ? 0 : -EBUSY;
}

/** Rename all three files, the log first, so that it is never replayed into another database. */
static int rename_files(struct outbox_disk *disk, char *name, size_t size)
{
	static const char *const suffixes[] = { "-wal", "-shm" };
	char aside[STATE_FILE_NAME_SIZE], from[32], to[STATE_FILE_NAME_SIZE];
	int dir_fd = state_file_open_dir(disk->dir);
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = state_file_aside_name(dir_fd, FILE_NAME, FILE_NAME, STATE_FILE_COPIES_MAX, aside);
	for (size_t i = 0; r >= 0 && i < 2; i++) {
		snprintf(from, sizeof(from), FILE_NAME "%s", suffixes[i]);
		if (snprintf(to, sizeof(to), "%s%s", aside, suffixes[i]) >= (int)sizeof(to))
			r = -ENAMETOOLONG;
		else if (renameat(dir_fd, from, dir_fd, to) < 0 && errno != ENOENT)
			r = -errno;
	}
	if (r >= 0 && renameat(dir_fd, FILE_NAME, dir_fd, aside) < 0 && errno != ENOENT)
		r = -errno;
	close(dir_fd);
	if (r >= 0 && snprintf(name, size, "%s/%s", disk->dir, aside) >= (int)size)
		r = -ENAMETOOLONG;
	return r;
}

/** Handle damage found at opening or reading, for which outbox_disk_fail() was not called. */
static void found_damaged(struct outbox *outbox)
{
	outbox->disk->damaged = true;
	outbox->stats.disk_failures++;
}

static int set_aside(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	char name[4096], ignored[OUTBOX_DB_ERROR_SIZE];
	bool seen = disk->db && disk->adopted;
	int r;

	r = disk->db ? leave_db(outbox) : 0;
	if (r >= 0)
		r = rename_files(disk, name, sizeof(name));
	if (r < 0) {
		snprintf(error, OUTBOX_DB_ERROR_SIZE, "damaged, and it can't be renamed: %s",
		         strerrordesc_np(-r));
		return r;
	}
	disk->damaged = false;
	if (disk->log)
		log_write(disk->log, LOG_LEVEL_ERROR,
		          "outbox: %s is damaged; it was renamed to %s, what can be read of it "
		          "will be sent",
		          disk->path, name);
	if (!seen && !disk->salvage)
		(void)outbox_db_open(name, disk->sync, true, &disk->halt, &disk->salvage, ignored);
	return 0;
}

static int copy_bytes(int in, int out)
{
	char buffer[16384];
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) > 0) {
		if (write(out, buffer, (size_t)n) != n)
			return errno ? -errno : -EIO;
	}
	return n < 0 ? -errno : 0;
}

/** @param ret_name STATE_FILE_NAME_SIZE bytes: the name of the copy. */
static int copy_log(const struct outbox_disk *disk, char *ret_name)
{
	int dir_fd = state_file_open_dir(disk->dir), in = -1, out = -1;
	struct stat st;
	int r = dir_fd;

	if (r >= 0)
		r = state_file_aside_name(dir_fd, LOG_NAME, LOG_NAME, STATE_FILE_COPIES_MAX,
		                          ret_name);
	if (r >= 0)
		r = in = state_file_open(dir_fd, LOG_NAME, O_RDONLY, &st);
	if (r >= 0 && st.st_size > LOG_COPY_MAX)
		r = -EFBIG;
	if (r >= 0) {
		out = openat(dir_fd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		             0600);
		r = out < 0 ? -errno : copy_bytes(in, out);
	}
	if (out >= 0 && close(out) < 0 && r >= 0)
		r = -errno;
	if (in >= 0)
		close(in);
	if (dir_fd >= 0)
		close(dir_fd);
	return r;
}

/** Log a damaged log: SQLite silently skips everything behind the damage and then overwrites it. */
static void tell_damaged_log(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	char path[4096], name[STATE_FILE_NAME_SIZE] = "";
	uint64_t lost = 0;
	int r;

	if (snprintf(path, sizeof(path), "%s-wal", disk->path) >= (int)sizeof(path) ||
	    outbox_wal_check(path, &lost) != 1)
		return;
	r = copy_log(disk, name);
	pthread_mutex_lock(&outbox->mutex);
	outbox->stats.disk_failures++;
	pthread_mutex_unlock(&outbox->mutex);
	if (disk->log)
		log_write(disk->log, LOG_LEVEL_ERROR,
		          "outbox: %s is damaged: events that were committed behind the damage are "
		          "lost (%llu pages%s); %s%s",
		          path, (unsigned long long)lost, lost ? "" : ", perhaps all",
		          r < 0 ? "it could not be copied: " : "a copy is kept as ",
		          r < 0 ? strerrordesc_np(-r) : name);
}

/** Acquire the lock before writing to the folder. */
static int hold_lock(const struct outbox_disk *disk, char error[OUTBOX_DB_ERROR_SIZE])
{
	char why[STATE_LOCK_ERROR_SIZE];
	int r = disk->lock ? state_lock_hold(disk->lock, why) : 0;

	if (r < 0)
		snprintf(error, OUTBOX_DB_ERROR_SIZE, "%.*s", (int)OUTBOX_DB_ERROR_SIZE - 1, why);
	return r;
}

static int find_note(void *user, const char *key, const void *value, size_t len)
{
	struct outbox *outbox = user;
	int r = 0;

	pthread_mutex_lock(&outbox->mutex);
	if (strcmp(key, OUTBOX_GAPS_KEY) == 0)
		outbox_gaps_read(outbox, value, len);
	else if (strlen(key) <= OUTBOX_KEY_MAX)
		r = outbox_journal_found(&outbox->journal, key, value, len);
	pthread_mutex_unlock(&outbox->mutex);
	return r;
}

/** Create only the last part of the path: a missing parent is a mistake, or not mounted yet. */
static int make_dir(const struct outbox_disk *disk, char error[OUTBOX_DB_ERROR_SIZE])
{
	if (mkdir(disk->dir, 0700) == 0) {
		if (disk->log)
			log_write(disk->log, LOG_LEVEL_NOTICE, "outbox: %s did not exist: made it",
			          disk->dir);
		return 0;
	}
	if (errno == EEXIST)
		return 0; /* if it is not a folder, opening the file in it reports that */
	snprintf(error, OUTBOX_DB_ERROR_SIZE, "the folder does not exist and can't be made: %s",
	         strerrordesc_np(errno));
	return -errno;
}

/**
 * Rename everything in the way that is not a regular file, because SQLite opens its files by name.
 * @return 0; negative errno, @p error filled.
 */
static int clear_places(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	static const char *const names[] = { FILE_NAME, LOG_NAME, FILE_NAME "-shm",
		                             FILE_NAME "-journal" };
	struct outbox_disk *disk = outbox->disk;
	char aside[STATE_FILE_NAME_SIZE];
	int dir_fd = state_file_open_dir(disk->dir);
	int r = dir_fd < 0 ? dir_fd : 0;

	for (size_t i = 0; r >= 0 && i < sizeof(names) / sizeof(*names); i++) {
		struct stat st;

		if (fstatat(dir_fd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* opening it reports the reason */
		if (S_ISREG(st.st_mode) && st.st_nlink > 1 && !disk->warned_links && disk->log) {
			disk->warned_links = true;
			log_write(
			        disk->log, LOG_LEVEL_WARNING,
			        "outbox: %s/%s has %lu names: what is written is seen under all of "
			        "them",
			        disk->dir, names[i], (unsigned long)st.st_nlink);
		}
		if (S_ISREG(st.st_mode))
			continue;
		r = state_file_set_aside(dir_fd, names[i], names[i], STATE_FILE_COPIES_MAX, aside);
		pthread_mutex_lock(&outbox->mutex);
		outbox->stats.disk_failures++;
		pthread_mutex_unlock(&outbox->mutex);
		if (disk->log)
			log_write(disk->log, LOG_LEVEL_ERROR, "outbox: %s/%s is %s; it %s%s",
			          disk->dir, names[i], state_file_kind(st.st_mode),
			          r < 0 ? "can't be renamed: " : "was renamed to ",
			          r < 0 ? strerrordesc_np(-r) : aside);
	}
	if (dir_fd >= 0)
		close(dir_fd);
	if (r < 0)
		snprintf(error, OUTBOX_DB_ERROR_SIZE, "%s", strerrordesc_np(-r));
	return r;
}

/** Prepare the folder: it exists, is locked by this process, and nothing is in the way. */
static int prepare_folder(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	int r = make_dir(disk, error);

	if (r >= 0)
		r = hold_lock(disk, error);
	return r < 0 ? r : clear_places(outbox, error);
}

/** As outbox_db_is_sound(), but an open file that is reported as damaged repeatedly finally counts
 * as damaged. */
static int is_sound(struct outbox_disk *disk, struct outbox_db *db)
{
	uint64_t now_ns = clock_monotonic_ns();
	int r;

	if (now_ns - disk->doubted_ns > DOUBT_AGE * disk->retry_max_ns)
		disk->doubts = 0;
	if (disk->doubts >= DOUBTS_MAX)
		return 0;
	r = outbox_db_is_sound(db);
	if (r > 0) {
		disk->doubts++;
		disk->doubted_ns = now_ns;
	}
	return r;
}

static int open_db(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	struct outbox_db *db = NULL;
	uint64_t last_row = 0;
	int r;

	r = prepare_folder(outbox, error);
	if (r < 0)
		return r;
	tell_damaged_log(outbox);
	r = outbox_db_open(disk->path, disk->sync, false, &disk->halt, &db, error);
	if (r < 0)
		return r;
	r = outbox_db_last_row(db, &last_row);
	if (r >= 0)
		r = outbox_db_notes(db, find_note, outbox);
	if (r == -EBADMSG && is_sound(disk, db) != 0)
		r = -EIO;
	if (r < 0) {
		snprintf(error, OUTBOX_DB_ERROR_SIZE, "%s", outbox_db_error(db));
		outbox_db_close(db, true);
		return r;
	}
	pthread_mutex_lock(&outbox->mutex);
	disk->db = db;
	disk->adopted = last_row == 0;
	disk->last_row = last_row;
	pthread_mutex_unlock(&outbox->mutex);
	return 0;
}

/** Check an open file that SQLite reports as damaged. @return 1 it is sound; 0 damaged; -EIO,
 * -EINTR unknown yet. */
static int ask_again(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	int r;

	if (!disk->db || disk->unreadable)
		return 0;
	r = is_sound(disk, disk->db);
	if (r < 0)
		snprintf(error, OUTBOX_DB_ERROR_SIZE, "it can't be read: %s", strerrordesc_np(-r));
	if (r <= 0)
		return r;
	disk->damaged = false;
	if (disk->log)
		log_write(disk->log, LOG_LEVEL_NOTICE,
		          "outbox: %s was reported as damaged, but all of it can be read: it stays "
		          "in use",
		          disk->path);
	return r;
}

int outbox_disk_prepare(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	int r = 0;

	for (unsigned i = 0; i < 2 && (disk->damaged || !disk->db); i++) {
		if (disk->damaged) {
			r = ask_again(outbox, error);
			if (r > 0)
				return 0;
			if (r == 0)
				r = set_aside(outbox, error);
		}
		if (r < 0)
			return r;
		if (disk->salvage && !disk->was_ok)
			(void)outbox_db_notes(disk->salvage, find_note, outbox);
		r = open_db(outbox, error);
		if (r != -EBADMSG)
			return r;
		pthread_mutex_lock(&outbox->mutex);
		found_damaged(outbox);
		pthread_mutex_unlock(&outbox->mutex);
	}
	return r;
}

/* ---- the return to the disk ---- */

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

/** Switch from a database whose log was removed: only the open handle can still read the log. */
static int leave_without_log(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	char name[4096];
	/* Rename first: otherwise the file would be opened again by its name, although it is
	 * locked. */
	int r = rename_files(disk, name, sizeof(name));

	if (r >= 0)
		r = leave_db(outbox);
	if (r < 0) {
		snprintf(error, OUTBOX_DB_ERROR_SIZE,
		         "its log was removed, and it can't be renamed: %s", strerrordesc_np(-r));
		return r;
	}
	if (disk->log)
		log_write(
		        disk->log, LOG_LEVEL_ERROR,
		        "outbox: the log of %s was removed; the rest was renamed to %s, all of it "
		        "is written to a new one",
		        disk->path, name);
	return 0;
}

/** Switch only if the folder exists: without it there is no place for a new file, and the old one
 * may return with it. */
static int leave_if_gone(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	int r = prepare_folder(outbox, error);

	if (r < 0)
		return r;
	r = outbox_db_check_place(outbox->disk->db);
	if (r == -ENODATA)
		return leave_without_log(outbox, error);
	return r == -ENOENT || r == -ESTALE ? leave_db(outbox) : r;
}

static int try_return(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	int r = 0;

	outbox_disk_call_begin(outbox);
	if (disk->db)
		r = outbox_db_check_place(disk->db);
	if (r == 0 && disk->db)
		r = hold_lock(disk, error);
	if (r == -ENOENT || r == -ESTALE || r == -ENODATA)
		r = leave_if_gone(outbox, error);
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

/**
 * Count a return that ended in @p error. If the disk refused pages repeatedly for retry_max_ns, the
 * file counts as damaged: with a bad sector it can never be opened, read completely, or emptied.
 */
static bool is_unreadable(struct outbox_disk *disk, int error, bool refused)
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

void outbox_disk_return(struct outbox *outbox)
{
	struct outbox_disk *disk = outbox->disk;
	char error[OUTBOX_DB_ERROR_SIZE] = "";
	uint64_t refused = outbox_vfs_refused_reads();
	int r = try_return(outbox, error);

	if (is_unreadable(disk, r, outbox_vfs_refused_reads() != refused)) {
		disk->unreadable = true;
		r = -EBADMSG;
	}
	if (r == -EBADMSG || (r == -ENOMEM && !disk->adopted && outbox_disk_is_damage(disk, r))) {
		/* It was opened but is damaged: handle that at once, before any message is
		 * taken. */
		found_damaged(outbox);
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
