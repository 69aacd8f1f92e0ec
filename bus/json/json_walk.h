/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_walk.h
 * @brief Private: walk the bytes of a payload without parsing them into a tree.
 *
 * All text here is compact and valid JSON, as cue_payload_bytes() has it: no
 * function checks it. A tree takes up to sixteen times the bytes; what a
 * predicate asks for is one value.
 */
#ifndef CUEBUS_JSON_WALK_H
#define CUEBUS_JSON_WALK_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "json_scan.h"

/** One value; borrowed bytes, not NUL-terminated. */
struct cue_json_text {
	const char *text;
	size_t len;
};

/** A member of an object. */
struct cue_json_member {
	const char *key; /* as it is spelt, without quotes */
	size_t key_len;
	struct cue_json_text value;
};

/** One past the value that begins at @p p. */
const char *cue_json_skip(const char *p);

/** The first member of the object at @p object. @return false: there is none. */
bool cue_json_first_member(const char *object, struct cue_json_member *ret_member);
/** Move on to the next member. @return false: that was the last one; untouched. */
bool cue_json_next_member(struct cue_json_member *member);
/** Whether the key, escapes resolved, is @p name. */
bool cue_json_key_is(const struct cue_json_member *member, const char *name);

/** Item @p index of the array at @p array. @return false: there is none. */
bool cue_json_item(const char *array, size_t index, struct cue_json_text *ret_value);

/** As cue_json_truthy(). */
bool cue_json_text_truthy(struct cue_json_text value);

/** A value as cJSON has it. Words, integers and short strings take no memory. */
struct cue_json_reader {
	cJSON value;
	char string[64];
	cJSON *tree;
};

/** @return the value, valid until cue_json_reader_clear(), which has to follow
 *  in any case; NULL: no memory. */
const cJSON *cue_json_read(struct cue_json_reader *reader, struct cue_json_text text);
void cue_json_reader_clear(struct cue_json_reader *reader);

#endif
