/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file utf8.h
 * @brief Check UTF-8 (RFC 3629).
 *
 * Overlong forms, surrogates and code points above U+10FFFF are ill-formed.
 *
 * Thread: any; no state.
 */
#ifndef CUEBUS_UTF8_CHECK_H
#define CUEBUS_UTF8_CHECK_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stddef.h>

/**
 * @param s   borrowed; not necessarily NUL-terminated.
 * @param len number of bytes at @p s.
 * @return length of the well-formed sequence at @p s, 1 to 4; 0: it is ill-formed, or @p len is 0.
 */
CUE_API size_t cue_utf8_sequence(const char *s, size_t len);

/** Whether the whole NUL-terminated @p text is UTF-8. */
CUE_API bool cue_utf8_is_valid(const char *text);

#endif
