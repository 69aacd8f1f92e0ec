/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file own_types.h
 * @brief The event types that the gateway itself emits.
 */
#ifndef CUEBUS_OWN_TYPES_H
#define CUEBUS_OWN_TYPES_H

#include <cuebus/bus.h>

#include <stddef.h>

#define OWN_TYPES_COUNT 20U

/** Static; grouped by subject. */
extern const char *const own_types[OWN_TYPES_COUNT];

/**
 * Intern these types, and those that commands and the run journal need, before definitions can fill
 * `limits.event_types`. Reserved types do not count for it.
 * @return 0; -ENOSPC; -ENOMEM.
 */
int own_types_intern(struct cue_bus *bus);

#endif
