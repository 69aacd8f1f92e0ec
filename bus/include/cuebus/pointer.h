/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pointer.h
 * @brief One value in an event's data, named by a JSON Pointer (RFC 6901).
 *
 * A pointer is compiled once and keeps copies of all it needs. Threads: it is
 * never changed; following one parses the payload and so belongs on the bus's
 * thread.
 */
#ifndef CUEBUS_POINTER_H
#define CUEBUS_POINTER_H

#include <cuebus/api.h>

struct cJSON;
struct cue_payload;
struct cue_pointer;

/**
 * @param text "" (the whole) or "/part/part"; borrowed for the call.
 * @param ret_pointer freed with cue_pointer_free(); untouched on failure.
 * @return 0; -EINVAL no pointer; -ENOMEM.
 */
CUE_API int cue_pointer_new(const char *text, struct cue_pointer **ret_pointer);

/** NULL is allowed. @return NULL. */
CUE_API struct cue_pointer *cue_pointer_free(struct cue_pointer *pointer);

/**
 * The value there.
 * @param payload   parsed at most once.
 * @param ret_value belongs to the payload and lives as long as it does, but inside a handler
 *                  only while that runs; untouched on failure.
 * @return 0; -ENOENT the pointer leads nowhere; -ENOMEM.
 */
CUE_API int cue_pointer_get(const struct cue_pointer *pointer, struct cue_payload *payload,
                            const struct cJSON **ret_value);

#endif
