/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_names.h
 * @brief Private to config*.c: an index of the names that a configuration defines.
 */
#ifndef CUEBUS_CONFIG_NAMES_H
#define CUEBUS_CONFIG_NAMES_H

#include <errno.h>

#include "arena.h"
#include "config_model.h"

/** Build the indexes of a configuration without errors. @return 0; -ENOMEM. */
int config_names_init(struct config *config, struct arena *arena);

#endif
