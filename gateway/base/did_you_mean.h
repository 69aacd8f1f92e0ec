/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file did_you_mean.h
 * @brief Suggestions for mistyped names.
 */
#ifndef CUEBUS_DID_YOU_MEAN_H
#define CUEBUS_DID_YOU_MEAN_H

#include <stddef.h>

/**
 * Damerau-Levenshtein distance in its optimal string alignment form: the
 * fewest insertions, deletions, substitutions and swaps of neighbours, no
 * part edited twice. Letters that differ only in ASCII case are equal.
 * @return the distance; SIZE_MAX when either text is over 64 bytes.
 */
size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len);

/**
 * The nearest of @p n candidates, the first among equals.
 * @return one of @p candidates; NULL if none is near (a third of the word's length, at least 1) and
 *         none begins with the word (of at least 4 letters).
 */
const char *did_you_mean(const char *word, const char *const *candidates, size_t n);

#endif
