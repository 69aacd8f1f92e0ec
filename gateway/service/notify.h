/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file notify.h
 * @brief What the service manager is told: sd_notify(3)'s protocol.
 *
 * A client of our own, and not libsystemd's: the protocol is one datagram of
 * text whose form systemd promises to keep, sd_notify(3) itself shows a client
 * to copy, and libsystemd would bring a dozen libraries (compression,
 * cryptography) into the process for it. libsystemd's client also blocks while
 * the manager's queue is full; this one never does: what could not be sent is
 * sent again by the next notify_tick().
 *
 * Without $NOTIFY_SOCKET every call does nothing. Thread: the loop's.
 */
#ifndef CUEBUS_NOTIFY_H
#define CUEBUS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify;

/** STATUS= is cut here. */
#define NOTIFY_STATUS_SIZE 256U

/** In this order; only RELOADING goes back, to READY. */
enum notify_state {
	NOTIFY_STARTING, /**< nothing was said yet */
	NOTIFY_READY,
	NOTIFY_RELOADING,
	NOTIFY_STOPPING,
};

/**
 * From the environment: NOTIFY_SOCKET (a path, or `@` and an abstract name),
 * WATCHDOG_USEC, and WATCHDOG_PID, which when given must be this process's.
 * Nothing is sent yet.
 * @return 0, also when there is no service manager; -EINVAL a variable is
 *         malformed; -EAFNOSUPPORT a socket of another kind; -ENAMETOOLONG;
 *         -ENOMEM; what socket(2) said.
 */
int notify_new(struct notify **ret_notify);
/** NULL is allowed. @return NULL. */
struct notify *notify_free(struct notify *notify);

/** Tell @p state; RELOADING with the time, as the manager wants it. Told once for each change. */
void notify_set_state(struct notify *notify, enum notify_state state, uint64_t now_ns);
enum notify_state notify_get_state(const struct notify *notify);

/** One line for `systemctl status`; told with the next notify_tick(). Control characters become
 * spaces. */
void notify_set_status(struct notify *notify, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/**
 * At the end of each wake of the loop, and nowhere else: feeds the watchdog
 * when half of its time is over, and sends what is left to send. That only a
 * finished wake feeds it is what makes the watchdog see a loop that hangs.
 */
void notify_tick(struct notify *notify, uint64_t now_ns);

/**
 * Why the service manager could not be told something, e.g. that its socket does
 * not exist; a full queue is no reason.
 * @return negative errno, of the first time and only once; else 0.
 */
int notify_take_failure(struct notify *notify);

/** When notify_tick() is needed next; UINT64_MAX never. */
uint64_t notify_next_deadline(const struct notify *notify);

#endif
