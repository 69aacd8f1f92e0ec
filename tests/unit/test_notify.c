/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

#define MS 1000000ULL
#define US 1000ULL

/** The service manager's end: an abstract socket, so no file remains. */
struct manager {
	int fd;
	char name[64];
	char text[1024];
	struct notify *notify;
};

static void manager_open(struct manager *m, const char *watchdog_usec)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len;
	static unsigned number;

	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "@cuebus-test-notify-%d-%u", (int)getpid(), number++);
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_geq(m->fd, 0);
	memcpy(address.sun_path + 1, m->name + 1, strlen(m->name) - 1);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(m->name));
	cr_assert_eq(bind(m->fd, (const struct sockaddr *)&address, len), 0);
	setenv("NOTIFY_SOCKET", m->name, 1);
	unsetenv("WATCHDOG_PID");
	if (watchdog_usec)
		setenv("WATCHDOG_USEC", watchdog_usec, 1);
	else
		unsetenv("WATCHDOG_USEC");
	cr_assert_eq(notify_new(&m->notify), 0);
}

static void manager_close(struct manager *m)
{
	notify_free(m->notify);
	close(m->fd);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/** The next message, or "". */
static const char *next(struct manager *m)
{
	ssize_t n = recv(m->fd, m->text, sizeof(m->text) - 1, 0);

	m->text[n > 0 ? n : 0] = '\0';
	return m->text;
}

static int new_with(const char *name, const char *value)
{
	struct notify *notify = NULL;
	int r;

	setenv(name, value, 1);
	r = notify_new(&notify);
	if (r < 0)
		cr_assert_null(notify, "untouched on failure");
	notify_free(notify);
	return r;
}

Test(notify, without_a_manager_it_does_nothing)
{
	struct notify *notify;

	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000", 1);
	cr_assert_eq(notify_new(&notify), 0);
	notify_set_state(notify, NOTIFY_READY, 5);
	notify_set_status(notify, "well");
	notify_tick(notify, 5);
	cr_assert_eq(notify_get_state(notify), NOTIFY_READY);
	cr_assert_eq(notify_next_deadline(notify), UINT64_MAX);
	notify_free(notify);
	unsetenv("WATCHDOG_USEC");
}

Test(notify, tells_each_state_once)
{
	struct manager m;

	manager_open(&m, NULL);
	notify_tick(m.notify, 1 * MS);
	cr_assert_str_eq(next(&m), "", "nothing to say yet");
	notify_set_state(m.notify, NOTIFY_READY, 2 * MS);
	cr_assert_str_eq(next(&m), "READY=1\n");
	notify_set_state(m.notify, NOTIFY_READY, 3 * MS);
	cr_assert_str_eq(next(&m), "");
	notify_set_state(m.notify, NOTIFY_RELOADING, 1234567 * US + 999);
	cr_assert_str_eq(next(&m), "RELOADING=1\nMONOTONIC_USEC=1234567\n");
	notify_set_state(m.notify, NOTIFY_READY, 2000 * MS);
	cr_assert_str_eq(next(&m), "READY=1\n");
	notify_set_state(m.notify, NOTIFY_STOPPING, 2001 * MS);
	cr_assert_str_eq(next(&m), "STOPPING=1\n");
	notify_tick(m.notify, 9000 * MS);
	cr_assert_str_eq(next(&m), "", "no watchdog was asked for");
	cr_assert_eq(notify_next_deadline(m.notify), UINT64_MAX);
	manager_close(&m);
}

Test(notify, status_is_one_line_and_told_when_it_changes)
{
	struct manager m;
	char text[NOTIFY_STATUS_SIZE + 100];

	manager_open(&m, NULL);
	notify_set_status(m.notify, "%d inputs\nSTOPPING=1\x7f", 3);
	cr_assert_eq(notify_next_deadline(m.notify), 0, "there is something to send");
	notify_tick(m.notify, 1 * MS);
	cr_assert_str_eq(next(&m), "STATUS=3 inputs STOPPING=1 \n");
	notify_set_status(m.notify, "3 inputs STOPPING=1 ");
	notify_tick(m.notify, 2 * MS);
	cr_assert_str_eq(next(&m), "");
	notify_set_status(m.notify, "ready");
	notify_set_state(m.notify, NOTIFY_READY, 3 * MS);
	cr_assert_str_eq(next(&m), "READY=1\nSTATUS=ready\n", "both in one message");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	notify_set_status(m.notify, "%s", text);
	notify_tick(m.notify, 4 * MS);
	cr_assert_eq(strlen(next(&m)), strlen("STATUS=\n") + NOTIFY_STATUS_SIZE - 1);
	manager_close(&m);
}

Test(notify, watchdog_is_fed_by_ticks_at_half_of_its_time_from_ready_on)
{
	struct manager m;

	manager_open(&m, "200000");
	notify_tick(m.notify, 1 * MS);
	cr_assert_str_eq(next(&m), "", "it does not run before READY");
	cr_assert_eq(notify_next_deadline(m.notify), UINT64_MAX);
	notify_set_state(m.notify, NOTIFY_READY, 10 * MS);
	cr_assert_str_eq(next(&m), "READY=1\n");
	notify_tick(m.notify, 11 * MS);
	cr_assert_str_eq(next(&m), "WATCHDOG=1\n");
	cr_assert_eq(notify_next_deadline(m.notify), 111 * MS);
	notify_tick(m.notify, 110 * MS);
	cr_assert_str_eq(next(&m), "", "many wakes are not many messages");
	notify_tick(m.notify, 150 * MS);
	cr_assert_str_eq(next(&m), "WATCHDOG=1\n");
	cr_assert_eq(notify_next_deadline(m.notify), 250 * MS);
	notify_set_state(m.notify, NOTIFY_RELOADING, 160 * MS);
	cr_assert_str_eq(next(&m), "RELOADING=1\nMONOTONIC_USEC=160000\n");
	notify_tick(m.notify, 250 * MS);
	cr_assert_str_eq(next(&m), "WATCHDOG=1\n", "also in a reload");
	manager_close(&m);
}

Test(notify, a_full_queue_is_tried_again_and_nothing_waits_for_it)
{
	struct manager m;
	unsigned n = 0;

	manager_open(&m, "200000");
	/* Its queue (net.unix.max_dgram_qlen) is filled with what can't be more of the same. */
	while (notify_next_deadline(m.notify) == UINT64_MAX && n < 100000) {
		notify_set_status(m.notify, "%u", n++);
		notify_tick(m.notify, 1 * MS);
	}
	cr_assert_lt(n, 100000U, "the queue has a bound");
	cr_assert_eq(notify_next_deadline(m.notify), 101 * MS);
	notify_set_state(m.notify, NOTIFY_READY, 2 * MS); /* tried at once, without success */
	cr_assert_eq(notify_next_deadline(m.notify), 2 * MS, "the watchdog, from now on");
	notify_tick(m.notify, 2 * MS);
	cr_assert_eq(notify_next_deadline(m.notify), 102 * MS, "not in a busy loop");
	while (*next(&m))
		;
	notify_tick(m.notify, 102 * MS);
	cr_assert_eq(strncmp(next(&m), "READY=1\nSTATUS=", 15), 0, "not lost");
	cr_assert_str_eq(next(&m), "WATCHDOG=1\n");
	cr_assert_str_eq(next(&m), "");
	manager_close(&m);
}

Test(notify, a_manager_that_is_gone_is_not_waited_for)
{
	struct manager m;

	manager_open(&m, "200000");
	close(m.fd);
	notify_set_state(m.notify, NOTIFY_READY, 1 * MS);
	notify_tick(m.notify, 1 * MS);
	cr_assert_eq(notify_next_deadline(m.notify), 101 * MS, "the watchdog's pace");
	cr_assert_eq(notify_take_failure(m.notify), -ECONNREFUSED);
	notify_tick(m.notify, 101 * MS);
	cr_assert_eq(notify_take_failure(m.notify), 0, "told once");
	m.fd = -1;
	manager_close(&m);
}

Test(notify, a_socket_in_the_file_system)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/cuebus-notify-XXXXXX", text[32] = "";
	struct notify *notify;
	int fd;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	unsetenv("WATCHDOG_USEC");
	cr_assert_eq(notify_new(&notify), 0);
	notify_set_state(notify, NOTIFY_READY, 1);
	cr_assert_eq(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 8);
	cr_assert_str_eq(text, "READY=1\n");
	notify_free(notify);
	close(fd);
	unlink(address.sun_path);
	rmdir(folder);
	unsetenv("NOTIFY_SOCKET");
}

