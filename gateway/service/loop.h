/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file loop.h
 * @brief libuv's loop around one absolute timerfd.
 *
 * libuv's own timers are milliseconds; deadlines here are CLOCK_MONOTONIC
 * nanoseconds of one ordered queue, so one timerfd armed with the earliest is
 * all there is. Every reason to wake (that timer, an input's or the inbox's
 * descriptor) leads to the same call. Thread: the one that runs it.
 */
#ifndef CUEBUS_LOOP_H
#define CUEBUS_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "lateness.h"

struct loop;

struct loop_config {
	/** Do what there is to do; @p now_ns was read before anything else. */
	void (*wake)(void *user, uint64_t now_ns);
	/** When wake() next has work without a descriptor being ready; UINT64_MAX never. */
	uint64_t (*next_deadline)(void *user);
	/** Descriptors to poll; asked after each wake. @return the
	 *  number, at most @p max stored. */
	size_t (*fds)(void *user, int *fds, size_t max);
	/** SIGTERM, SIGINT or SIGHUP came. */
	void (*signal)(void *user, int signum);
	void *user;
	uint64_t slack_ns; /**< a deadline may be served that much later */
};

/** @param config copied. @return 0; negative errno. */
int loop_new(const struct loop_config *config, struct loop **ret_loop);
struct loop *loop_free(struct loop *loop);

/** Run until loop_stop(). Wakes once at the start. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/** SIGTERM, SIGINT and SIGHUP do again what they do by default: for the time after the loop. */
void loop_release_signals(struct loop *loop);

/** Descriptors were closed and others opened, perhaps with the same
 *  numbers: poll anew after this wake. */
void loop_refresh_fds(struct loop *loop);
void loop_set_slack(struct loop *loop, uint64_t slack_ns);

/** How late the deadlines were served; the caller may reset it. */
struct lateness *loop_lateness(struct loop *loop);

/** @return the version of libuv that is loaded; static. Thread: any. */
const char *loop_library_version(void);

#endif
