/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/fnv.h>

Test(fnv, published_values)
{
	/* From the authors' page. */
	cr_assert_eq(cue_fnv(CUE_FNV_BEGIN, "", 0), 0xcbf29ce484222325ULL);
	cr_assert_eq(cue_fnv(CUE_FNV_BEGIN, "a", 1), 0xaf63dc4c8601ec8cULL);
	cr_assert_eq(cue_fnv(CUE_FNV_BEGIN, "foobar", 6), 0x85944171f73967e8ULL);
}

Test(fnv, in_parts_as_whole)
{
	uint64_t hash = cue_fnv(CUE_FNV_BEGIN, "foo", 3);

	cr_assert_eq(cue_fnv(hash, "bar", 3), cue_fnv(CUE_FNV_BEGIN, "foobar", 6));
}
