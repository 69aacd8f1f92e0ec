/* SPDX-License-Identifier: Apache-2.0 */
#include "state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define ASIDE STATE_FILE_ASIDE

const char *state_file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a folder";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

int state_file_open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ---- reading ---- */

int state_file_open(int dir_fd, const char *name, int flags, struct stat *ret_stat)
{
	struct stat st;
	int fd;

	/* Check before opening: opening a device may have an effect. */
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EMEDIUMTYPE : -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EMEDIUMTYPE;
	}
	*ret_stat = st;
	return fd;
}

static int read_all(int fd, char *text, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	*ret_len = len;
	return 0;
}

int state_file_read(int dir_fd, const char *name, uint64_t max_bytes, char **ret_text,
                    size_t *ret_len)
{
	char *text = NULL;
	struct stat st;
	int fd = state_file_open(dir_fd, name, O_RDONLY, &st);
	int r = 0;

	if (fd < 0)
		return fd;
	if ((uint64_t)st.st_size > max_bytes || (uint64_t)st.st_size >= SIZE_MAX)
		r = -EFBIG;
	if (r >= 0) {
		text = malloc((size_t)st.st_size + 1);
		r = text ? read_all(fd, text, (size_t)st.st_size, ret_len) : -ENOMEM;
	}
	close(fd);
	if (r < 0)
		free(text);
	else
		*ret_text = text;
	return r;
}

/* ---- writing ---- */

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/** Create a new file at @p name, replacing anything there. A link is removed, its target is not
 * touched. */
static int create(int dir_fd, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		if (unlinkat(dir_fd, name, 0) < 0 && errno == EISDIR) {
			int r = state_file_set_aside(dir_fd, name, name, STATE_FILE_COPIES_MAX,
			                             NULL);

			if (r < 0)
				return r;
		}
		fd = openat(dir_fd, name, flags, 0600);
	}
	return fd < 0 ? -errno : fd;
}

int state_file_write(int dir_fd, const char *name, const void *text, size_t len)
{
	char tmp[STATE_FILE_NAME_SIZE];
	int fd, r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", name) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = create(dir_fd, tmp);
	if (fd < 0)
		return fd;
	r = write_all(fd, text, len);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r >= 0)
		r = -errno;
	if (r >= 0 && renameat(dir_fd, tmp, dir_fd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir_fd, tmp, 0);
	return r;
}

int state_file_sync(int dir_fd)
{
	return fsync(dir_fd) < 0 ? -errno : 0;
}

/* ---- renaming unusable files ---- */

bool state_file_is_aside(const char *name)
{
	return strstr(name, ASIDE) != NULL;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/** Whether the name is a copy of the file, or of any file; the log and index of a database belong
 * to it. */
static bool is_copy(const char *name, const char *family)
{
	size_t len = family ? strlen(family) : 0;

	if (!state_file_is_aside(name) || ends_with(name, "-wal") || ends_with(name, "-shm"))
		return false;
	return !family ||
	       (strncmp(name, family, len) == 0 && strncmp(name + len, ASIDE, strlen(ASIDE)) == 0);
}

/** @return the number of copies. @param oldest the oldest copy that can be deleted. */
static unsigned count_copies(int dir_fd, const char *family, char oldest[STATE_FILE_NAME_SIZE],
                             unsigned skip)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned n = 0;

	oldest[0] = '\0';
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(dir))) {
		const char *time = strstr(entry->d_name, ASIDE);

		if (!is_copy(entry->d_name, family))
			continue;
		n++;
		if (entry->d_type == DT_DIR && skip > 0)
			continue;
		if (!*oldest || strcmp(time, strstr(oldest, ASIDE)) < 0)
			snprintf(oldest, STATE_FILE_NAME_SIZE, "%s", entry->d_name);
	}
	closedir(dir);
	return n;
}

static int delete_copy(int dir_fd, const char *name)
{
	static const char *const suffixes[] = { "-wal", "-shm" };
	char other[STATE_FILE_NAME_SIZE];

	if (unlinkat(dir_fd, name, 0) < 0 &&
	    (errno != EISDIR || unlinkat(dir_fd, name, AT_REMOVEDIR) < 0))
		return -errno;
	for (size_t i = 0; i < 2; i++) {
		if (snprintf(other, sizeof(other), "%s%s", name, suffixes[i]) < (int)sizeof(other))
			(void)unlinkat(dir_fd, other, 0);
	}
	return 0;
}

/** Make room for one more copy. */
static int make_room(int dir_fd, const char *family, unsigned copies)
{
	char oldest[STATE_FILE_NAME_SIZE];
	unsigned stuck = 0;

	while (count_copies(dir_fd, family, oldest, stuck) >= copies) {
		if (!*oldest)
			return -EDQUOT;
		if (delete_copy(dir_fd, oldest) < 0 && stuck++ > 0)
			return -EDQUOT;
	}
	return 0;
}

int state_file_aside_name(int dir_fd, const char *name, const char *family, unsigned copies,
                          char ret_name[STATE_FILE_NAME_SIZE])
{
	char to[STATE_FILE_NAME_SIZE], stamp[32];
	struct timespec now;
	struct stat st;
	struct tm tm;
	int r = make_room(dir_fd, family, copies);

	if (r < 0)
		return r;
	now = clock_timespec((uint64_t)clock_wall_ns());
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	/* Microseconds, incremented if the name is taken, keep the copies in order. */
	for (unsigned i = 0; i < 1000; i++) {
		if (snprintf(to, sizeof(to), "%s" ASIDE "%s.%06luZ", name, stamp,
		             (unsigned long)now.tv_nsec / 1000 + i) >= (int)sizeof(to))
			return -ENAMETOOLONG;
		if (fstatat(dir_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT)
			return -errno;
		memcpy(ret_name, to, sizeof(to));
		return 0;
	}
	return -EEXIST;
}

int state_file_set_aside(int dir_fd, const char *name, const char *family, unsigned copies,
                         char ret_name[STATE_FILE_NAME_SIZE])
{
	char to[STATE_FILE_NAME_SIZE];
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = state_file_aside_name(dir_fd, name, family, copies, to);
	if (r < 0)
		return r;
	if (renameat(dir_fd, name, dir_fd, to) < 0)
		return -errno;
	if (ret_name)
		memcpy(ret_name, to, sizeof(to));
	return 0;
}

void state_file_check_dir(const char *dir, struct log *log)
{
	struct stat st;

	if (!log || stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		log_write(log, LOG_LEVEL_WARNING,
		          "gateway.state_dir '%s' belongs to user %lu, who can change what is kept "
		          "in it: give it to this user with chown %lu",
		          dir, (unsigned long)st.st_uid, (unsigned long)geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		log_write(log, LOG_LEVEL_WARNING,
		          "gateway.state_dir '%s' can be written by %s (mode %04o): others can "
		          "change what is kept in it; remedy: chmod go-w %s",
		          dir, st.st_mode & S_IWOTH ? "everybody" : "its group",
		          (unsigned)(st.st_mode & 07777), dir);
}
