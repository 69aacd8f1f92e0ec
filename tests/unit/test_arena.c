/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "arena.h"

#include <stdint.h>
#include <string.h>

static char order[4];
static size_t released;

static void note(void *object)
{
	order[released++] = *(char *)object;
}

Test(arena, memory_is_zeroed_aligned_and_apart)
{
	struct arena *arena = arena_new();
	unsigned char *last = NULL;

	for (size_t size = 1; size < 40000; size = size * 3 + 1) {
		unsigned char *p = arena_alloc(arena, size);

		cr_assert_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			cr_assert_eq(p[i], 0);
		memset(p, 0xAA, size);
		cr_assert(!last || *last == 0xAA);
		last = p;
	}
	cr_assert_null(arena_free(arena));
}

Test(arena, overflow_is_refused)
{
	struct arena *arena = arena_new();

	cr_assert_null(arena_array(arena, SIZE_MAX / 2, 4));
	cr_assert_null(arena_alloc(arena, SIZE_MAX));
	cr_assert_not_null(arena_array(arena, 0, 4));
	arena_free(arena);
}

Test(arena, copies_are_terminated)
{
	struct arena *arena = arena_new();

	cr_assert_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
	cr_assert_str_eq(arena_strndup(arena, NULL, 0), "");
	arena_free(arena);
}

Test(arena, deferred_runs_last_first_before_memory_goes)
{
	struct arena *arena = arena_new();

	released = 0;
	arena_defer(arena, note, arena_strndup(arena, "a", 1));
	arena_defer(arena, note, arena_strndup(arena, "b", 1));
	cr_assert_null(arena_free(arena));
	cr_assert_eq(released, 2);
	cr_assert_eq(order[0], 'b');
	cr_assert_eq(order[1], 'a');
	cr_assert_null(arena_free(NULL));
}
