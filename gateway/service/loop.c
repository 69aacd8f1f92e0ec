/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "clock.h"

#define NS_PER_S 1000000000ULL
#define SIGNALS  3U

struct watch {
	uv_poll_t poll;
	int fd;
};

struct loop {
	struct loop_config config;
	uv_loop_t uv;
	uv_poll_t timer;
	int timer_fd;
	uv_signal_t signals[SIGNALS];
	/* allocated individually: libuv closes them later than the loop does */
	struct watch **watches;
	size_t n_watches;
	int *fds; /* scratch */
	size_t cap_fds;
	bool refresh;
	bool stopped;
	uint64_t deadline_ns; /* next deadline for wake(); UINT64_MAX none */
	struct lateness lateness;
};

/* ---- descriptors ---- */

static void free_watch(uv_handle_t *handle)
{
	free(handle->data);
}

static void drop_watches(struct loop *loop)
{
	for (size_t i = 0; i < loop->n_watches; i++)
		uv_close((uv_handle_t *)&loop->watches[i]->poll, free_watch);
	free(loop->watches);
	loop->watches = NULL;
	loop->n_watches = 0;
}

static void wake(struct loop *loop);

static void on_ready(uv_poll_t *poll, int status, int events)
{
	/* The driver finds an error when it reads. */
	(void)status, (void)events;
	wake(poll->loop->data);
}

static bool add_watch(struct loop *loop, int fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return false;
	watch->fd = fd;
	if (uv_poll_init(&loop->uv, &watch->poll, fd) < 0) {
		free(watch); /* a descriptor that can't be polled is read at other wake-ups */
		return true;
	}
	watch->poll.data = watch;
	loop->watches[loop->n_watches++] = watch;
	(void)uv_poll_start(&watch->poll, UV_READABLE, on_ready);
	return true;
}

/** Get the descriptors into loop->fds. @return their number, or how many of them could be
 * stored. */
static size_t ask_fds(struct loop *loop)
{
	size_t n = loop->config.fds(loop->config.user, loop->fds, loop->cap_fds);

	while (n > loop->cap_fds) {
		int *larger = realloc(loop->fds, n * sizeof(*larger));

		if (!larger)
			return loop->cap_fds;
		loop->fds = larger;
		loop->cap_fds = n;
		n = loop->config.fds(loop->config.user, loop->fds, loop->cap_fds);
	}
	return n;
}

static bool is_same(const struct loop *loop, size_t n)
{
	if (n != loop->n_watches)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (loop->watches[i]->fd != loop->fds[i])
			return false;
	}
	return true;
}

static void update_watches(struct loop *loop)
{
	size_t n = ask_fds(loop);

	if (!loop->refresh && is_same(loop, n))
		return;
	drop_watches(loop);
	loop->watches = calloc(n ? n : 1, sizeof(struct watch *));
	loop->refresh = !loop->watches;
	for (size_t i = 0; i < n && loop->watches; i++) {
		if (!add_watch(loop, loop->fds[i]))
			loop->refresh = true; /* out of memory: try again after the next wake-up */
	}
}

/* ---- time ---- */

static void arm(struct loop *loop)
{
	struct itimerspec when = { 0 };
	uint64_t at_ns = loop->deadline_ns;

	if (at_ns != UINT64_MAX) {
		at_ns = at_ns < INT64_MAX ? at_ns + loop->config.slack_ns : INT64_MAX;
		if (at_ns == 0)
			at_ns = 1; /* 0 would disarm */
		when.it_value.tv_sec = (time_t)(at_ns / NS_PER_S);
		when.it_value.tv_nsec = (long)(at_ns % NS_PER_S);
	}
	/* A deadline in the past is due at once. */
	(void)timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void wake(struct loop *loop)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (loop->stopped)
		return;
	if (loop->deadline_ns <= now_ns)
		lateness_add(&loop->lateness, now_ns - loop->deadline_ns);
	loop->config.wake(loop->config.user, now_ns);
	update_watches(loop);
	loop->deadline_ns = loop->config.next_deadline(loop->config.user);
	arm(loop);
}

static void on_timer(uv_poll_t *poll, int status, int events)
{
	struct loop *loop = poll->loop->data;
	uint64_t expirations;
	ssize_t n = read(loop->timer_fd, &expirations, sizeof(expirations));

	(void)status, (void)events, (void)n; /* another wake-up of this turn may have re-armed it */
	wake(loop);
}

/* ---- life ---- */

static void on_signal(uv_signal_t *handle, int signum)
{
	struct loop *loop = handle->loop->data;

	loop->config.signal(loop->config.user, signum);
	wake(loop);
}

static int start_handles(struct loop *loop)
{
	static const int numbers[SIGNALS] = { SIGTERM, SIGINT, SIGHUP };
	int r = uv_poll_init(&loop->uv, &loop->timer, loop->timer_fd);

	if (r >= 0)
		r = uv_poll_start(&loop->timer, UV_READABLE, on_timer);
	for (size_t i = 0; i < SIGNALS && r >= 0; i++) {
		(void)uv_signal_init(&loop->uv, &loop->signals[i]);
		r = uv_signal_start(&loop->signals[i], on_signal, numbers[i]);
	}
	return r;
}

int loop_new(const struct loop_config *config, struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->config = *config;
	loop->deadline_ns = UINT64_MAX;
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->timer_fd < 0) {
		r = -errno;
		free(loop);
		return r;
	}
	r = uv_loop_init(&loop->uv); /* libuv's errors are negative errnos on Linux */
	if (r < 0) {
		close(loop->timer_fd);
		free(loop);
		return r;
	}
	loop->uv.data = loop;
	r = start_handles(loop);
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

static void close_handle(uv_handle_t *handle, void *user)
{
	(void)user;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	drop_watches(loop);
	uv_walk(&loop->uv, close_handle, NULL);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop->uv);
	close(loop->timer_fd);
	free(loop->fds);
	free(loop);
	return NULL;
}

void loop_run(struct loop *loop)
{
	wake(loop);
	if (!loop->stopped)
		(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	uv_stop(&loop->uv);
}

void loop_release_signals(struct loop *loop)
{
	for (size_t i = 0; i < SIGNALS; i++)
		(void)uv_signal_stop(&loop->signals[i]);
}

void loop_refresh_fds(struct loop *loop)
{
	loop->refresh = true;
}

void loop_set_slack(struct loop *loop, uint64_t slack_ns)
{
	loop->config.slack_ns = slack_ns;
}

struct lateness *loop_lateness(struct loop *loop)
{
	return &loop->lateness;
}

const char *loop_library_version(void)
{
	return uv_version_string();
}
