/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   state   | start                      | level as before | other level
 *   UNKNOWN | STATE, initial -> known    | STATE -> known  | STATE -> known
 *   known   | STATE if it differs        | ignored         | STATE
 */
#include "decode.h"

bool decode_switch_start(struct decode_switch *sw, bool level, uint64_t time_ns,
                         struct decoder_change *change)
{
	bool initial = !sw->started;

	if (!decode_switch_level(sw, level, time_ns, change))
		return false;
	change->initial = initial;
	return true;
}

bool decode_switch_level(struct decode_switch *sw, bool level, uint64_t time_ns,
                         struct decoder_change *change)
{
	if (sw->started && level == sw->state)
		return false;
	sw->started = true;
	sw->state = level;
	*change = (struct decoder_change){
		.type = DECODER_STATE,
		.time_ns = time_ns,
		.state = level,
	};
	return true;
}
