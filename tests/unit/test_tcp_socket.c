/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tcp_socket.h"

/** A connection on loopback. */
static void connect_pair(int fds[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_geq(listener, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(fds[0], (struct sockaddr *)&address, len), 0);
	fds[1] = accept(listener, NULL, NULL);
	cr_assert_geq(fds[1], 0);
	close(listener);
}

static bool is_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static unsigned count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static const struct tcp_socket_set nothing;

Test(tcp_socket, none)
{
	unsigned before = count_fds();

	cr_assert_eq(tcp_socket_find(&nothing), -1);
	cr_assert_eq(count_fds(), before);
}

/* As from a supervisor that leaks its descriptors. */
Test(tcp_socket, an_inherited_one_is_not_taken)
{
	struct tcp_socket_set before = { 0 };
	int inherited[40], pair[2], found;
	unsigned fds;

	for (size_t i = 0; i < 40; i += 2)
		connect_pair(&inherited[i]);
	fds = count_fds();
	cr_assert_eq(tcp_socket_remember(&before), 0);
	cr_assert_eq(count_fds(), fds);
	cr_assert_geq(before.n, 40);
	cr_assert_eq(tcp_socket_find(&before), -1);
	cr_assert_eq(count_fds(), fds);
	connect_pair(pair);
	close(pair[1]);
	found = tcp_socket_find(&before);
	cr_assert_geq(found, 0);
	cr_assert(is_same_file(found, pair[0]));
	close(found);
	close(pair[0]);
	tcp_socket_forget(&before);
	cr_assert_eq(before.n, 0);
	for (size_t i = 0; i < 40; i++)
		close(inherited[i]);
}

Test(tcp_socket, finds_a_duplicate_of_the_connected_one)
{
	int listening = socket(AF_INET, SOCK_STREAM, 0), fds[2], found;
	unsigned before;

	cr_assert_eq(listen(listening, 1), 0);
	connect_pair(fds);
	close(fds[1]); /* one stays open, like paho's */
	before = count_fds();
	found = tcp_socket_find(&nothing);
	cr_assert_geq(found, 0);
	cr_assert_neq(found, fds[0]);
	cr_assert(is_same_file(found, fds[0]));
	cr_assert_eq(count_fds(), before + 1);
	close(found);
	close(fds[0]);
	close(listening);
}

/* How long the kernel holds it is its own; that it does, and that all
 * is sent in the end, is ours. */
Test(tcp_socket, what_is_gathered_leaves_at_the_end)
{
	char got[3] = "";
	socklen_t len = sizeof(int);
	int fds[2], corked = 0;

	connect_pair(fds);
	tcp_socket_tune(fds[0], 1000);
	tcp_socket_gather(fds[0], true);
	cr_assert_eq(getsockopt(fds[0], IPPROTO_TCP, TCP_CORK, &corked, &len), 0);
	cr_assert(corked);
	cr_assert_eq(write(fds[0], "a", 1), 1);
	cr_assert_eq(write(fds[0], "b", 1), 1);
	tcp_socket_gather(fds[0], false);
	cr_assert_eq(getsockopt(fds[0], IPPROTO_TCP, TCP_CORK, &corked, &len), 0);
	cr_assert_not(corked);
	cr_assert_eq(recv(fds[1], got, 2, MSG_WAITALL), 2);
	cr_assert_str_eq(got, "ab");
	tcp_socket_gather(-1, true);
	close(fds[0]);
	close(fds[1]);
}

/** Whether another process sees the file locked. */
static bool is_locked(int fd)
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* POSIX drops a process's locks on a file with the first of its descriptors that is closed. */
Test(tcp_socket, the_locks_of_files_stay)
{
	char path[] = "/tmp/cuebus-lock-XXXXXX";
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int file = mkstemp(path), fds[2], found;

	cr_assert_geq(file, 0);
	cr_assert_eq(fcntl(file, F_SETLK, &lock), 0);
	cr_assert(is_locked(file));
	cr_assert_eq(tcp_socket_find(&nothing), -1);
	cr_assert(is_locked(file));
	connect_pair(fds);
	found = tcp_socket_find(&nothing);
	cr_assert_geq(found, 0);
	cr_assert(is_locked(file));
	close(found);
	close(fds[0]);
	close(fds[1]);
	close(file);
	unlink(path);
}
