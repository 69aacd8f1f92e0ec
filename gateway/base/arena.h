/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file arena.h
 * @brief Memory that is freed all at once.
 *
 * Thread: one at a time.
 */
#ifndef CUEBUS_ARENA_H
#define CUEBUS_ARENA_H

#include <stddef.h>

struct arena;

/** Create an arena. @return NULL if memory runs out. Free it with arena_free(). */
struct arena *arena_new(void);
/** Call the deferred functions, last first, then free everything. NULL is allowed. @return NULL. */
struct arena *arena_free(struct arena *arena);

/** Allocate zeroed memory, aligned for any type; valid as long as the arena. @return NULL if memory
 * runs out. */
void *arena_alloc(struct arena *arena, size_t size);
/** As arena_alloc(), for an array; NULL also if n * size overflows. */
void *arena_array(struct arena *arena, size_t n, size_t size);
/** A NUL-terminated copy of @p len bytes. */
char *arena_strndup(struct arena *arena, const char *s, size_t len);

/**
 * Call @p release with @p object when the arena is freed.
 * @return 0; -ENOMEM: @p release was called at once.
 */
int arena_defer(struct arena *arena, void (*release)(void *object), void *object);

#endif
