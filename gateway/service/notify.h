/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file notify.h
 * @brief Notifications to the service manager: the protocol of sd_notify(3).
 *
 * This client replaces libsystemd's: the protocol is one text datagram in a form that systemd
 * promises to keep, sd_notify(3) itself shows how to implement a client, and libsystemd would load
 * a dozen libraries (compression, cryptography) into the process. libsystemd's client also blocks
 * while the manager's queue is full. This one never blocks: the next notify_tick() retries a
 * message that could not be sent.
 *
 * Without $NOTIFY_SOCKET every call has no effect. Thread: the loop's.
 */
#ifndef CUEBUS_NOTIFY_H
#define CUEBUS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify;

/** STATUS= is cut here. */
#define NOTIFY_STATUS_SIZE 256U

/** In this order; only RELOADING returns to READY. */
enum notify_state {
	NOTIFY_STARTING, /**< nothing was sent yet */
	NOTIFY_READY,
	NOTIFY_RELOADING,
	NOTIFY_STOPPING,
};

/**
 * Read the environment: NOTIFY_SOCKET (a path, or `@` and an abstract name), WATCHDOG_USEC, and
 * WATCHDOG_PID, which must be this process's if it is set. Nothing is sent yet.
 * @return 0, also without a service manager; -EINVAL a variable is malformed; -EAFNOSUPPORT a
 *         socket of another kind; -ENAMETOOLONG; -ENOMEM; an error of socket(2).
 */
int notify_new(struct notify **ret_notify);
/** NULL is allowed. @return NULL. */
struct notify *notify_free(struct notify *notify);

/** Set @p state. Each change is sent once; RELOADING with the time, as the manager requires. */
void notify_set_state(struct notify *notify, enum notify_state state, uint64_t now_ns);
enum notify_state notify_get_state(const struct notify *notify);

/** Set the line for `systemctl status`; the next notify_tick() sends it. Control characters become
 * spaces. */
void notify_set_status(struct notify *notify, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/**
 * Feed the watchdog after half of its time, and send pending messages. Call it only at the end of
 * each wake-up of the loop: because only a completed wake-up feeds the watchdog, it detects a
 * hanging loop.
 */
void notify_tick(struct notify *notify, uint64_t now_ns);

/**
 * The error of the first message that could not be sent, e.g. because the socket does not exist; a
 * full queue does not count.
 * @return negative errno, only once; else 0.
 */
int notify_take_failure(struct notify *notify);

/** Time of the next required notify_tick(); UINT64_MAX never. */
uint64_t notify_next_deadline(const struct notify *notify);

#endif
