/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 16384U

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

struct deferred {
	struct deferred *next;
	void (*release)(void *object);
	void *object;
};

struct arena {
	struct chunk *chunks;
	struct deferred *deferred;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

struct arena *arena_free(struct arena *arena)
{
	if (!arena)
		return NULL;
	for (struct deferred *d = arena->deferred; d; d = d->next)
		d->release(d->object);
	while (arena->chunks) {
		struct chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	free(arena);
	return NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct chunk *chunk = arena->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t capacity = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + capacity);
		if (!chunk)
			return NULL;
		chunk->size = capacity;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	p = chunk->bytes + chunk->used;
	chunk->used += size;
	return p;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (copy && len > 0)
		memcpy(copy, s, len);
	return copy;
}

int arena_defer(struct arena *arena, void (*release)(void *object), void *object)
{
	struct deferred *d = arena_alloc(arena, sizeof(*d));

	if (!d) {
		release(object);
		return -ENOMEM;
	}
	d->release = release;
	d->object = object;
	d->next = arena->deferred;
	arena->deferred = d;
	return 0;
}
