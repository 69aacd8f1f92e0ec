/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_tree.h
 * @brief Private: a parsed tree as JSON again, of the same value.
 */
#ifndef CUEBUS_JSON_TREE_H
#define CUEBUS_JSON_TREE_H

#include <cuebus/json_writer.h>

struct cJSON;

/**
 * Write a tree as compact JSON that parses to the very same doubles. cJSON's own printing
 * keeps 15 digits where that is nearly the number, and prints an infinite one (1e400) as null.
 * Recursion goes as deep as the tree. Errors stay in the writer.
 */
void cue_json_tree_write(struct cue_writer *w, const struct cJSON *tree);

#endif
