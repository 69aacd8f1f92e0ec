/* SPDX-License-Identifier: Apache-2.0 */
/** @file time_limits.h @brief Time limits of tests, for code that never ends. */
#ifndef TESTS_TIME_LIMITS_H
#define TESTS_TIME_LIMITS_H

#include <stdint.h>
#include <stdlib.h>

/** @return @p ns, times CUEBUS_SLOW where it is set and above 1. */
static inline uint64_t limit_ns(uint64_t ns)
{
	const char *slow = getenv("CUEBUS_SLOW");
	double factor = slow ? strtod(slow, NULL) : 1;

	return factor > 1 ? (uint64_t)((double)ns * factor) : ns;
}

#endif
