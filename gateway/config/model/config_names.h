/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_names.h
 * @brief The names that a configuration defines, for look-up. Private to config*.c.
 */
#ifndef CUEBUS_CONFIG_NAMES_H
#define CUEBUS_CONFIG_NAMES_H

#include <errno.h>

#include "arena.h"
#include "config_model.h"

/** Fill the indexes of a configuration that was read without an error. @return 0; -ENOMEM. */
int config_names_init(struct config *config, struct arena *arena);

#endif
