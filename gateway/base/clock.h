/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file clock.h
 * @brief The clocks of the gateway, in nanoseconds. Any thread.
 */
#ifndef CUEBUS_CLOCK_H
#define CUEBUS_CLOCK_H

#include <stdint.h>
#include <time.h>

/** CLOCK_MONOTONIC. */
uint64_t clock_monotonic_ns(void);

/** CLOCK_REALTIME, since 1970; negative before it. */
int64_t clock_wall_ns(void);

/** A time of either clock in the form that libc takes, as in pthread_cond_timedwait(). */
struct timespec clock_timespec(uint64_t ns);

#endif
