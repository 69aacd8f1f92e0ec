/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file output_value.h
 * @brief The level of a line for a value in an event's data.
 *
 * A value that was not meant for the line must not switch it: neither `{"on":false}` in place of
 * its `on` nor the text "OFF" means "on". So only `true`, `false`, `1`, `0` and the keys of the
 * output's `map` are levels. Any thread.
 */
#ifndef CUEBUS_OUTPUT_VALUE_H
#define CUEBUS_OUTPUT_VALUE_H

#include "config_model.h"

struct cJSON;

/**
 * @param value borrowed for the call.
 * @return 0; -EINVAL the value is not a level; @p ret_level is untouched.
 */
int output_value_level(const struct config_output *output, const struct cJSON *value,
                       bool *ret_level);

/** Size of the buffer of output_value_describe(). */
#define OUTPUT_VALUE_TEXT_SIZE 160U

/**
 * Describe the error in a value, for a message: `"OFF" is neither true, false, 1 nor 0`.
 * @param value NULL: the data has no value at the output's `value`.
 * @return @p buf.
 */
const char *output_value_describe(const struct config_output *output, const struct cJSON *value,
                                  char buf[OUTPUT_VALUE_TEXT_SIZE]);

#endif
