/* SPDX-License-Identifier: Apache-2.0 */
#include "did_you_mean.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 64U

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	/* Rows of the dynamic programme: i - 2, i - 1 and i. */
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *previous = rows[1], *row = rows[2];

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		previous[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;

			row[j] = min(min(previous[j] + 1, row[j - 1] + 1), previous[j - 1] + cost);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = min(row[j], before[j - 2] + 1);
		}
		before = previous;
		previous = row;
		row = oldest;
	}
	return previous[b_len];
}

const char *did_you_mean(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word);
	size_t best = (len > 3 ? len / 3 : 1) + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t distance = edit_distance(word, len, candidates[i], strlen(candidates[i]));

		if (distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	for (size_t i = 0; i < n && !nearest && len >= 4; i++) {
		if (strncmp(word, candidates[i], len) == 0)
			nearest = candidates[i];
	}
	return nearest;
}
