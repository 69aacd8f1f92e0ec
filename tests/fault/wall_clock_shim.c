/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: another wall clock for one process, which can be set while it runs.
 *
 * CUEBUS_WALL_CLOCK   a file of 8 bytes, an int64_t of nanoseconds that is added
 *                     to every wall clock read; CLOCK_MONOTONIC stays as it is
 * CUEBUS_KERNEL_BOOT  a file to be read in place of the kernel's boot_id, so that
 *                     a restart of the process looks like one of the machine
 *
 * A wait until a wall clock time (such as pthread_cond_timedwait() with the default clock) uses the
 * kernel's clock, so a wrong use is visible: it waits an hour, or not at all.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
#define BOOT_ID  "/proc/sys/kernel/random/boot_id"

static const int64_t *shift_ns;

__attribute__((constructor)) static void map_shift(void)
{
	const char *path = getenv("CUEBUS_WALL_CLOCK");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*shift_ns), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		shift_ns = map;
}

static void shift(struct timespec *t)
{
	int64_t ns = shift_ns ? __atomic_load_n(shift_ns, __ATOMIC_SEQ_CST) : 0;

	ns += t->tv_nsec;
	t->tv_sec += ns / NS_PER_S - (ns % NS_PER_S < 0);
	t->tv_nsec = ns % NS_PER_S + (ns % NS_PER_S < 0 ? NS_PER_S : 0);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = (int)syscall(SYS_clock_gettime, clock, t);

	if (r == 0 &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI))
		shift(t);
	return r;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec t;

	(void)tz;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (ret)
		*ret = t.tv_sec;
	return t.tv_sec;
}

int timespec_get(struct timespec *t, int base)
{
	return clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}

int open(const char *path, int flags, ...)
{
	const char *boot = strcmp(path, BOOT_ID) == 0 ? getenv("CUEBUS_KERNEL_BOOT") : NULL;
	mode_t mode = 0;
	va_list ap;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, boot ? boot : path, flags, mode);
}
