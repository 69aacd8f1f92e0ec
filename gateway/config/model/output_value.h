/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file output_value.h
 * @brief Which level of a line a value in an event's data stands for.
 *
 * A value that nobody meant for the line must not switch it: `{"on":false}` where `on` was
 * expected, or the text "OFF", is no "on". So only `true`, `false`, `1`, `0` and the keys of
 * the output's `map` are levels. Any thread.
 */
#ifndef CUEBUS_OUTPUT_VALUE_H
#define CUEBUS_OUTPUT_VALUE_H

#include "config_model.h"

struct cJSON;

/**
 * @param value borrowed for the call.
 * @return 0; -EINVAL it stands for no level, @p ret_level is untouched.
 */
int output_value_level(const struct config_output *output, const struct cJSON *value,
                       bool *ret_level);

/** Room for what output_value_describe() writes. */
#define OUTPUT_VALUE_TEXT_SIZE 160U

/**
 * What is wrong with the value, for a message: `"OFF" is neither true, false, 1 nor 0`.
 * @param value NULL: the data has no value at the output's `value`.
 * @return @p buf.
 */
const char *output_value_describe(const struct config_output *output, const struct cJSON *value,
                                  char buf[OUTPUT_VALUE_TEXT_SIZE]);

#endif
