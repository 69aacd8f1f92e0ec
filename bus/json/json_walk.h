/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_walk.h
 * @brief Private: walk the bytes of a payload without parsing them into a tree.
 *
 * All text here must be compact and valid JSON, as cue_payload_bytes() returns it; no function
 * checks it. A tree takes up to sixteen times the bytes, and a predicate needs only one value.
 */
#ifndef CUEBUS_JSON_WALK_H
#define CUEBUS_JSON_WALK_H

#include <cuebus/json.h>

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "json_scan.h"

/** One past the value that begins at @p p. */
const char *cue_json_skip(const char *p);

/** Item @p index of the array at @p array. @return false: there is none. */
bool cue_json_item(const char *array, size_t index, struct cue_json_text *ret_value);

struct cue_writer;

/** Write the members of the object at @p object, but for those that are named. */
void cue_json_copy_members(struct cue_writer *w, const char *object, const char *const *without,
                           size_t n_without);

/** As cue_json_truthy(). */
bool cue_json_text_truthy(struct cue_json_text value);

/** A value as a cJSON node. Words, integers and short strings need no allocation. */
struct cue_json_reader {
	cJSON value;
	char string[64];
	cJSON *tree;
};

/** @return the value, valid until cue_json_reader_clear(), which must always follow; NULL: no
 *         memory. */
const cJSON *cue_json_read(struct cue_json_reader *reader, struct cue_json_text text);
void cue_json_reader_clear(struct cue_json_reader *reader);

#endif
