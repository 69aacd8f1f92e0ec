/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file decoder.h
 * @brief From raw edges to events: pure state machines.
 *
 * A decoder takes edges and times, and returns decoded changes and the deadline of the next call.
 * It has no clock, no timer and no line. A debounced change has the time of the first edge of its
 * transition, not of the end of the debounce; debounce.h has the modes.
 */
#ifndef CUEBUS_DECODER_H
#define CUEBUS_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decoder_kind { DECODER_BUTTON, DECODER_SWITCH, DECODER_ROTARY, DECODER_COUNTER };

/** Largest absolute value of a range's numbers. */
#define DECODER_POSITION_MAX     1000000000LL
#define DECODER_FACTOR_MAX       1000U
#define DECODER_ACCELERATION_MAX 8U

/** The bounds of a rotary's position. */
struct decoder_range {
	bool present; /**< false: no bounds; the position starts at 0 and moves by 1 */
	/** past an end the position continues at the other; otherwise it stays at the end */
	bool wrap;
	int64_t min, max; /**< min < max */
	int64_t step;     /**< movement of one detent, 1 to max - min */
	int64_t initial;  /**< min to max */
};

/** A rotary that is turned quickly moves further. */
struct decoder_acceleration {
	uint64_t within_ns; /**< time since the previous detent, inclusive */
	uint32_t factor;    /**< 1 to DECODER_FACTOR_MAX */
};

struct decoder_config {
	enum decoder_kind kind;
	uint64_t debounce_ns; /**< 0: every edge counts. */
	/** the first edge counts at once; not for a rotary */
	bool debounce_eager;
	/** rotary: quadrature steps per position, 1, 2 or 4 (default 4). */
	unsigned steps_per_detent;
	struct decoder_range range; /**< rotary */
	/** rotary: of several that apply the one with the shortest time; copied, may be NULL */
	struct decoder_acceleration *acceleration;
	size_t n_acceleration; /**< at most DECODER_ACCELERATION_MAX */
};

enum decoder_change_type {
	DECODER_PRESSED,  /**< button */
	DECODER_RELEASED, /**< button; held_ns */
	DECODER_STATE,    /**< switch; state, initial */
	DECODER_ROTATED,  /**< rotary; position, delta, change, limited */
	DECODER_COUNTED,  /**< counter; count, interval_ns */
	/** rotary: decoder_set_position(); position, change, limited */
	DECODER_POSITIONED,
};

struct decoder_change {
	enum decoder_change_type type;
	uint64_t time_ns;
	bool state;
	bool initial;
	int64_t position;
	int delta;      /**< the direction of the detent */
	int64_t change; /**< of the position, since the last one */
	bool limited;   /**< the position is at an end of a range that does not wrap */
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
 * late call loses nothing. The position of a rotary with a range is clamped, and one that
 * decoder_set_position() has set is kept. No effect for other kinds. No change is reported.
 */
void decoder_add_value(struct decoder *decoder, int64_t value);

/** The position of a rotary with a range, as a change that happened at @p time_ns by nothing.
 * @return 0; -ENOTSUP another kind, or no range. */
int decoder_get_position(const struct decoder *decoder, uint64_t time_ns,
                         struct decoder_change *ret_change);
/**
 * Put the position of a rotary with a range to @p value.
 * @return 1: @p change is set, of type DECODER_POSITIONED; 0: it was there already; -ENOTSUP
 *         another kind, or no range; -ERANGE outside of the range.
 */
int decoder_set_position(struct decoder *decoder, int64_t value, uint64_t time_ns,
                         struct decoder_change *change);

/** Time of the next decoder_tick(); UINT64_MAX: never. */
uint64_t decoder_deadline(const struct decoder *decoder);

struct decoder_stats {
	uint64_t bounces; /**< edges suppressed by the debounce */
	/** illegal quadrature transitions: an edge between two others was lost */
	uint64_t illegal;
	uint64_t limited; /**< detents of a rotary that could not move its position */
};
void decoder_get_stats(const struct decoder *decoder, struct decoder_stats *ret_stats);

#endif
