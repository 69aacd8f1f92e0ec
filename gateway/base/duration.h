/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file duration.h
 * @brief Durations as text: a decimal number and a unit, `20ms`, `1.5s`.
 *
 * Units: us, ms, s, m (minutes), h. Exact: no floating point is used, and a fraction of a
 * nanosecond is refused, not rounded.
 */
#ifndef CUEBUS_DURATION_H
#define CUEBUS_DURATION_H

#include <stddef.h>
#include <stdint.h>

/**
 * @param s          text, need not be NUL-terminated; borrowed for the call.
 * @param ret_reason optional; on -EINVAL and -ERANGE a static text with the error and the remedy.
 * @return 0; -EINVAL malformed; -ERANGE over CUE_DURATION_MAX_NS.
 */
int duration_parse(const char *s, size_t len, uint64_t *ret_ns, const char **ret_reason);

#define DURATION_TEXT_SIZE 32U

/**
 * Write @p ns with the largest unit in which it is an integer (`90s`, `1500ms`), otherwise in
 * decimal microseconds; 0 is `0s`. duration_parse() returns the same value.
 */
void duration_format(uint64_t ns, char text[DURATION_TEXT_SIZE]);

#endif
