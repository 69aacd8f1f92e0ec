/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jsonc_string.h
 * @brief Strings of JSON: escapes and UTF-8. For jsonc.c.
 */
#ifndef CUEBUS_JSONC_STRING_H
#define CUEBUS_JSONC_STRING_H

#include <stddef.h>

#include "arena.h"

struct jsonc_string {
	const char *text; /**< NUL-terminated, in the arena */
	size_t len;
	size_t used; /**< bytes read, including both quotation marks */
};

struct jsonc_string_error {
	size_t offset;    /**< from the opening quotation mark */
	const char *text; /**< static */
};

/**
 * Decode the string that begins at @p s with its quotation mark.
 * @return 0; -EINVAL (ret_error); -ENOMEM.
 */
int jsonc_string_decode(struct arena *arena, const char *s, size_t len,
                        struct jsonc_string *ret_string, struct jsonc_string_error *ret_error);

#endif
