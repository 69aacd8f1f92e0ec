/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The manager's queue is full: retry after this time. */
#define RETRY_NS 100000000ULL
static const uint64_t ns_per_us = 1000;
#define MESSAGE_SIZE (NOTIFY_STATUS_SIZE + 128U)

struct notify {
	int fd; /* -1: there is no service manager */
	struct sockaddr_un address;
	socklen_t address_len;
	uint64_t watchdog_ns; /* half of the manager's watchdog time; 0: no watchdog */
	uint64_t next_watchdog_ns;
	enum notify_state state;
	uint64_t state_ns; /* time of the last change of state */
	bool state_unsent;
	char status[NOTIFY_STATUS_SIZE];
	bool status_unsent;
	uint64_t retry_ns; /* no message before this time; 0: at once */
	int failure;       /* errno of the first failed message; 0: none, 1: already returned */
};

static int set_address(struct notify *notify, const char *name)
{
	size_t len = strlen(name);

	if (name[0] != '/' && name[0] != '@')
		return -EAFNOSUPPORT;
	if (len < 2)
		return -EINVAL;
	/* A path needs its NUL; an abstract name (@ and the rest) has none. */
	if (len + (name[0] == '/') > sizeof(notify->address.sun_path))
		return -ENAMETOOLONG;
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, name, len);
	if (name[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->address_len =
	        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
	return 0;
}

static int parse_number(const char *text, uint64_t *ret_value)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static int set_watchdog(struct notify *notify)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t value;

	if (!usec)
		return 0;
	if (pid && parse_number(pid, &value) < 0)
		return -EINVAL;
	if (pid && value != (uint64_t)getpid())
		return 0; /* meant for the parent process */
	if (parse_number(usec, &value) < 0 || value == 0 || value > INT64_MAX / ns_per_us)
		return -EINVAL;
	notify->watchdog_ns = value * ns_per_us / 2;
	return 0;
}

int notify_new(struct notify **ret_notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct notify *notify = calloc(1, sizeof(*notify));
	int r = 0;

	if (!notify)
		return -ENOMEM;
	notify->fd = -1;
	if (name && *name) {
		r = set_address(notify, name);
		if (r >= 0)
			r = set_watchdog(notify);
		if (r >= 0) {
			notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
			r = notify->fd < 0 ? -errno : 0;
		}
	}
	if (r < 0) {
		notify_free(notify);
		return r;
	}
	*ret_notify = notify;
	return 0;
}

struct notify *notify_free(struct notify *notify)
{
	if (!notify)
		return NULL;
	if (notify->fd >= 0)
		close(notify->fd);
	free(notify);
	return NULL;
}

/**
 * @return true if the text need not be sent again: it was sent, or the failure was not a full queue
 *         (do not wait for a manager that does not exist).
 */
static bool send_text(struct notify *notify, const char *text, uint64_t now_ns)
{
	ssize_t n;

	do {
		n = sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		           (const struct sockaddr *)&notify->address, notify->address_len);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS && notify->failure == 0)
		notify->failure = -errno;
	if (n >= 0 || (errno != EAGAIN && errno != ENOBUFS))
		return true;
	notify->retry_ns = now_ns + RETRY_NS;
	return false;
}

static void write_state(const struct notify *notify, char *text, size_t size)
{
	switch (notify->state) {
	case NOTIFY_STARTING:
		break;
	case NOTIFY_READY:
		snprintf(text, size, "READY=1\n");
		break;
	case NOTIFY_RELOADING:
		snprintf(text, size, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
		         notify->state_ns / ns_per_us);
		break;
	case NOTIFY_STOPPING:
		snprintf(text, size, "STOPPING=1\n");
		break;
	}
}

/** State and status in one message. */
static void send_unsent(struct notify *notify, uint64_t now_ns)
{
	char text[MESSAGE_SIZE] = "";
	size_t len;

	if (notify->fd < 0 || (!notify->state_unsent && !notify->status_unsent) ||
	    now_ns < notify->retry_ns)
		return;
	if (notify->state_unsent)
		write_state(notify, text, sizeof(text));
	len = strlen(text);
	if (notify->status_unsent)
		snprintf(text + len, sizeof(text) - len, "STATUS=%s\n", notify->status);
	if (*text && !send_text(notify, text, now_ns))
		return;
	notify->state_unsent = false;
	notify->status_unsent = false;
	notify->retry_ns = 0;
}

void notify_set_state(struct notify *notify, enum notify_state state, uint64_t now_ns)
{
	if (notify->state == state)
		return;
	notify->state = state;
	notify->state_ns = now_ns;
	notify->state_unsent = true;
	if (state == NOTIFY_READY && notify->next_watchdog_ns == 0)
		notify->next_watchdog_ns = now_ns; /* the watchdog runs from READY on */
	notify->retry_ns = 0;
	send_unsent(notify, now_ns);
}

enum notify_state notify_get_state(const struct notify *notify)
{
	return notify->state;
}

void notify_set_status(struct notify *notify, const char *format, ...)
{
	char text[NOTIFY_STATUS_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* A newline would start another assignment. */
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
	if (strcmp(text, notify->status) == 0)
		return;
	memcpy(notify->status, text, sizeof(text));
	notify->status_unsent = true;
}

void notify_tick(struct notify *notify, uint64_t now_ns)
{
	if (notify->fd < 0)
		return;
	send_unsent(notify, now_ns);
	if (notify->watchdog_ns == 0 || notify->next_watchdog_ns == 0 ||
	    now_ns < notify->next_watchdog_ns)
		return;
	/* If the queue is full, retry soon instead of after half of the watchdog time. */
	if (send_text(notify, "WATCHDOG=1\n", now_ns))
		notify->next_watchdog_ns = now_ns + notify->watchdog_ns;
	else
		notify->next_watchdog_ns = notify->retry_ns;
}

int notify_take_failure(struct notify *notify)
{
	int failure = notify->failure;

	if (failure >= 0)
		return 0;
	notify->failure = 1;
	return failure;
}

uint64_t notify_next_deadline(const struct notify *notify)
{
	uint64_t next_ns = UINT64_MAX;

	if (notify->fd < 0)
		return UINT64_MAX;
	if (notify->state_unsent || notify->status_unsent)
		next_ns = notify->retry_ns;
	if (notify->watchdog_ns > 0 && notify->next_watchdog_ns > 0 &&
	    notify->next_watchdog_ns < next_ns)
		next_ns = notify->next_watchdog_ns;
	return next_ns;
}
