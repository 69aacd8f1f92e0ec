/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file decoder.h
 * @brief From raw edges to events: pure state machines.
 *
 * A decoder takes edges and the passing of time and returns decoded changes
 * and "call me again by". It holds no clock, no timer and no line. A debounced
 * change carries the time of the first edge of its transition, not the end of
 * the debounce.
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
	uint64_t held_ns; /**< button that was down at the start: since the start */
	/** counter: since the pulse before; 0 for the first, and after lost edges. */
	uint64_t interval_ns;
};

#define DECODER_CHANGES_MAX 4U

struct decoder; /* opaque */

/** @return 0; -EINVAL; -ENOMEM. Freed with decoder_free(). */
int decoder_new(const struct decoder_config *config, struct decoder **ret_decoder);
struct decoder *decoder_free(struct decoder *decoder);

/**
 * Tell the level found when the line was opened; a switch reports it once,
 * with `initial`.
 * @return number of changes stored in @p changes (at most DECODER_CHANGES_MAX).
 */
int decoder_start(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                  struct decoder_change *changes);

/**
 * Feed one edge. A deadline strictly before @p time_ns that was not served is
 * served first, so that a late wake-up gives the same changes as a punctual one.
 */
int decoder_edge(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                 struct decoder_change *changes);

/**
 * After lost edges: take the level as it is now; what can't be known is not
 * invented. A button or switch changes (debounced) if the level is another
 * one; a counter counts the pulse that must have begun and reports no interval
 * with the next; a rotary keeps its position and takes the levels.
 */
int decoder_resync(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                   struct decoder_change *changes);

/** Serve the deadline that decoder_deadline() named. */
int decoder_tick(struct decoder *decoder, uint64_t now_ns, struct decoder_change *changes);

/**
 * A counter's count, a rotary's position; 0 for other kinds.
 */
int64_t decoder_get_value(const struct decoder *decoder);
/**
 * Go on from what an earlier decoder had counted: @p value is added to what this
 * one has counted, so that nothing is lost when it comes late. Other kinds: no
 * effect. No change is reported.
 */
void decoder_add_value(struct decoder *decoder, int64_t value);

/** Call decoder_tick() at this time; UINT64_MAX: never. */
uint64_t decoder_deadline(const struct decoder *decoder);

/** Edges swallowed by the debounce, and illegal quadrature transitions (an edge
 *  that can't follow what was seen before: one between was lost). */
struct decoder_stats {
	uint64_t bounces;
	uint64_t illegal;
};
void decoder_get_stats(const struct decoder *decoder, struct decoder_stats *ret_stats);

#endif
