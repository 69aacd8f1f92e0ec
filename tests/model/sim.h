/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sim.h
 * @brief Threads and time of the code under test, simulated.
 *
 * The linker sends pthread_mutex_lock(), pthread_cond_timedwait(), pthread_create(),
 * clock_gettime() and their like here (`--wrap`, see CMakeLists.txt). One thread runs
 * at a time. At each such call, and at each call of the disk, another may go on; the
 * seed decides which. Where all wait, the clock jumps to the next deadline. So a run
 * is the same each time, and hours take milliseconds.
 *
 * Before sim_begin() the calls go through to the system.
 */
#ifndef CUE_MODEL_SIM_H
#define CUE_MODEL_SIM_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_NEVER UINT64_MAX
#define SIM_MS    1000000ULL
#define SIM_S     1000000000ULL

struct sim_config {
	uint64_t *random; /**< state of the generator, borrowed */
	uint64_t *now_ns; /**< the clock, borrowed */
	unsigned preempt; /**< at one of so many calls another thread goes on */
};

/** Random numbers and clock without threads, for the parent process. */
void sim_attach(const struct sim_config *config);
/** The calling thread becomes the first of the simulation. */
void sim_begin(const struct sim_config *config);
/** Run @p fn in a detached thread. */
void sim_spawn(void (*fn)(void *user), void *user);

uint64_t sim_now(void);
/** 0 to @p n - 1. */
uint32_t sim_random(uint32_t n);
/** Both ends included; each order of magnitude is as likely as the others. */
uint64_t sim_random_span(uint64_t from, uint64_t to);
bool sim_chance(uint32_t percent);

/** Another thread may go on here. */
void sim_point(void);
void sim_sleep(uint64_t ns);
/** Wait for sim_notify() of the same @p on. @return false when the time is up. */
bool sim_wait(const void *on, uint64_t until_ns);
void sim_notify(const void *on);
/** Wait until @p fd is readable. @return false when the time is up. */
bool sim_wait_fd(int fd, uint64_t until_ns);

/** From @p at_ns on, at the n-th call, @p die is called; it must not return. */
void sim_die_at(uint64_t at_ns, uint32_t calls, void (*die)(void));

#endif
