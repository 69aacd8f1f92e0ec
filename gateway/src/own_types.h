/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file own_types.h
 * @brief The event types that the gateway itself emits.
 */
#ifndef CUEBUS_OWN_TYPES_H
#define CUEBUS_OWN_TYPES_H

#include <cuebus/bus.h>

#include <stddef.h>

#define OWN_TYPES_COUNT 17U

/** Static; sorted by what they are about. */
extern const char *const own_types[OWN_TYPES_COUNT];

/**
 * Take their places among `limits.event_types`, before anybody else can fill
 * these: types come from the network too.
 * @return 0; -ENOSPC the limit is lower than their number; -ENOMEM.
 */
int own_types_intern(struct cue_bus *bus);

#endif
