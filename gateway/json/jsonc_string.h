/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jsonc_string.h
 * @brief Strings of JSON: escapes and UTF-8. For jsonc.c.
 */
#ifndef CUEBUS_JSONC_STRING_H
#define CUEBUS_JSONC_STRING_H

#include <stddef.h>

#include "arena.h"

struct jsonc_string_error {
	size_t offset;    /**< from the opening quotation mark */
	const char *text; /**< static */
};

/**
 * Decode the string that begins at @p s with its quotation mark.
 * @param ret_used bytes read, including both quotation marks.
 * @param ret_text NUL-terminated, in the arena.
 * @return 0; -EINVAL (ret_error); -ENOMEM.
 */
int jsonc_string_decode(struct arena *arena, const char *s, size_t len, size_t *ret_used,
                        const char **ret_text, size_t *ret_len,
                        struct jsonc_string_error *ret_error);

#endif
