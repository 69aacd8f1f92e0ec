/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file retry.h
 * @brief Delays before a failed device is opened again: 1 s, 2 s, 4 s … 30 s.
 *
 * Uses the bus's time, so it also works in virtual time. Thread: the loop's.
 */
#ifndef CUEBUS_RETRY_H
#define CUEBUS_RETRY_H

#include <cuebus/timer.h>

/** Zero-initialise before use. */
struct retry {
	struct cue_timer *timer;
	uint64_t delay_ns;
	uint64_t attempts; /**< since the device failed */
};

/** @param handler tries to open the device, and calls retry_again() if that fails. @return 0;
 *                -ENOMEM. */
int retry_init(struct retry *retry, struct cue_bus *bus, cue_timer_handler handler, void *user);
void retry_clear(struct retry *retry);

/** The device failed at @p now_ns. */
void retry_begin(struct retry *retry, uint64_t now_ns);
/** The try that was due at or before @p now_ns failed. */
void retry_again(struct retry *retry, uint64_t now_ns);
void retry_stop(struct retry *retry);

#endif
