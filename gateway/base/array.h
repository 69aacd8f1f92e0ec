/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file array.h
 * @brief Arrays that grow by doubling. Thread: any.
 */
#ifndef CUEBUS_ARRAY_H
#define CUEBUS_ARRAY_H

#include <stddef.h>

/**
 * Make room for one more element.
 * @param array malloc()ed, or NULL.
 * @param n elements in use.
 * @param capacity elements that have room; updated.
 * @param size of one element, in bytes.
 * @return the array, perhaps moved; NULL: no memory, and the old one is unchanged.
 */
void *array_grow(void *array, size_t n, size_t *capacity, size_t size);

#endif
