/* SPDX-License-Identifier: Apache-2.0 */
/* How the egress thread sleeps, and how others wake it. */
#include <unistd.h>

#include "clock.h"
#include "egress_internal.h"

bool egress_wait_locked(struct egress *e, uint64_t until_ns)
{
	struct timespec until;

	if (until_ns > INT64_MAX)
		return pthread_cond_wait(&e->cond, &e->mutex) == 0;
	until = clock_timespec(until_ns);
	return pthread_cond_timedwait(&e->cond, &e->mutex, &until) == 0;
}

/** Wait for work or input. Used where paho has no reading thread. */
static void wait_for_input(struct egress *e, uint64_t until_ns)
{
	uint64_t now_ns = clock_monotonic_ns(), count;
	bool work;
	ssize_t n;

	pthread_mutex_lock(&e->mutex);
	work = e->work;
	pthread_mutex_unlock(&e->mutex);
	paho_wait_input(e->connection, e->wake_fd,
	                work || now_ns >= until_ns ? 0 : until_ns - now_ns);
	/* In this order: a signal in between causes one needless wake-up, but is not lost. */
	n = read(e->wake_fd, &count, sizeof(count));
	(void)n;
	pthread_mutex_lock(&e->mutex);
	e->work = false;
	pthread_mutex_unlock(&e->mutex);
}

void egress_wait(struct egress *e, uint64_t until_ns)
{
	if (!paho_has_own_thread(e->connection)) {
		wait_for_input(e, until_ns);
		return;
	}
	pthread_mutex_lock(&e->mutex);
	while (!e->work && egress_wait_locked(e, until_ns))
		;
	e->work = false;
	pthread_mutex_unlock(&e->mutex);
}

bool egress_is_stopping(struct egress *e, uint64_t *ret_stop_by_ns)
{
	bool stop;

	pthread_mutex_lock(&e->mutex);
	stop = e->stop;
	if (stop)
		*ret_stop_by_ns = e->stop_by_ns;
	pthread_mutex_unlock(&e->mutex);
	return stop;
}

void egress_signal_work(struct egress *e)
{
	const uint64_t one = 1;
	ssize_t n;

	e->work = true;
	pthread_cond_broadcast(&e->cond);
	if (e->polls) {
		n = write(e->wake_fd, &one, sizeof(one));
		(void)n; /* a full eventfd is readable too */
	}
}

void egress_wake(void *user)
{
	struct egress *e = user;

	pthread_mutex_lock(&e->mutex);
	egress_signal_work(e);
	pthread_mutex_unlock(&e->mutex);
}

void egress_tell_changed(struct egress *e)
{
	(void)atomic_fetch_add(&e->changes, 1);
	inbox_wake(e->queues.inbox);
}
