/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file loop.h
 * @brief libuv's loop around one absolute timerfd.
 *
 * libuv's own timers have milliseconds; deadlines here are CLOCK_MONOTONIC nanoseconds of one
 * ordered queue, so a single timerfd, armed with the earliest deadline, is enough. Every reason to
 * wake up (the timer, the descriptor of an input or the inbox) leads to the same call. Thread: the
 * one that runs it.
 */
#ifndef CUEBUS_LOOP_H
#define CUEBUS_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "lateness.h"

struct loop;

struct loop_config {
	/** Do all due work; @p now_ns was read before anything else. */
	void (*wake)(void *user, uint64_t now_ns);
	/** Time at which wake() next has work without a ready descriptor; UINT64_MAX never. */
	uint64_t (*next_deadline)(void *user);
	/** Descriptors to poll; called after each wake-up. @return their number, at most @p max
	 * stored. */
	size_t (*fds)(void *user, int *fds, size_t max);
	/** SIGTERM, SIGINT or SIGHUP came. */
	void (*signal)(void *user, int signum);
	void *user;
	uint64_t slack_ns; /**< a deadline may be served this much later */
};

/** @param config copied. @return 0; negative errno. */
int loop_new(const struct loop_config *config, struct loop **ret_loop);
struct loop *loop_free(struct loop *loop);

/** Run until loop_stop(). Calls wake() once at the start. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/** Restore the default action of SIGTERM, SIGINT and SIGHUP, for the time after the loop. */
void loop_release_signals(struct loop *loop);

/** Descriptors were closed and opened, possibly with the same numbers: set up polling again after
 * this wake-up. */
void loop_refresh_fds(struct loop *loop);
void loop_set_slack(struct loop *loop, uint64_t slack_ns);

/** Histogram of the lateness of deadlines; the caller may reset it. */
struct lateness *loop_lateness(struct loop *loop);

/** @return the version of libuv that is loaded; static. Thread: any. */
const char *loop_library_version(void);

#endif
