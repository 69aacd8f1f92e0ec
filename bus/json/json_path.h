/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_path.h
 * @brief Private: places in JSON, for matches and pointers.
 */
#ifndef CUEBUS_JSON_PATH_H
#define CUEBUS_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "json_walk.h"

struct cJSON;

/** A place: the names on the way to it. */
struct cue_path {
	char *tokens;    /**< n_tokens strings, each with its NUL, one after the other */
	size_t n_tokens; /**< 0: the whole */
	bool is_pointer; /**< digits count as an array's index */
};

/**
 * @param text a JSON Pointer when it begins with "/", else the name of one field.
 * @param ret_path cleared with cue_path_clear(); untouched on failure.
 * @return 0; -EINVAL a "~" that is not followed by 0 or 1; -ENOMEM.
 */
int cue_path_parse(const char *text, struct cue_path *ret_path);
void cue_path_clear(struct cue_path *path);
/** @return the value at the path, or NULL. */
const struct cJSON *cue_path_find(const struct cue_path *path, const struct cJSON *data);
/** As cue_path_find(), in a payload's bytes. @return false if there is no value at the path. */
bool cue_path_find_text(const struct cue_path *path, struct cue_json_text data,
                        struct cue_json_text *ret_value);

#endif
