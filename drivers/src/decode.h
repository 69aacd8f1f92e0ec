/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file decode.h
 * @brief Private: the kinds of input, for decoder.c. They get debounced levels.
 *
 * Each kind is a plain struct, zero before its start. Functions with a @p change return whether
 * they filled it.
 */
#ifndef CUEBUS_DECODE_H
#define CUEBUS_DECODE_H

#include <drivers/decoder.h>

#include "rotary_position.h"

/* decode_button.c */
struct decode_button {
	bool pressed;
	uint64_t pressed_ns;
};
void decode_button_start(struct decode_button *button, bool level, uint64_t time_ns);
bool decode_button_level(struct decode_button *button, bool level, uint64_t time_ns,
                         struct decoder_change *change);

/* decode_switch.c */
struct decode_switch {
	bool started;
	bool state;
};
bool decode_switch_start(struct decode_switch *sw, bool level, uint64_t time_ns,
                         struct decoder_change *change);
bool decode_switch_level(struct decode_switch *sw, bool level, uint64_t time_ns,
                         struct decoder_change *change);

/* decode_counter.c */
struct decode_counter {
	uint64_t count;
	bool level;
	bool has_last; /**< last_ns is the pulse just before the next one */
	uint64_t last_ns;
};
void decode_counter_start(struct decode_counter *counter, bool level);
bool decode_counter_level(struct decode_counter *counter, bool level, uint64_t time_ns,
                          struct decoder_change *change);
/** Pulses were lost: the next interval is unknown. */
void decode_counter_gap(struct decode_counter *counter);
/** Add the count of an earlier decoder; a negative value has no effect. */
void decode_counter_add(struct decode_counter *counter, int64_t value);

/* decode_rotary.c */

/** Both lines changed at once: the direction is unknown. */
#define QUADRATURE_ILLEGAL 2

/**
 * Levels of the two lines as one number: line 0 is bit 1, line 1 bit 0.
 * @return -1, 0, 1 or QUADRATURE_ILLEGAL.
 */
int quadrature_step(unsigned from, unsigned to);

struct decode_rotary {
	int steps_per_detent; /**< 1, 2 or 4 */
	unsigned levels;
	/** levels at a detent: those at the start, until the knob rests elsewhere */
	unsigned rest;
	bool proven;          /**< the knob came to rest at `rest` */
	unsigned candidate;   /**< other levels at which it rested, valid while n_candidate > 0 */
	unsigned n_candidate; /**< consecutive rests at `candidate` */
	bool has_since;
	uint64_t since_ns; /**< time of the last change of the levels, if has_since */
	bool judged;       /**< the stay at the levels was evaluated already */
	bool has_before;
	unsigned levels_before;   /**< the levels before, if has_before */
	uint64_t since_before_ns; /**< time at which those began */
	bool has_stay_before;
	uint64_t stay_before_ns; /**< duration of the stay before, if has_stay_before */
	int steps; /**< since the last detent; absolute value less than steps_per_detent */
	struct rotary_position position;
	uint64_t illegal;
};
void decode_rotary_start(struct decode_rotary *rotary, unsigned line, bool level);
bool decode_rotary_levels(struct decode_rotary *rotary, unsigned levels, uint64_t time_ns,
                          struct decoder_change *change);
/** Edges were lost: take the levels and keep the position. */
void decode_rotary_gap(struct decode_rotary *rotary, unsigned levels, uint64_t time_ns);
#endif
