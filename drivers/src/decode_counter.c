/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pulse is counted when it begins.
 *
 *   state | active                                  | inactive | gap
 *   LOW   | COUNTED, interval if last known -> HIGH | ignored  | last unknown
 *   HIGH  | ignored                                 | -> LOW   | last unknown
 */
#include "decode.h"

void decode_counter_start(struct decode_counter *counter, bool level)
{
	counter->level = level;
}

bool decode_counter_level(struct decode_counter *counter, bool level, uint64_t time_ns,
                          struct decoder_change *change)
{
	bool pulse = level && !counter->level;

	counter->level = level;
	if (!pulse)
		return false;
	counter->count++;
	*change = (struct decoder_change){
		.type = DECODER_COUNTED,
		.time_ns = time_ns,
		.count = counter->count,
	};
	if (counter->has_last && time_ns > counter->last_ns)
		change->interval_ns = time_ns - counter->last_ns;
	counter->has_last = true;
	counter->last_ns = time_ns;
	return true;
}

void decode_counter_gap(struct decode_counter *counter)
{
	counter->has_last = false;
}

void decode_counter_add(struct decode_counter *counter, int64_t value)
{
	if (value > 0 && counter->count <= (uint64_t)INT64_MAX - (uint64_t)value)
		counter->count += (uint64_t)value;
}
