/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fuzz.h
 * @brief What the fuzzers have in common.
 */
#ifndef CUEBUS_FUZZ_H
#define CUEBUS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** Called by libFuzzer; the bytes are exactly as long as said. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A property that must hold for every input; libFuzzer keeps an input that violates it. */
#define FUZZ_CHECK(cond)                                                                           \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/** The bytes before the first @p separator (all, when there is none), as a
 *  malloc()ed string; @p ret_rest is behind it. Ends the program without memory. */
static inline char *fuzz_cut(const uint8_t **data, size_t *size, uint8_t separator)
{
	const uint8_t *end = *size ? memchr(*data, separator, *size) : NULL;
	size_t len = end ? (size_t)(end - *data) : *size;
	size_t used = end ? len + 1 : len;
	char *text = malloc(len + 1);

	FUZZ_CHECK(text);
	if (len)
		memcpy(text, *data, len);
	text[len] = '\0';
	*data += used;
	*size -= used;
	return text;
}

/** Random ids that are the same in every run. */
static inline int fuzz_random(void *user, void *buf, size_t len)
{
	static const uint64_t step = 0x9e3779b97f4a7c15ULL;
	uint64_t *state = user;
	uint8_t *bytes = buf;

	for (size_t i = 0; i < len; i++) {
		*state = *state * 6364136223846793005ULL + step;
		bytes[i] = (uint8_t)(*state >> 56);
	}
	return 0;
}

#endif
