/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file payload.h
 * @brief Immutable, reference-counted JSON bytes.
 *
 * A payload is validated and compacted once, when it is created, and never changes afterwards. This
 * isolates subscribers from each other without deep copies: no handler can change the data for the
 * next one. Predicates read the bytes; a tree is built only on request.
 *
 * Threads: a payload belongs to the thread of its bus. The reference count is not atomic: give
 * other threads a copy of the bytes.
 */
#ifndef CUEBUS_PAYLOAD_H
#define CUEBUS_PAYLOAD_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stddef.h>

struct cJSON;
struct cue_payload;

/** Depth limit if the caller gives none. */
#define CUE_JSON_DEPTH_DEFAULT 32U
/** No limit can be set higher than this: cJSON does not parse deeper. */
#define CUE_JSON_DEPTH_MAX 1000U

/** Place and reason of a refusal. */
struct cue_json_error {
	size_t offset;    /**< Byte offset of the error in the text. */
	const char *text; /**< The error and the remedy; static. */
};

/**
 * Check that @p json is exactly one RFC 8259 value: UTF-8 well formed, no NUL, no duplicate key in
 * any object (compared after unescaping), nesting not deeper than @p max_depth, only white space
 * around the value. `\u0000` and lone surrogates in strings and numbers of more than 63 characters
 * are refused too, because cJSON and C strings can't hold them. Takes O(n log n) time; no
 * recursion.
 *
 * @param json      text, need not be NUL-terminated; borrowed for the call.
 * @param len       bytes.
 * @param max_depth deepest nesting of arrays and objects allowed; a scalar has depth 0; 0 means
 *                  CUE_JSON_DEPTH_DEFAULT, more than CUE_JSON_DEPTH_MAX means that.
 * @param ret_error optional; filled only on -EBADMSG and -E2BIG.
 * @return 0; -EBADMSG not JSON (by the rules above); -E2BIG too deep; -ENOMEM.
 */
CUE_API int cue_json_validate(const char *json, size_t len, unsigned max_depth,
                              struct cue_json_error *ret_error);

/**
 * Create a payload from untrusted text. It is validated by cue_json_validate() and stored without
 * insignificant white space (numbers and strings keep their exact spelling). Empty text (@p len 0)
 * becomes `null`.
 *
 * @param ret_payload on success a new reference, to be released with cue_payload_unref(); untouched
 *                    on failure.
 * @return as cue_json_validate().
 */
CUE_API int cue_payload_new(const char *json, size_t len, unsigned max_depth,
                            struct cue_payload **ret_payload, struct cue_json_error *ret_error);

/**
 * Create a payload from trusted bytes, without validation.
 * @param json malloc()ed, compact valid JSON, NUL-terminated at @p len; ownership passes on success
 *             and stays with the caller on failure.
 * @return 0; -ENOMEM.
 */
CUE_API int cue_payload_adopt(char *json, size_t len, struct cue_payload **ret_payload);

/** The shared payload `null`. It is static: ref and unref have no effect. */
CUE_API struct cue_payload *cue_payload_null(void);

/** Take a reference. @p payload may be NULL. @return @p payload. */
CUE_API struct cue_payload *cue_payload_ref(struct cue_payload *payload);

/** Drop a reference. Dropping the last one frees bytes and tree. NULL is allowed. @return NULL. */
CUE_API struct cue_payload *cue_payload_unref(struct cue_payload *payload);

/** For __attribute__((cleanup)). */
CUE_API void cue_payload_unrefp(struct cue_payload **payload);

/**
 * The bytes: compact JSON, NUL-terminated, valid while a reference is held.
 * @param ret_len optional; length without the NUL.
 */
CUE_API const char *cue_payload_bytes(const struct cue_payload *payload, size_t *ret_len);

/** Memory that the payload takes, in bytes; 0 for `null`, which all share. */
CUE_API size_t cue_payload_size(const struct cue_payload *payload);

/**
 * Nesting depth of arrays and objects; a scalar has depth 0. Takes linear time. Check it before
 * embedding a payload in another one: otherwise playlists and gestures that trigger each other
 * would nest without end.
 */
CUE_API unsigned cue_payload_depth(const struct cue_payload *payload);

/**
 * The parsed tree, owned by the payload and valid as long as the payload. The tree of an event's
 * payload is valid only inside the handler: the bus frees it after dispatch, because it takes up to
 * sixteen times the bytes. Do not change the tree; change a cJSON_Duplicate() instead. Numbers are
 * doubles: integers beyond 2^53 are rounded in the tree, but not in the bytes.
 * @return NULL if memory runs out.
 */
CUE_API const struct cJSON *cue_payload_json(struct cue_payload *payload);

/**
 * The default gate predicate: the first of `pressed`, `state`, `enabled` and `value` that exists
 * decides; without any of them, the data itself. false, 0, "", null, [] and {} are false, every
 * other value is true.
 */
CUE_API bool cue_payload_gate(const struct cue_payload *payload);

#endif
