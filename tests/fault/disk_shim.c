/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: a disk that hangs. While the file named by CUEBUS_DISK_HANGS exists, fsync() and
 * fdatasync() do not return.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void hang(void)
{
	static const struct timespec a_moment = { .tv_nsec = 10000000 };
	const char *path = getenv("CUEBUS_DISK_HANGS");

	while (path && access(path, F_OK) == 0)
		nanosleep(&a_moment, NULL);
}

int fsync(int fd)
{
	hang();
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	hang();
	return (int)syscall(SYS_fdatasync, fd);
}
