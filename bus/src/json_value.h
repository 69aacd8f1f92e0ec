/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_value.h
 * @brief Private: questions about parsed JSON values.
 */
#ifndef CUEBUS_JSON_VALUE_H
#define CUEBUS_JSON_VALUE_H

#include <stdbool.h>

struct cJSON;

/** false, 0, "", null, [] and {} are false, the rest true. */
bool cue_json_truthy(const struct cJSON *value);

#endif
