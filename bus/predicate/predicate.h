/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file predicate.h
 * @brief Private: common parts of compiling `match` and `when`.
 */
#ifndef CUEBUS_PREDICATE_H
#define CUEBUS_PREDICATE_H

#include <cuebus/match.h>

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

/**
 * Place of the compiler: a chain on the stack from the current value up to the predicate's root
 * (whose parent is NULL). It becomes text only on an error.
 */
struct cue_place {
	const struct cue_place *parent;
	const char *key; /**< member of an object, or NULL */
	size_t index;    /**< item of an array, if key is NULL */
};

/** Place of member @p key of the value at @p parent. */
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
 * Check the common rules of all predicates: CUE_PREDICATE_DEPTH_MAX, CUE_PREDICATE_VALUES_MAX, and
 * no duplicate key in an object.
 * @param ret_values number of JSON values.
 */
int cue_predicate_check(const struct cJSON *json, size_t *ret_values,
                        struct cue_predicate_error *error);

/** As cue_match_new(), for the part at @p place of a predicate that was checked as a whole. */
int cue_match_compile(const struct cJSON *json, const struct cue_place *place,
                      struct cue_match **ret_match, struct cue_predicate_error *error);

#endif
