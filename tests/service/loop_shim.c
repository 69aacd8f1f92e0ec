/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: a loop that hangs. While the file named by CUEBUS_LOOP_HANGS exists, epoll_pwait()
 * does not return. Only the loop's thread uses it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void hang(void)
{
	static const struct timespec a_moment = { .tv_nsec = 10000000 };
	const char *path = getenv("CUEBUS_LOOP_HANGS");

	while (path && access(path, F_OK) == 0)
		nanosleep(&a_moment, NULL);
}

int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout_ms, const sigset_t *mask)
{
	int n, error;

	hang();
	n = (int)syscall(SYS_epoll_pwait, fd, events, max, timeout_ms, mask, (size_t)8);
	error = errno;
	hang();
	errno = error;
	return n;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	return epoll_pwait(fd, events, max, timeout_ms, NULL);
}
