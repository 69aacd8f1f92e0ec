/* SPDX-License-Identifier: Apache-2.0 */
#include "tcp_socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"

/* A whole window of ordinary messages fits: after each write that does not fit, paho sleeps for
 * 100 ms. */
#define SEND_BUFFER (256 * 1024)

static bool is_connected_tcp(int fd)
{
	int protocol = 0, type = 0;
	socklen_t protocol_len = sizeof(protocol), type_len = sizeof(type);
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &protocol_len) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
	       protocol == IPPROTO_TCP && type == SOCK_STREAM &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0;
}

/**
 * Duplicate @p number if it is the wanted socket. Never duplicate anything else: closing a
 * duplicate of a file drops every lock that the process has on it (POSIX), including SQLite's.
 */
static int try_dup(int number)
{
	struct stat st;
	int fd;

	if (!is_connected_tcp(number))
		return -1;
	fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || is_connected_tcp(fd))
		return fd;
	/* Another thread has closed it meanwhile and opened something else with this number. If
	 * that is a file, leaking a descriptor is better than losing a lock. */
	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		close(fd);
	return -1;
}

/**
 * The inode of the socket that an entry of /proc/self/fd names. Reads the link, not the descriptor:
 * another thread may close that and open another one at any time.
 * @return false if it is not a socket.
 */
static bool get_socket(DIR *dir, const char *name, ino_t *ret_socket)
{
	static const char prefix[] = "socket:[";
	char link[64], *end;
	ssize_t len = readlinkat(dirfd(dir), name, link, sizeof(link) - 1);

	if (len < (ssize_t)sizeof(prefix) || memcmp(link, prefix, sizeof(prefix) - 1) != 0)
		return false;
	link[len] = '\0';
	*ret_socket = (ino_t)strtoull(link + sizeof(prefix) - 1, &end, 10);
	return *end == ']';
}

static bool is_in(const struct tcp_socket_set *set, ino_t socket)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->sockets[i] == socket)
			return true;
	}
	return false;
}

/** @return the next descriptor that is a socket, or -1 at the end. */
static int next_socket(DIR *dir, ino_t *ret_socket)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		char *end;
		long number = strtol(entry->d_name, &end, 10);

		if (end != entry->d_name && !*end && get_socket(dir, entry->d_name, ret_socket))
			return (int)number;
	}
	return -1;
}

int tcp_socket_remember(struct tcp_socket_set *ret_set)
{
	struct tcp_socket_set set = { 0 };
	DIR *dir = opendir("/proc/self/fd");
	size_t capacity = 0;
	ino_t socket;

	if (!dir)
		return -errno;
	while (next_socket(dir, &socket) >= 0) {
		ino_t *grown;

		grown = array_grow(set.sockets, set.n, &capacity, sizeof(*grown));
		if (!grown) {
			tcp_socket_forget(&set);
			closedir(dir);
			return -ENOMEM;
		}
		set.sockets = grown;
		set.sockets[set.n++] = socket;
	}
	closedir(dir);
	*ret_set = set;
	return 0;
}

void tcp_socket_forget(struct tcp_socket_set *set)
{
	free(set->sockets);
	*set = (struct tcp_socket_set){ 0 };
}

int tcp_socket_find(const struct tcp_socket_set *before)
{
	DIR *dir = opendir("/proc/self/fd");
	int found = -1, fd;
	ino_t socket;

	while (dir && found < 0 && (fd = next_socket(dir, &socket)) >= 0) {
		if (!is_in(before, socket))
			found = try_dup(fd);
	}
	if (dir)
		closedir(dir);
	return found;
}

void tcp_socket_tune(int fd, unsigned timeout_ms)
{
	int on = 1, bytes = SEND_BUFFER;

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	/* A connection without them works too. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

void tcp_socket_quick_ack(int fd)
{
	int on = 1;

	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

void tcp_socket_gather(int fd, bool on)
{
	int value = on;

	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

bool tcp_socket_peer_ended(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return true;
	switch (info.tcpi_state) {
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		return true;
	case TCP_CLOSE: /* reset, closed by both, or given up by the kernel after retransmissions */
		return info.tcpi_retransmits == 0;
	default:
		return false;
	}
}
