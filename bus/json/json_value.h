/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_value.h
 * @brief Private: questions about parsed JSON values.
 */
#ifndef CUEBUS_JSON_VALUE_H
#define CUEBUS_JSON_VALUE_H

#include <stdbool.h>

struct cJSON;

/** false, 0, "", null, [] and {} are false, the rest true. NULL is false. */
bool cue_json_truthy(const struct cJSON *value);

/**
 * Deep equality: numbers as doubles (exactly, unlike cJSON_Compare()), objects
 * without regard to order. Keys must be unique in both. Recursion goes as deep
 * as the shallower of the two.
 */
bool cue_json_equal(const struct cJSON *a, const struct cJSON *b);

#endif
