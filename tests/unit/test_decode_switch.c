/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "decode.h"

Test(decode_switch, tells_its_state_once_at_the_start)
{
	for (int level = 0; level <= 1; level++) {
		struct decode_switch sw = { 0 };
		struct decoder_change change;

		cr_assert(decode_switch_start(&sw, level, 7, &change));
		cr_assert_eq(change.type, DECODER_STATE);
		cr_assert_eq(change.time_ns, 7);
		cr_assert_eq(change.state, level);
		cr_assert(change.initial);
		cr_assert_not(decode_switch_start(&sw, level, 8, &change));
	}
}

Test(decode_switch, later_changes_are_not_initial)
{
	struct decode_switch sw = { 0 };
	struct decoder_change change;

	decode_switch_start(&sw, false, 0, &change);
	cr_assert_not(decode_switch_level(&sw, false, 1, &change));
	cr_assert(decode_switch_level(&sw, true, 2, &change));
	cr_assert(change.state);
	cr_assert_not(change.initial);
	cr_assert(decode_switch_start(&sw, false, 3, &change));
	cr_assert_not(change.initial);
}
