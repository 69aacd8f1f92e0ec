/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file decoder.h
 * @brief From raw edges to events: pure state machines.
 *
 * A decoder takes edges and times, and returns decoded changes and the deadline of the next call.
 * It has no clock, no timer and no line. A debounced change has the time of the first edge of its
 * transition, not of the end of the debounce.
 */
#ifndef CUEBUS_DECODER_H
#define CUEBUS_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decoder_kind { DECODER_BUTTON, DECODER_SWITCH, DECODER_ROTARY, DECODER_COUNTER };

struct decoder_config {
	enum decoder_kind kind;
	uint64_t debounce_ns; /**< 0: every edge counts. */
	/** rotary: quadrature steps per position, 1, 2 or 4 (default 4). */
	unsigned steps_per_detent;
};

enum decoder_change_type {
	DECODER_PRESSED,  /**< button */
	DECODER_RELEASED, /**< button; held_ns */
	DECODER_STATE,    /**< switch; state, initial */
	DECODER_ROTATED,  /**< rotary; position, delta */
	DECODER_COUNTED,  /**< counter; count, interval_ns */
};

struct decoder_change {
	enum decoder_change_type type;
	uint64_t time_ns;
	bool state;
	bool initial;
	int64_t position;
	int delta;
	uint64_t count;
	uint64_t held_ns; /**< for a button that was down at the start: since the start */
	/** counter: since the previous pulse; 0 for the first, and after lost edges. */
	uint64_t interval_ns;
};

#define DECODER_CHANGES_MAX 4U

struct decoder; /* opaque */

/** @return 0; -EINVAL; -ENOMEM. Freed with decoder_free(). */
int decoder_new(const struct decoder_config *config, struct decoder **ret_decoder);
struct decoder *decoder_free(struct decoder *decoder);

/**
 * Set the level found when the line was opened. A switch reports it once, with `initial`.
 * @return number of changes stored in @p changes (at most DECODER_CHANGES_MAX).
 */
int decoder_start(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                  struct decoder_change *changes);

/**
 * Handle one edge. A deadline strictly before @p time_ns that was not served is served first, so
 * that a late wake-up results in the same changes as a punctual one.
 */
int decoder_edge(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                 struct decoder_change *changes);

/**
 * Take the current level after edges were lost; nothing is guessed. A button or switch changes
 * (debounced) if the level differs. A counter counts the pulse that must have begun and reports no
 * interval with the next one. A rotary keeps its position and takes the levels.
 */
int decoder_resync(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                   struct decoder_change *changes);

/** Serve the deadline of decoder_deadline(). */
int decoder_tick(struct decoder *decoder, uint64_t now_ns, struct decoder_change *changes);

/**
 * The count of a counter or the position of a rotary; 0 for other kinds.
 */
int64_t decoder_get_value(const struct decoder *decoder);
/**
 * Continue the count of an earlier decoder: @p value is added to the count of this one, so that a
 * late call loses nothing. No effect for other kinds. No change is reported.
 */
void decoder_add_value(struct decoder *decoder, int64_t value);

/** Time of the next decoder_tick(); UINT64_MAX: never. */
uint64_t decoder_deadline(const struct decoder *decoder);

/** Edges suppressed by the debounce, and illegal quadrature transitions (an edge between two others
 * was lost). */
struct decoder_stats {
	uint64_t bounces;
	uint64_t illegal;
};
void decoder_get_stats(const struct decoder *decoder, struct decoder_stats *ret_stats);

#endif
