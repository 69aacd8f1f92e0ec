/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pointer.h
 * @brief One value in an event's data, named by a JSON Pointer (RFC 6901).
 *
 * A pointer is compiled once and copies everything it needs. Threads: a compiled pointer is
 * immutable; cue_pointer_get() parses the payload and must be called on the bus's thread.
 */
#ifndef CUEBUS_POINTER_H
#define CUEBUS_POINTER_H

#include <cuebus/api.h>

struct cJSON;
struct cue_payload;
struct cue_pointer;

/**
 * Compile a JSON Pointer.
 * @param text "" (the whole) or "/part/part"; borrowed for the call.
 * @param ret_pointer free it with cue_pointer_free(); untouched on failure.
 * @return 0; -EINVAL @p text is not a JSON Pointer; -ENOMEM.
 */
CUE_API int cue_pointer_new(const char *text, struct cue_pointer **ret_pointer);

/** NULL is allowed. @return NULL. */
CUE_API struct cue_pointer *cue_pointer_free(struct cue_pointer *pointer);

/**
 * Find the value at the pointer.
 * @param payload   parsed at most once.
 * @param ret_value belongs to the payload and is valid as long as the payload, but inside a handler
 *                  only while that handler runs; untouched on failure.
 * @return 0; -ENOENT no such value; -ENOMEM.
 */
CUE_API int cue_pointer_get(const struct cue_pointer *pointer, struct cue_payload *payload,
                            const struct cJSON **ret_value);

#endif
