/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the database: in a folder that is made, locked and cleared for it, beside a damaged or
 * removed one that is left or set aside. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "outbox_internal.h"
#include "outbox_wal.h"
#include "state_file.h"
#include "state_lock.h"

#define FILE_NAME "outbox.db"
#define LOG_NAME  FILE_NAME "-wal"
/* A damaged log is copied up to this size: usually it has 4 MiB, but more after a large commit. */
#define LOG_COPY_MAX (16L * 1024L * 1024L)
/* How often a file may be reported as damaged but found sound, with twice the delay each time. */
#define DOUBTS_MAX 6U
/* Age at which such a report no longer counts, in units of retry_max_ns. */
#define DOUBT_AGE 10U

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

void outbox_disk_found_damaged(struct outbox *outbox)
{
	outbox->disk->damaged = true;
	outbox->stats.disk_failures++;
}

static int set_aside(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	struct outbox_disk *disk = outbox->disk;
	char name[4096], ignored[OUTBOX_DB_ERROR_SIZE];
	const struct outbox_db_options salvage = { .sync = disk->sync,
		                                   .salvage = true,
		                                   .halt = &disk->halt };
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
		(void)outbox_db_open(name, &salvage, &disk->salvage, ignored);
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
static int copy_log(const struct outbox_disk *disk, char ret_name[STATE_FILE_NAME_SIZE])
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

int outbox_disk_hold_lock(const struct outbox_disk *disk, char error[OUTBOX_DB_ERROR_SIZE])
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
		r = outbox_disk_hold_lock(disk, error);
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
	const struct outbox_db_options options = { .sync = disk->sync, .halt = &disk->halt };
	struct outbox_db *db = NULL;
	uint64_t last_row = 0;
	int r;

	r = prepare_folder(outbox, error);
	if (r < 0)
		return r;
	tell_damaged_log(outbox);
	r = outbox_db_open(disk->path, &options, &db, error);
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
		outbox_disk_found_damaged(outbox);
		pthread_mutex_unlock(&outbox->mutex);
	}
	return r;
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

int outbox_disk_leave_if_gone(struct outbox *outbox, char error[OUTBOX_DB_ERROR_SIZE])
{
	int r = prepare_folder(outbox, error);

	if (r < 0)
		return r;
	r = outbox_db_check_place(outbox->disk->db);
	if (r == -ENODATA)
		return leave_without_log(outbox, error);
	return r == -ENOENT || r == -ESTALE ? leave_db(outbox) : r;
}
