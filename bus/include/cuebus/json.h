/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json.h
 * @brief Walk over the members of a JSON object without parsing it into a tree.
 *
 * The text must be compact, valid JSON without duplicate keys, as cue_payload_bytes() returns it;
 * the functions do not check it. Returned pointers point into that text and are valid as long as it
 * is. Thread: any; no state.
 *
 *     for (found = cue_json_first_member(text, &member); found;
 *          found = cue_json_next_member(&member))
 */
#ifndef CUEBUS_JSON_H
#define CUEBUS_JSON_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stddef.h>

/** One value; borrowed bytes, not NUL-terminated. */
struct cue_json_text {
	const char *text;
	size_t len;
};

/** A member of an object. */
struct cue_json_member {
	const char *key; /**< as written, escapes included, without quotes. */
	size_t key_len;
	struct cue_json_text value;
};

/** Get the first member of the object that begins at @p object. @return false: it has none, and @p
 * ret_member is unchanged. */
CUE_API bool cue_json_first_member(const char *object, struct cue_json_member *ret_member);
/** Move on to the next member in the text. @return false: it was the last one, and @p member is
 * unchanged. */
CUE_API bool cue_json_next_member(struct cue_json_member *member);
/** Whether the key, with escapes resolved, equals the NUL-terminated @p name. */
CUE_API bool cue_json_key_is(const struct cue_json_member *member, const char *name);

#endif
