/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_merge.h
 * @brief Merge several files into one tree.
 */
#ifndef CUEBUS_CONFIG_MERGE_H
#define CUEBUS_CONFIG_MERGE_H

#include "config_reader.h"

/**
 * Move the sections of @p other into @p root. Sections of both are merged key by key; a key that is
 * given twice is an error that names both places. Every file may have `version`. Both must be
 * objects.
 */
void config_merge(struct config_reader *reader, struct jsonc_node *root, struct jsonc_node *other);

#endif
