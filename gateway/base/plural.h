/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file plural.h
 * @brief "1 error", "2 errors": the end of a counted noun in a message.
 */
#ifndef CUEBUS_PLURAL_H
#define CUEBUS_PLURAL_H

#include <stdint.h>

static inline const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#endif
