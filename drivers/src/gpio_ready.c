/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>

#include "gpio_backend.h"

int gpio_fd_ready(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n = poll(&pfd, 1, 0);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n > 0 && !(pfd.revents & POLLIN))
		return -ENODEV; /* POLLHUP, POLLERR: the chip was removed */
	return n;
}
