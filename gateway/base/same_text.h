/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file same_text.h
 * @brief Equality of texts that may be NULL: two NULLs are equal.
 */
#ifndef CUEBUS_SAME_TEXT_H
#define CUEBUS_SAME_TEXT_H

#include <stdbool.h>
#include <string.h>

static inline bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

#endif
