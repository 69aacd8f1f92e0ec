/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_writer.h
 * @brief A growing buffer that writes compact JSON left to right.
 *
 * Errors are sticky: after the first failed allocation every call has no effect and
 * cue_writer_finish() reports the error, so a caller checks once, at the end. The writer places
 * commas. Thread: the caller's; no shared state.
 */
#ifndef CUEBUS_JSON_WRITER_H
#define CUEBUS_JSON_WRITER_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cue_payload;

/** Zero-initialise before first use (`= { 0 }`). Members are private. */
struct cue_writer {
	char *buf;
	size_t len;
	size_t cap;
	int error;
	bool need_comma;
};

/** Begin an object. Write each member with cue_writer_key() and a value, then call
 * cue_writer_object_end(). */
CUE_API void cue_writer_object_begin(struct cue_writer *w);
/** End the innermost object. The caller must pair the calls; the writer does not check. */
CUE_API void cue_writer_object_end(struct cue_writer *w);
/** Begin an array. Write its values, then call cue_writer_array_end(). */
CUE_API void cue_writer_array_begin(struct cue_writer *w);
/** End the innermost array, as cue_writer_object_end(). */
CUE_API void cue_writer_array_end(struct cue_writer *w);

/** Write an object's key (escaped); the next call writes its value. */
CUE_API void cue_writer_key(struct cue_writer *w, const char *key);

/**
 * Write a NUL-terminated UTF-8 string, escaped; NULL writes `null`. The result
 * is valid JSON whatever the bytes are: each one that is not part of a
 * well-formed UTF-8 sequence, and a NUL in cue_writer_string_n(), becomes
 * U+FFFD.
 */
CUE_API void cue_writer_string(struct cue_writer *w, const char *s);
/** As cue_writer_string(), for the @p len bytes at @p s, which may contain NUL. */
CUE_API void cue_writer_string_n(struct cue_writer *w, const char *s, size_t len);
/** Write a decimal number with all digits, also beyond 2^53. */
CUE_API void cue_writer_u64(struct cue_writer *w, uint64_t v);
/** As cue_writer_u64(), with a sign. */
CUE_API void cue_writer_i64(struct cue_writer *w, int64_t v);
/** Write `true` or `false`. */
CUE_API void cue_writer_bool(struct cue_writer *w, bool v);
/** Write `null`. */
CUE_API void cue_writer_null(struct cue_writer *w);
/** Write nanoseconds as seconds, exact decimal without trailing zeros: 1.5, 0, 0.2. */
CUE_API void cue_writer_seconds(struct cue_writer *w, uint64_t ns);
/** Write a payload's bytes unchanged; NULL writes `null`. */
CUE_API void cue_writer_payload(struct cue_writer *w, const struct cue_payload *payload);
/** Write trusted compact JSON unchanged. */
CUE_API void cue_writer_raw(struct cue_writer *w, const char *json, size_t len);

/** Number of bytes written so far. */
CUE_API size_t cue_writer_len(const struct cue_writer *w);

/**
 * Hand over the text. The writer is empty afterwards either way.
 * @param ret_text malloc()ed, NUL-terminated; the caller frees it.
 * @param ret_len  optional; length without the NUL.
 * @return 0; -ENOMEM (outputs untouched, memory released).
 */
CUE_API int cue_writer_finish(struct cue_writer *w, char **ret_text, size_t *ret_len);

/** As cue_writer_finish(), into a payload (a new reference); `null` if nothing was written. */
CUE_API int cue_writer_finish_payload(struct cue_writer *w, struct cue_payload **ret_payload);

/** Free the buffer; for error paths and __attribute__((cleanup)). */
CUE_API void cue_writer_clear(struct cue_writer *w);

/** Bytes that cue_format_timestamp() writes, including the NUL. */
#define CUE_TIMESTAMP_SIZE 32U

/**
 * Format a wall time as RFC 3339 UTC with microseconds, `2026-11-23T11:03:55.938124Z` (proleptic
 * Gregorian, no leap seconds; the civil-from-days algorithm by Howard Hinnant, public domain).
 * Rounds down.
 * @param wall_ns nanoseconds since 1970-01-01T00:00:00Z, may be negative; the type covers the years
 *                1677 to 2262.
 */
CUE_API void cue_format_timestamp(int64_t wall_ns, char buf[CUE_TIMESTAMP_SIZE]);

#endif
