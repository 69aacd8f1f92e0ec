/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file payload.h
 * @brief Immutable, reference-counted JSON bytes.
 *
 * A payload is validated and compacted once, when it is made, and never
 * changes afterwards. That immutability is what isolates subscribers from each
 * other: there is nothing to deep-copy and nothing a handler could spoil for
 * the next one. Predicates read the bytes; a tree is made only for who asks.
 *
 * Threads: a payload belongs to the thread of the bus it is used with. The
 * count is not atomic; other threads get a copy of the bytes.
 */
#ifndef CUEBUS_PAYLOAD_H
#define CUEBUS_PAYLOAD_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stddef.h>

struct cJSON;
struct cue_payload;

/** Depth limit used where the caller names none (design section 7). */
#define CUE_JSON_DEPTH_DEFAULT 32U
/** No limit can be set higher than this: cJSON does not parse deeper. */
#define CUE_JSON_DEPTH_MAX 1000U

/** Where and why a JSON text was refused. */
struct cue_json_error {
	size_t offset;    /**< Byte offset of the fault in the text given. */
	const char *text; /**< What is wrong and what would be right; static. */
};

/**
 * Check that @p json is exactly one RFC 8259 value: UTF-8 well formed, no NUL,
 * no duplicate key in any object (compared after unescaping), nesting not over
 * @p max_depth, nothing but white space around it. Refused as well, since
 * cJSON and C strings can't hold them: `\u0000` and lone surrogates in
 * strings, and numbers of more than 63 characters. O(n log n) in time; no
 * recursion.
 *
 * @param json      text, need not be NUL-terminated; borrowed for the call.
 * @param len       bytes.
 * @param max_depth deepest nesting of arrays and objects allowed; a scalar has
 *                  depth 0; 0 means CUE_JSON_DEPTH_DEFAULT, more than
 *                  CUE_JSON_DEPTH_MAX means that.
 * @param ret_error optional; filled only on -EBADMSG and -E2BIG.
 * @return 0; -EBADMSG not JSON (by the rules above); -E2BIG too deep;
 *         -ENOMEM.
 */
CUE_API int cue_json_validate(const char *json, size_t len, unsigned max_depth,
                              struct cue_json_error *ret_error);

/**
 * Make a payload from untrusted text: validated as by cue_json_validate() and
 * stored without insignificant white space (numbers and strings keep their
 * exact spelling). Empty text (@p len 0) makes `null`.
 *
 * @param ret_payload on success a new reference, to be released with
 *                    cue_payload_unref(); untouched on failure.
 * @return as cue_json_validate().
 */
CUE_API int cue_payload_new(const char *json, size_t len, unsigned max_depth,
                            struct cue_payload **ret_payload, struct cue_json_error *ret_error);

/**
 * Make a payload from bytes this program wrote itself, without a second look.
 * @param json malloc()ed, compact valid JSON, NUL-terminated at @p len; ownership passes on success
 *             and stays with the caller on failure.
 * @return 0; -ENOMEM.
 */
CUE_API int cue_payload_adopt(char *json, size_t len, struct cue_payload **ret_payload);

/** The shared payload `null`. Immortal: ref and unref do nothing to it. */
CUE_API struct cue_payload *cue_payload_null(void);

/** Take a reference. @p payload may be NULL. @return @p payload. */
CUE_API struct cue_payload *cue_payload_ref(struct cue_payload *payload);

/** Drop a reference; the last one frees bytes and tree. NULL is allowed. @return NULL. */
CUE_API struct cue_payload *cue_payload_unref(struct cue_payload *payload);

/** For __attribute__((cleanup)). */
CUE_API void cue_payload_unrefp(struct cue_payload **payload);

/**
 * The bytes: compact JSON, NUL-terminated, valid while a reference is held.
 * @param ret_len optional; length without the NUL.
 */
CUE_API const char *cue_payload_bytes(const struct cue_payload *payload, size_t *ret_len);

/** The memory it takes, in bytes; 0 for `null`, which is shared by all. */
CUE_API size_t cue_payload_size(const struct cue_payload *payload);

/**
 * How deep arrays and objects are nested; a scalar has depth 0. Linear in the
 * length: for what is embedded in another payload, where a chain of playlists
 * and gestures that feed each other would otherwise nest without end.
 */
CUE_API unsigned cue_payload_depth(const struct cue_payload *payload);

/**
 * The parsed tree, owned by the payload and valid as long as it is; of an
 * event's payload only inside the handler, as the bus drops it once the event
 * is dispatched: it takes up to sixteen times the bytes. It must not be changed:
 * take cJSON_Duplicate() of it for that. Numbers are doubles:
 * integers beyond 2^53 are rounded in the tree, but not in the bytes.
 * @return NULL when memory ran out.
 */
CUE_API const struct cJSON *cue_payload_json(struct cue_payload *payload);

/**
 * Truthiness used by gates: false, 0, "", null, [] and {} are false, the rest
 * true. Of an object the first of the members `pressed`, `state`, `enabled`, `value` that exists
 * decides; without any of them the object itself.
 */
CUE_API bool cue_payload_gate(const struct cue_payload *payload);

#endif
