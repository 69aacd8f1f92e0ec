/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_env.h
 * @brief `${NAME}` in strings: the environment's value.
 */
#ifndef CUEBUS_CONFIG_ENV_H
#define CUEBUS_CONFIG_ENV_H

#include "config_reader.h"

/** All values taken from the environment together, in bytes. */
#define CONFIG_ENV_MAX (1024U * 1024U)

/**
 * Replace `${NAME}` in every string value of the tree (not in keys, and not below keys that begin
 * with "x-"); `$${` stands for `${`. A variable that is not set, or is not UTF-8, is an error. In a
 * configuration from a message (config_reader.foreign) nothing is replaced and no variable is read:
 * all checks skip a string with a reference, with a warning.
 */
void config_env_substitute(struct config_reader *reader, struct jsonc_node *root);

#endif
