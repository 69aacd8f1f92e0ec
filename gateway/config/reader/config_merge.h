/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_merge.h
 * @brief Several files to one tree.
 */
#ifndef CUEBUS_CONFIG_MERGE_H
#define CUEBUS_CONFIG_MERGE_H

#include "config_reader.h"

/**
 * Move the sections of @p other into @p root: what both have is joined key by
 * key; a key that is given twice is an error that names both places.
 * `version` may stand in every file. Both must be objects.
 */
void config_merge(struct config_reader *reader, struct jsonc_node *root, struct jsonc_node *other);

#endif
