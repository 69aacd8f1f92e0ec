/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rotary_position.h
 * @brief Private: a rotary's position, from detents to a number with bounds and acceleration.
 *
 * A pure state machine: times are arguments. Without a range the bounds are those of int64_t.
 */
#ifndef CUEBUS_ROTARY_POSITION_H
#define CUEBUS_ROTARY_POSITION_H

#include <drivers/decoder.h>

struct rotary_position {
	struct decoder_range range; /**< without `present`: the bounds of int64_t */
	/** by `within_ns`, the shortest first */
	struct decoder_acceleration acceleration[DECODER_ACCELERATION_MAX];
	size_t n_acceleration;
	int64_t value;
	bool is_set;   /**< rotary_position_set() was called: an older value no longer counts */
	int direction; /**< of the previous detent, 1 or -1; 0: there was none */
	uint64_t detent_ns; /**< time of the previous detent, if `direction` */
	uint64_t limited;   /**< detents that could not move the position */
};

/** Whether range and acceleration are valid. */
bool rotary_position_is_valid(const struct decoder_config *config);
/** @param config is valid; copied. */
void rotary_position_init(struct rotary_position *position, const struct decoder_config *config);

/**
 * Take one detent.
 * @param direction 1 or -1.
 * @param change `position`, `delta`, `change` and `limited` are set if the result is true.
 * @return false: the position did not change; there is nothing to report.
 */
bool rotary_position_turn(struct rotary_position *position, int direction, uint64_t time_ns,
                          struct decoder_change *change);

/**
 * Put the position to @p value, which is in the range.
 * @param change as of rotary_position_turn(), `delta` is 0.
 * @return false: it was there already.
 */
bool rotary_position_set(struct rotary_position *position, int64_t value,
                         struct decoder_change *change);

/**
 * Continue at @p value, the position of an earlier rotary, plus what was turned since the start.
 * With a range the result is clamped. No effect after rotary_position_set().
 */
void rotary_position_restore(struct rotary_position *position, int64_t value);

/** Whether the position is at an end of a range that does not wrap. */
bool rotary_position_is_limited(const struct rotary_position *position);

#endif
