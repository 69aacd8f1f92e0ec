/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file timer.h
 * @brief Timers on the bus's one ordered queue.
 *
 * Arm, re-arm, disarm and fire are O(log n) (binary heap with positions) and allocate nothing: the
 * slot in the queue is reserved when the timer is created. Timers with equal deadlines fire in the
 * order in which they were created.
 */
#ifndef CUEBUS_TIMER_H
#define CUEBUS_TIMER_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stdint.h>

struct cue_bus;
struct cue_timer;

/** The timer is disarmed before its handler runs. The handler may arm it again or free it. */
typedef void (*cue_timer_handler)(void *user, struct cue_bus *bus, uint64_t deadline_ns);

/** @return 0; -ENOMEM. Freed by the caller with cue_timer_free(). */
CUE_API int cue_timer_new(struct cue_bus *bus, cue_timer_handler handler, void *user,
                          struct cue_timer **ret_timer);
/** As cue_timer_new(), but cue_bus_overtake() fires the timer before timers that are not urgent.
 * For timers that an input or an output waits for. */
CUE_API int cue_timer_new_urgent(struct cue_bus *bus, cue_timer_handler handler, void *user,
                                 struct cue_timer **ret_timer);
/** NULL is allowed. @return NULL. */
CUE_API struct cue_timer *cue_timer_free(struct cue_timer *timer);

/** Arm the timer, or move it, to an absolute deadline (monotonic ns). A deadline in the past is due
 * at the next advance; the handler gets it unchanged. */
CUE_API void cue_timer_arm(struct cue_timer *timer, uint64_t deadline_ns);
/** Remove the timer from the queue: its handler does not run until it is armed again. No effect if
 * it is not armed. */
CUE_API void cue_timer_disarm(struct cue_timer *timer);
/** Whether the timer is armed. Inside its own handler: only if it was armed again there. */
CUE_API bool cue_timer_is_armed(const struct cue_timer *timer);

#endif
