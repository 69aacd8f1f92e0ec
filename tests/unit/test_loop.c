/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"

struct rig {
	struct loop *loop;
	uint64_t deadlines[4]; /* served in turn; 0: stop */
	size_t next;
	unsigned wakes;
	int fds[2];
	size_t n_fds;
	int signum;
};

static void on_wake(void *user, uint64_t now_ns)
{
	struct rig *rig = user;

	rig->wakes++;
	if (rig->deadlines[rig->next] && now_ns >= rig->deadlines[rig->next])
		rig->next++;
	if (!rig->deadlines[rig->next])
		loop_stop(rig->loop);
}

static uint64_t next_deadline(void *user)
{
	struct rig *rig = user;

	return rig->deadlines[rig->next];
}

static size_t get_fds(void *user, int *fds, size_t max)
{
	struct rig *rig = user;

	for (size_t i = 0; i < rig->n_fds && i < max; i++)
		fds[i] = rig->fds[i];
	return rig->n_fds;
}

static void on_signal(void *user, int signum)
{
	struct rig *rig = user;

	rig->signum = signum;
	loop_stop(rig->loop);
}

static void setup(struct rig *rig)
{
	struct loop_config config = { .wake = on_wake,
		                      .next_deadline = next_deadline,
		                      .fds = get_fds,
		                      .signal = on_signal,
		                      .user = rig };

	memset(rig, 0, sizeof(*rig));
	cr_assert_eq(loop_new(&config, &rig->loop), 0);
}

Test(loop, serves_deadlines_not_before_they_are_due)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct rig rig;

	setup(&rig);
	rig.deadlines[0] = now_ns - 5; /* past */
	rig.deadlines[1] = now_ns + 3000000;
	rig.deadlines[2] = now_ns + 3100000;
	loop_run(rig.loop);
	cr_assert_eq(rig.next, 3);
	cr_assert_geq(clock_monotonic_ns(), now_ns + 3100000);
	cr_assert_eq(loop_lateness(rig.loop)->count, 2,
	             "the first was served by the wake at the start");
	loop_free(rig.loop);
}

/* Descriptors: the wake reads what is ready, as the engine does. */

struct fd_rig {
	struct rig rig;
	unsigned read;
	bool reopen;
};

static void read_fd(void *user, uint64_t now_ns)
{
	struct fd_rig *f = user;
	uint64_t value;

	(void)now_ns;
	if (read(f->rig.fds[0], &value, sizeof(value)) == sizeof(value))
		f->read++;
	if (f->read == 1 && !f->reopen) {
		/* The same number for another descriptor, as when a driver is reopened. */
		f->reopen = true;
		int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

		cr_assert_eq(dup2(fd, f->rig.fds[0]), f->rig.fds[0]);
		close(fd);
		loop_refresh_fds(f->rig.loop);
	}
	if (f->read == 2)
		loop_stop(f->rig.loop);
}

static uint64_t never(void *user)
{
	(void)user;
	return UINT64_MAX;
}

Test(loop, polls_descriptors_also_when_one_is_replaced_under_its_number)
{
	struct fd_rig f = { 0 };
	struct loop_config config = { .wake = read_fd,
		                      .next_deadline = never,
		                      .fds = get_fds,
		                      .signal = on_signal,
		                      .user = &f };

	cr_assert_eq(loop_new(&config, &f.rig.loop), 0);
	f.rig.fds[0] = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	f.rig.n_fds = 1;
	loop_run(f.rig.loop);
	cr_assert_eq(f.read, 2);
	loop_free(f.rig.loop);
	close(f.rig.fds[0]);
}

Test(loop, tells_of_signals)
{
	struct rig rig;

	setup(&rig);
	rig.deadlines[0] = UINT64_MAX;
	raise(SIGHUP); /* held by libuv's handler until the loop runs */
	loop_run(rig.loop);
	cr_assert_eq(rig.signum, SIGHUP);
	loop_free(rig.loop);
}
