/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_tree.h
 * @brief Private: write a parsed tree as JSON of the same value.
 */
#ifndef CUEBUS_JSON_TREE_H
#define CUEBUS_JSON_TREE_H

#include <cuebus/json_writer.h>

struct cJSON;

/**
 * Write a tree as compact JSON that parses to the same doubles. cJSON's own printing rounds to 15
 * digits if that is close enough, and prints infinity (1e400) as null. Recursion goes as deep as
 * the tree. Errors stay in the writer.
 */
void cue_json_tree_write(struct cue_writer *w, const struct cJSON *tree);

#endif
