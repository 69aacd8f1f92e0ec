/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_validate.h
 * @brief Private: validate and compact in one pass.
 */
#ifndef CUEBUS_JSON_VALIDATE_H
#define CUEBUS_JSON_VALIDATE_H

#include <cuebus/json.h>
#include <cuebus/payload.h>

/**
 * As cue_json_validate(), and copy the text without insignificant white space.
 * @param out     NULL, or room for as many bytes as @p json has; not NUL-terminated; its
 *                content is undefined on failure.
 * @param ret_len bytes written to @p out; may be NULL when @p out is.
 */
int cue_json_compact(struct cue_json_text json, unsigned max_depth, char *out, size_t *ret_len,
                     struct cue_json_error *ret_error);

#endif
