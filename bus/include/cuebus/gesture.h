/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gesture.h
 * @brief Gestures, the "virtual peripherals": double and multi tap,
 *        simultaneous press, sequence, gated mirror, gated playlist.
 *
 * Windows are inclusive and measured on event times. A detector never sees its
 * own output. Each gesture keeps its state per producer, for at most
 * cue_limits.gesture_producers producers (the one not heard of longest is
 * forgotten, and counted).
 */
#ifndef CUEBUS_GESTURE_H
#define CUEBUS_GESTURE_H

#include <cuebus/event.h>
#include <cuebus/match.h>

struct cue_bus;
struct cue_gestures;
struct cue_playlists;

enum cue_gesture_type {
	CUE_GESTURE_DOUBLE_TAP,     /**< two taps of one producer; the second consumes both. */
	CUE_GESTURE_MULTI_TAP,      /**< the same with `count` taps, each within window of the one before. */
	CUE_GESTURE_SIMULTANEOUS,   /**< events of `required_sources` distinct producers within a sliding window; clears after firing. */
	CUE_GESTURE_SEQUENCE,       /**< steps in order, per producer, timeout between neighbours; keeps the longest suffix that is a prefix. */
	CUE_GESTURE_GATED_MIRROR,   /**< re-emits `mirror` events while the gate is open. */
	CUE_GESTURE_GATED_PLAYLIST, /**< starts `playlist` on a gate event whose predicate holds. */
};

/** All pointers are borrowed for the call that takes this; what is kept is copied. */
struct cue_gesture_config {
	const char *name;
	enum cue_gesture_type type;
	const char *emit;             /**< required for taps, simultaneous, sequence; for a mirror NULL keeps the mirrored type. */
	struct cue_payload *metadata; /**< NULL: none. */
	int priority;                 /**< as given; the config's default is CUE_PRIORITY_GESTURE. */
	uint64_t cooldown_ns;         /**< after firing (per producer where state is per producer), what would fire is counted and dropped. */

	struct cue_filter source;     /**< taps, simultaneous. */
	uint64_t window_ns;           /**< taps, simultaneous. */
	uint32_t count;               /**< multi tap: 2 to 16. */
	uint32_t required_sources;    /**< simultaneous: 2 to 64. */

	const struct cue_filter *steps; /**< sequence: 1 to 64. */
	size_t n_steps;
	uint64_t timeout_ns;          /**< sequence; 0: none. */

	const char *const *gate;      /**< gated: event types. */
	size_t n_gate;
	const char *const *mirror;    /**< mirror: event types. */
	size_t n_mirror;
	uint32_t output_producer_id;  /**< mirror. */
	const struct cJSON *when;     /**< gated: NULL: default gate predicate on the gate event's data. */
	bool initial;                 /**< mirror: open before the first gate event. */
	const char *playlist;         /**< gated playlist. */
	bool cancel_active_runs;      /**< gated playlist: stop its runs (detail "gate") before starting. */
};

/** @param playlists borrowed, must outlive the gestures; NULL: gated playlists are refused. */
int cue_gestures_new(struct cue_bus *bus, struct cue_playlists *playlists, struct cue_gestures **ret_gestures);
struct cue_gestures *cue_gestures_free(struct cue_gestures *gestures);

/**
 * Define, or redefine (its state starts anew, its id stays: derived from
 * gateway id and name).
 * @return 0; -EINVAL (ret_error); -ENOSPC; -ENOMEM. On failure an earlier one stays.
 */
int cue_gesture_define(struct cue_gestures *gestures, const struct cue_gesture_config *config,
                       struct cue_id *ret_id, struct cue_predicate_error *ret_error);
/** The same checks without a side effect. */
int cue_gesture_check(const struct cue_gesture_config *config, struct cue_predicate_error *ret_error);
/** @return 0; -ENOENT. */
int cue_gesture_remove(struct cue_gestures *gestures, const char *name);

/** "double_tap" …; NULL for an unknown value. */
const char *cue_gesture_type_name(enum cue_gesture_type type);
/** @return 0; -EINVAL. */
int cue_gesture_type_parse(const char *name, enum cue_gesture_type *ret_type);

struct cue_gesture_info {
	const char *name;
	struct cue_id id;
	enum cue_gesture_type type;
	uint64_t fired;
	uint64_t cooled_down;        /**< dropped by cooldown. */
	uint64_t producers_forgotten;
};

/** In order of name; non-zero from @p visit stops and is returned. */
int cue_gesture_foreach(struct cue_gestures *gestures,
                        int (*visit)(void *user, const struct cue_gesture_info *info), void *user);

struct cue_gestures_stats {
	uint64_t fired;
	uint64_t cooled_down;
	uint64_t producers_forgotten;
	uint32_t definitions;
};
void cue_gestures_get_stats(const struct cue_gestures *gestures, struct cue_gestures_stats *ret_stats);

#endif
