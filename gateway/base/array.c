/* SPDX-License-Identifier: Apache-2.0 */
#include "array.h"

#include <stdlib.h>

void *array_grow(void *array, size_t n, size_t *capacity, size_t size)
{
	size_t larger = *capacity ? 2 * *capacity : 16;
	void *p;

	if (n < *capacity)
		return array;
	p = reallocarray(array, larger, size);
	if (p)
		*capacity = larger;
	return p;
}
