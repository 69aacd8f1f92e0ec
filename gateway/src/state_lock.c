/* SPDX-License-Identifier: Apache-2.0 */
#include "state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDER_SIZE 160U

static int open_file(const char *dir)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/lock", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* O_NONBLOCK: whatever stands there, nothing is waited for. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	return fd < 0 ? -errno : fd;
}

/** What the holder wrote, or a word for somebody. */
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

	/* Only a help: without room on the disk the lock holds as well. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len)
		(void)!ftruncate(fd, 0);
}

int state_lock(const char *dir, const char *gateway_id, int *ret_fd, char *error)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char holder[HOLDER_SIZE];
	int fd = open_file(dir), r;

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
		write_holder(fd, gateway_id);
		*ret_fd = fd;
		return 0;
	}
	r = errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	if (r == -EBUSY) {
		read_holder(fd, holder);
		snprintf(error, STATE_LOCK_ERROR_SIZE,
		         "gateway.state_dir '%.200s' is in use by %s: give each gateway a folder of "
		         "its own, or end the other one",
		         dir, holder);
	}
	close(fd);
	return r;
}
