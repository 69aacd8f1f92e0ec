/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detent moves the position by step * factor.
 *
 *   would pass the end | range      | then
 *   no                 | any        | moves by all of it
 *   yes                | clamps     | moves to the end, by what remains; at the end: by nothing
 *   yes                | wraps      | continues at the other end of min, min + step, …
 *
 * A detent that moves nothing is no change: a value that was reported is not reported again, and
 * nothing is stored up, so that the first detent back from the end counts. All arithmetic is in
 * whole numbers: nothing is truncated at zero.
 *
 * The factor is 1, or that of the shortest `within` that the time since the previous detent does
 * not exceed, if both detents have the same direction: a hand that corrects itself moves by single
 * steps. Detents at the end count as previous detents too.
 */
#include "rotary_position.h"

#include <stdlib.h>

bool rotary_position_is_valid(const struct decoder_config *config)
{
	const struct decoder_range *range = &config->range;

	if (config->n_acceleration > DECODER_ACCELERATION_MAX)
		return false;
	for (size_t i = 0; i < config->n_acceleration; i++) {
		if (config->acceleration[i].factor == 0 ||
		    config->acceleration[i].factor > DECODER_FACTOR_MAX)
			return false;
	}
	return !range->present || (range->min >= -DECODER_POSITION_MAX &&
	                           range->max <= DECODER_POSITION_MAX && range->min < range->max &&
	                           range->step >= 1 && range->step <= range->max - range->min &&
	                           range->initial >= range->min && range->initial <= range->max);
}

static int by_time(const void *a, const void *b)
{
	const struct decoder_acceleration *x = a, *y = b;

	return (x->within_ns > y->within_ns) - (x->within_ns < y->within_ns);
}

void rotary_position_init(struct rotary_position *position, const struct decoder_config *config)
{
	*position = (struct rotary_position){
		.range = config->range,
		.n_acceleration = config->n_acceleration,
	};
	if (!config->range.present)
		position->range = (struct decoder_range){
			.min = INT64_MIN,
			.max = INT64_MAX,
			.step = 1,
		};
	position->value = position->range.initial;
	for (size_t i = 0; i < config->n_acceleration; i++)
		position->acceleration[i] = config->acceleration[i];
	qsort(position->acceleration, position->n_acceleration, sizeof(*position->acceleration),
	      by_time);
}

bool rotary_position_is_limited(const struct rotary_position *position)
{
	const struct decoder_range *range = &position->range;

	return range->present && !range->wrap &&
	       (position->value == range->min || position->value == range->max);
}

/* ---- moving ---- */

/** From @p low up to @p high; also where the difference exceeds int64_t. */
static uint64_t distance(int64_t low, int64_t high)
{
	return (uint64_t)high - (uint64_t)low;
}

static int64_t add(int64_t value, uint64_t way)
{
	return (int64_t)((uint64_t)value + way);
}

static int64_t subtract(int64_t value, uint64_t way)
{
	return (int64_t)((uint64_t)value - way);
}

static int64_t clamped(const struct decoder_range *range, int64_t value)
{
	if (value < range->min)
		return range->min;
	return value > range->max ? range->max : value;
}

/** Values of a range that wraps: min, min + step, … */
static uint64_t n_values(const struct decoder_range *range)
{
	return distance(range->min, range->max) / (uint64_t)range->step + 1;
}

/** Move by @p n steps within bounds that clamp. */
static int64_t move_clamped(const struct rotary_position *position, int direction, uint64_t n)
{
	const struct decoder_range *range = &position->range;
	uint64_t way = n * (uint64_t)range->step;
	uint64_t room = direction > 0 ? distance(position->value, range->max)
	                              : distance(range->min, position->value);

	if (way > room)
		way = room;
	return direction > 0 ? add(position->value, way) : subtract(position->value, way);
}

static int64_t move_wrapped(const struct rotary_position *position, int direction, uint64_t n)
{
	const struct decoder_range *range = &position->range;
	uint64_t step = (uint64_t)range->step, values = n_values(range);
	uint64_t room = (direction > 0 ? distance(position->value, range->max)
	                               : distance(range->min, position->value)) /
	                step;

	if (n <= room)
		return direction > 0 ? add(position->value, n * step)
		                     : subtract(position->value, n * step);
	/* One step goes from one end to the other. */
	n = (n - room - 1) % values;
	return add(range->min, (direction > 0 ? n : values - 1 - n) * step);
}

static uint32_t factor_of(const struct rotary_position *position, int direction, uint64_t time_ns)
{
	if (position->direction != direction || time_ns < position->detent_ns)
		return 1;
	for (size_t i = 0; i < position->n_acceleration; i++) {
		if (time_ns - position->detent_ns <= position->acceleration[i].within_ns)
			return position->acceleration[i].factor;
	}
	return 1;
}

/** @return false: it is there already. */
static bool move_to(struct rotary_position *position, int64_t value, struct decoder_change *change)
{
	if (value == position->value)
		return false;
	change->change = value - position->value;
	position->value = value;
	change->position = value;
	change->limited = rotary_position_is_limited(position);
	return true;
}

bool rotary_position_turn(struct rotary_position *position, int direction, uint64_t time_ns,
                          struct decoder_change *change)
{
	uint32_t n = factor_of(position, direction, time_ns);
	int64_t to = position->range.wrap ? move_wrapped(position, direction, n)
	                                  : move_clamped(position, direction, n);

	position->direction = direction;
	position->detent_ns = time_ns;
	if (!move_to(position, to, change)) {
		position->limited++;
		return false;
	}
	change->delta = direction;
	return true;
}

bool rotary_position_set(struct rotary_position *position, int64_t value,
                         struct decoder_change *change)
{
	position->is_set = true;
	change->delta = 0;
	return move_to(position, value, change);
}

void rotary_position_restore(struct rotary_position *position, int64_t value)
{
	const struct decoder_range *range = &position->range;
	int64_t turned = position->value - range->initial, sum;

	if (position->is_set)
		return;
	if (__builtin_add_overflow(clamped(range, value), turned, &sum))
		return;
	if (range->wrap && (sum < range->min || sum > range->max)) {
		int64_t circle = (int64_t)n_values(range) * range->step;

		sum = range->min + ((sum - range->min) % circle + circle) % circle;
	}
	position->value = clamped(range, sum);
}