Test(notify, environment_is_checked)
{
	char name[200];
	struct notify *notify;

	cr_assert_eq(new_with("NOTIFY_SOCKET", "vsock:2:1234"), -EAFNOSUPPORT);
	cr_assert_eq(new_with("NOTIFY_SOCKET", "@"), -EINVAL);
	memset(name, 'n', sizeof(name) - 1);
	name[0] = '@';
	/* 108 bytes: the longest abstract name */
	name[108] = '\0';
	cr_assert_eq(new_with("NOTIFY_SOCKET", name), 0);
	name[108] = 'n';
	name[109] = '\0';
	cr_assert_eq(new_with("NOTIFY_SOCKET", name), -ENAMETOOLONG);
	name[0] = '/';
	name[108] = '\0';
	cr_assert_eq(new_with("NOTIFY_SOCKET", name), -ENAMETOOLONG, "a path has its NUL");
	cr_assert_eq(new_with("NOTIFY_SOCKET", ""), 0, "empty is none");
	setenv("NOTIFY_SOCKET", "@cuebus", 1);
	cr_assert_eq(new_with("WATCHDOG_USEC", "0"), -EINVAL);
	cr_assert_eq(new_with("WATCHDOG_USEC", "-5"), -EINVAL);
	cr_assert_eq(new_with("WATCHDOG_USEC", "5s"), -EINVAL);
	cr_assert_eq(new_with("WATCHDOG_USEC", "99999999999999999999"), -EINVAL);
	setenv("WATCHDOG_USEC", "2000000", 1);
	cr_assert_eq(new_with("WATCHDOG_PID", "me"), -EINVAL);
	/* Another process's watchdog is not ours to feed. */
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(notify_new(&notify), 0);
	notify_set_state(notify, NOTIFY_READY, 1);
	notify_tick(notify, 1);
	cr_assert_eq(notify_next_deadline(notify), UINT64_MAX);
	notify_free(notify);
	snprintf(name, sizeof(name), "%d", (int)getpid());
	setenv("WATCHDOG_PID", name, 1);
	cr_assert_eq(notify_new(&notify), 0);
	notify_set_state(notify, NOTIFY_READY, 1);
	notify_tick(notify, 1);
	cr_assert_eq(notify_next_deadline(notify), 1 + 1000 * MS);
	notify_free(notify);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}
