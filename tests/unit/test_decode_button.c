/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "decode.h"

Test(decode_button, press_and_release_with_how_long_it_was_held)
{
	struct decode_button button = { 0 };
	struct decoder_change change;

	decode_button_start(&button, false, 5);
	cr_assert(decode_button_level(&button, true, 100, &change));
	cr_assert_eq(change.type, DECODER_PRESSED);
	cr_assert_eq(change.time_ns, 100);
	cr_assert(change.state);
	cr_assert_eq(change.held_ns, 0);
	cr_assert(decode_button_level(&button, false, 350, &change));
	cr_assert_eq(change.type, DECODER_RELEASED);
	cr_assert_eq(change.time_ns, 350);
	cr_assert_not(change.state);
	cr_assert_eq(change.held_ns, 250);
}

Test(decode_button, the_same_level_again_is_no_news)
{
	struct decode_button button = { 0 };
	struct decoder_change change;

	decode_button_start(&button, false, 0);
	cr_assert_not(decode_button_level(&button, false, 1, &change));
	cr_assert(decode_button_level(&button, true, 2, &change));
	cr_assert_not(decode_button_level(&button, true, 3, &change));
}

Test(decode_button, down_at_the_start_reports_only_the_release)
{
	struct decode_button button = { 0 };
	struct decoder_change change;

	decode_button_start(&button, true, 1000);
	cr_assert(decode_button_level(&button, false, 1500, &change));
	cr_assert_eq(change.type, DECODER_RELEASED);
	cr_assert_eq(change.held_ns, 500);
}

Test(decode_button, held_never_wraps_round)
{
	struct decode_button button = { 0 };
	struct decoder_change change;

	decode_button_start(&button, false, 0);
	decode_button_level(&button, true, 1000, &change);
	cr_assert(decode_button_level(&button, false, 999, &change));
	cr_assert_eq(change.held_ns, 0);
}
