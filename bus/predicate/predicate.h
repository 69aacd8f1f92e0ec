/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file predicate.h
 * @brief Private: what compiling `match` and `when` has in common.
 */
#ifndef CUEBUS_PREDICATE_H
#define CUEBUS_PREDICATE_H

#include <cuebus/match.h>

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

/**
 * Where the compiler is: a chain on the stack from the value at hand up to the
 * predicate's root (whose parent is NULL). It becomes text only on an error.
 */
struct cue_place {
	const struct cue_place *parent;
	const char *key; /**< member of an object, or NULL */
	size_t index;    /**< item of an array, when there is no key */
};

/** Member @p key of what is at @p parent. */
struct cue_place cue_place_member(const struct cue_place *parent, const char *key);
struct cue_place cue_place_item(const struct cue_place *parent, size_t index);

/**
 * Fill @p error (may be NULL) with the place as a JSON Pointer and the text.
 * A pointer too long for it names the innermost enclosing value that fits.
 * @return -EINVAL, to be returned by the caller.
 */
int cue_predicate_fail(struct cue_predicate_error *error, const struct cue_place *place,
                       const char *format, ...) __attribute__((format(printf, 3, 4)));

#define CUE_KEY_TEXT_SIZE 40U

/** A key for an error's text: shortened, control characters as '?'. @return @p buf. */
const char *cue_predicate_key(const char *key, char buf[CUE_KEY_TEXT_SIZE]);

/**
 * What every predicate keeps to: CUE_PREDICATE_DEPTH_MAX,
 * CUE_PREDICATE_VALUES_MAX, and no key twice in an object.
 * @param ret_values how many JSON values there are.
 */
int cue_predicate_check(const struct cJSON *json, size_t *ret_values,
                        struct cue_predicate_error *error);

/** cue_match_new() for a part, at @p place, of what was checked as a whole. */
int cue_match_compile(const struct cJSON *json, const struct cue_place *place,
                      struct cue_match **ret_match, struct cue_predicate_error *error);

#endif
