/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   state    | active                     | inactive
 *   RELEASED | PRESSED -> pressed         | ignored
 *   PRESSED  | ignored                    | RELEASED, held_ns -> released
 *
 * A button that is down at the start reports no press, because its time is unknown. The duration in
 * its release counts from the start.
 */
#include "decode.h"

void decode_button_start(struct decode_button *button, bool level, uint64_t time_ns)
{
	button->pressed = level;
	button->pressed_ns = time_ns;
}

bool decode_button_level(struct decode_button *button, bool level, uint64_t time_ns,
                         struct decoder_change *change)
{
	if (level == button->pressed)
		return false;
	button->pressed = level;
	*change = (struct decoder_change){
		.type = level ? DECODER_PRESSED : DECODER_RELEASED,
		.time_ns = time_ns,
		.state = level,
	};
	if (level)
		button->pressed_ns = time_ns;
	else if (time_ns > button->pressed_ns)
		change->held_ns = time_ns - button->pressed_ns;
	return true;
}
