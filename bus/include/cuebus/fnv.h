/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fnv.h
 * @brief FNV-1a with 64 bits (Fowler, Noll, Vo; public domain), for checksums and hash tables.
 *
 * It detects accidents, not intent: where others choose the keys of a table, begin with a
 * random seed mixed into CUE_FNV_BEGIN. Thread: any; no state.
 */
#ifndef CUEBUS_FNV_H
#define CUEBUS_FNV_H

#include <stddef.h>
#include <stdint.h>

/** The hash of no bytes. */
#define CUE_FNV_BEGIN 0xcbf29ce484222325ULL

/** Continue @p hash over @p len more bytes. */
static inline uint64_t cue_fnv(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t i = 0; i < len; i++) {
		hash ^= p[i];
		hash *= 0x100000001b3ULL;
	}
	return hash;
}

#endif
