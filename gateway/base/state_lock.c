/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   the file `lock`      | held                    | not held
 *   is the one locked    | go on                   |
 *   is another, or none  | lock the one there is   | lock the one there is
 *   is no regular file   | renamed, a new one made | the same
 *   can't be had         | refused                 | refused
 */
#include "state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "state_file.h"

#define FILE_NAME   "lock"
#define HOLDER_SIZE 160U

struct state_lock {
	char *dir, *gateway_id;
	struct log *log;
	pthread_mutex_t mutex; /* guards what follows */
	int fd;                /* -1: not held */
	bool was_held;
	bool unsupported; /* the file system has no locks */
};

static int try_open(int dir_fd)
{
	struct stat st;
	int fd = openat(dir_fd, FILE_NAME,
	                O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EMEDIUMTYPE : -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EMEDIUMTYPE;
	}
	return fd;
}

/** Open the lock file; anything that is not a regular file is renamed first. */
static int open_file(const struct state_lock *lock)
{
	char aside[STATE_FILE_NAME_SIZE];
	int dir_fd = state_file_open_dir(lock->dir);
	int fd, r;

	if (dir_fd < 0)
		return dir_fd;
	fd = try_open(dir_fd);
	if (fd == -EMEDIUMTYPE) {
		r = state_file_set_aside(dir_fd, FILE_NAME, FILE_NAME, STATE_FILE_COPIES_MAX,
		                         aside);
		if (r >= 0 && lock->log)
			log_write(lock->log, LOG_LEVEL_ERROR,
			          "%s/" FILE_NAME " is not a regular file; it was renamed to %s",
			          lock->dir, aside);
		fd = r < 0 ? r : try_open(dir_fd);
	}
	close(dir_fd);
	return fd;
}

/** Read the holder's text, or use a default. */
static void read_holder(int fd, char holder[HOLDER_SIZE])
{
	ssize_t n = pread(fd, holder, HOLDER_SIZE - 1, 0);

	holder[n > 0 ? n : 0] = '\0';
	holder[strcspn(holder, "\n")] = '\0';
	for (char *c = holder; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = '?';
	}
	if (!*holder)
		snprintf(holder, HOLDER_SIZE, "another process");
}

static void write_holder(int fd, const char *gateway_id)
{
	char text[HOLDER_SIZE];
	int len = snprintf(text, sizeof(text), "gateway '%.100s', process %ld\n", gateway_id,
	                   (long)getpid());

	/* Only for information: the lock works even on a full disk. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len)
		(void)!ftruncate(fd, 0);
}

/** Whether the locked file is still the one under its name. */
static bool is_in_place(const struct state_lock *lock)
{
	struct stat own, there;
	char path[4096];

	if (lock->fd < 0 ||
	    snprintf(path, sizeof(path), "%s/" FILE_NAME, lock->dir) >= (int)sizeof(path))
		return false;
	return fstat(lock->fd, &own) == 0 && lstat(path, &there) == 0 &&
	       own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

static bool is_unsupported(int error)
{
	return error == ENOLCK || error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
}

static void warn_unsupported(struct state_lock *lock, int error)
{
	if (!lock->unsupported && lock->log)
		log_write(lock->log, LOG_LEVEL_WARNING,
		          "gateway.state_dir '%s' can't be locked (%s): make sure that no other "
		          "gateway uses it",
		          lock->dir, strerrordesc_np(error));
	lock->unsupported = true;
}

static int take(struct state_lock *lock, char error[STATE_LOCK_ERROR_SIZE])
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char holder[HOLDER_SIZE];
	int fd = open_file(lock), r;

	if (fd < 0) {
		snprintf(error, STATE_LOCK_ERROR_SIZE, "the file " FILE_NAME " in it: %s",
		         strerrordesc_np(-fd));
		return fd;
	}
	r = fcntl(fd, F_OFD_SETLK, &whole) == 0 ? 0 : errno;
	if (r == EACCES || r == EAGAIN) {
		read_holder(fd, holder);
		close(fd);
		snprintf(
		        error, STATE_LOCK_ERROR_SIZE,
		        "gateway.state_dir '%.200s' is in use by %s: give each gateway a folder of "
		        "its own, or stop the other one",
		        lock->dir, holder);
		return -EBUSY;
	}
	if (r != 0 && !is_unsupported(r)) {
		close(fd);
		snprintf(error, STATE_LOCK_ERROR_SIZE, "can't be locked: %s", strerrordesc_np(r));
		return -r;
	}
	if (r != 0)
		warn_unsupported(lock, r);
	write_holder(fd, lock->gateway_id);
	if (lock->fd >= 0)
		close(lock->fd);
	lock->fd = fd;
	return 0;
}

int state_lock_hold(struct state_lock *lock, char error[STATE_LOCK_ERROR_SIZE])
{
	int r = 0;

	pthread_mutex_lock(&lock->mutex);
	if (!is_in_place(lock)) {
		r = take(lock, error);
		if (r == 0 && lock->was_held && lock->log)
			log_write(lock->log, LOG_LEVEL_NOTICE,
			          "gateway.state_dir '%s' is not the same folder as before: locked "
			          "it",
			          lock->dir);
		lock->was_held |= r == 0;
	}
	pthread_mutex_unlock(&lock->mutex);
	return r;
}

int state_lock_new(const char *dir, const char *gateway_id, struct log *log,
                   struct state_lock **ret_lock, char error[STATE_LOCK_ERROR_SIZE])
{
	struct state_lock *lock = calloc(1, sizeof(*lock));
	int r;

	if (!lock)
		return -ENOMEM;
	lock->log = log;
	lock->fd = -1;
	pthread_mutex_init(&lock->mutex, NULL);
	lock->dir = strdup(dir);
	lock->gateway_id = strdup(gateway_id);
	if (!lock->dir || !lock->gateway_id) {
		state_lock_free(lock);
		return -ENOMEM;
	}
	(void)mkdir(dir, 0700);
	r = state_lock_hold(lock, error);
	if (r == -EBUSY || r == -ENOMEM) {
		state_lock_free(lock);
		return r;
	}
	*ret_lock = lock;
	return 0;
}

struct state_lock *state_lock_free(struct state_lock *lock)
{
	if (!lock)
		return NULL;
	if (lock->fd >= 0)
		close(lock->fd);
	pthread_mutex_destroy(&lock->mutex);
	free(lock->dir);
	free(lock->gateway_id);
	free(lock);
	return NULL;
}
