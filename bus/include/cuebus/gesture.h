/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gesture.h
 * @brief Gestures, the "virtual peripherals": double and multi tap,
 *        simultaneous press, sequence, gated mirror, gated playlist.
 *
 * Windows are inclusive and measured on event times (cue_event.time_ns), never
 * with timers: whether a window has passed is asked when the next event comes.
 *
 * Events reach a detector in the order of their times. A debounced edge carries
 * the time it began and is dispatched later than that, by a delay that the
 * owner tells with cue_gestures_add_delay(). Where the event types of a gesture
 * differ in delay, it holds each event until its time plus the longest of them;
 * where they do not, nothing waits. Held are at most CUE_GESTURE_HELD_MAX events
 * (CUE_GESTURE_HELD_BYTES_MAX of data) of one gesture, CUE_GESTURES_HELD_MAX
 * (CUE_GESTURES_HELD_BYTES_MAX) of all; beyond that a gesture takes its oldest
 * at once, and counts it. Gated playlists and mirrors with `when`, which judge
 * each event by itself and by the present state, never wait.
 *
 * A gesture's event has the time of the latest event in it and is caused by it,
 * whenever it is emitted.
 *
 * An event may come even later than its delay (its contact bounced for longer).
 * Taps and simultaneous presses put it where it belongs among those that they
 * keep; what was already dropped as too old does not come back for it. Sequences
 * and gates ignore one that is older than the last they saw.
 *
 * A detector never sees its own output. Taps and sequences keep their state
 * per producer, for at most cue_limits.gesture_producers producers (the one
 * not heard of longest is forgotten, and counted); a simultaneous gesture
 * keeps one event of fewer than `required_sources` producers.
 *
 * A gesture listens at its priority under its name; among equal priorities
 * the one defined earlier comes first (one that is redefined comes last).
 * Handlers run on the bus's thread, and every call here is made on it.
 */
#ifndef CUEBUS_GESTURE_H
#define CUEBUS_GESTURE_H

#include <cuebus/api.h>
#include <cuebus/event.h>
#include <cuebus/match.h>

struct cue_bus;
struct cue_gestures;
struct cue_playlists;

/** Event types a definition may list under `gate` and under `mirror`. */
#define CUE_GESTURE_TYPES_MAX   64U
#define CUE_GESTURE_STEPS_MAX   64U
#define CUE_GESTURE_COUNT_MAX   16U
#define CUE_GESTURE_SOURCES_MAX 64U
/** Bytes of a gesture's name. */
#define CUE_GESTURE_NAME_MAX 128U
/** Bytes of a gesture's payload. One that would be larger (gestures made of
 *  gestures multiply their data) is not emitted; the handler fails with -E2BIG,
 *  which the bus counts and reports. */
#define CUE_GESTURE_PAYLOAD_MAX ((size_t)8 * 1024 * 1024)
/** Events that one gesture, and all together, hold for earlier ones; and the
 *  bytes of their data (cue_payload_size(), counted for each event). */
#define CUE_GESTURE_HELD_MAX        1024U
#define CUE_GESTURE_HELD_BYTES_MAX  ((size_t)1024 * 1024)
#define CUE_GESTURES_HELD_MAX       16384U
#define CUE_GESTURES_HELD_BYTES_MAX ((size_t)8 * 1024 * 1024)

enum cue_gesture_type {
	/** Two taps of one producer; the second consumes both, a third begins
	 *  anew. Outside of the window the later tap (by its time) becomes the
	 *  first. A `source.match` that fails makes an event no tap at all. */
	CUE_GESTURE_DOUBLE_TAP,
	/** The same with `count` taps, each within the window of the one before. */
	CUE_GESTURE_MULTI_TAP,
	/** Events of `required_sources` distinct producers within a sliding
	 *  window: of each producer the latest event counts, those further than
	 *  the window from the newest are dropped. Clears after firing. */
	CUE_GESTURE_SIMULTANEOUS,
	/** Steps in the order of event times, per producer, the timeout running
	 *  between neighbours. Every event of a type that a step uses takes part:
	 *  one that does not fit is a mismatch, after which the longest suffix
	 *  that is still a prefix of the steps is kept. Other types are ignored. */
	CUE_GESTURE_SEQUENCE,
	CUE_GESTURE_GATED_MIRROR,   /**< re-emits `mirror` events while the gate is open. */
	CUE_GESTURE_GATED_PLAYLIST, /**< starts `playlist` on a gate event whose predicate holds. */
};

/** All pointers are borrowed for the call that takes this; what is kept is copied. */
struct cue_gesture_config {
	const char *name;
	enum cue_gesture_type type;
	/** required for taps, simultaneous, sequence; for a mirror NULL keeps the mirrored type. */
	const char *emit;
	struct cue_payload *metadata; /**< NULL: none. */
	int priority; /**< as given; the config's default is CUE_PRIORITY_GESTURE. */
	/** less than this after firing, what would fire is counted and dropped; per producer for
	 *  taps and sequences. 0: none. */
	uint64_t cooldown_ns;

	struct cue_filter source;  /**< taps, simultaneous. */
	uint64_t window_ns;        /**< taps, simultaneous: 1 to CUE_DURATION_MAX_NS. */
	uint32_t count;            /**< multi tap: 2 to 16. */
	uint32_t required_sources; /**< simultaneous: 2 to 64. */

	const struct cue_filter *steps; /**< sequence: 1 to 64. */
	size_t n_steps;
	uint64_t timeout_ns; /**< sequence; 0: none. */

	/** gated: event types, 1 to 64; a mirror with `when` may have none. */
	const char *const *gate;
	size_t n_gate;
	/** mirror: event types, 1 to 64. One that is a gate too changes the gate first. */
	const char *const *mirror;
	size_t n_mirror;
	uint32_t output_producer_id; /**< mirror. */
	/** Gated: on the state store, as it is at each mirrored event, or gate
	 *  event of a gated playlist. NULL: the default gate predicate on the
	 *  latest gate event's data. */
	const struct cJSON *when;
	bool initial;         /**< mirror with gates: open before the first gate event. */
	const char *playlist; /**< gated playlist. */
	/** gated playlist: stop its runs (detail "gate") before starting. */
	bool cancel_active_runs;
};

/**
 * @param bus       borrowed, must outlive the gestures.
 * @param playlists borrowed, must outlive the gestures; NULL: gated playlists
 *                  are refused.
 * @return 0; -ENOMEM.
 */
CUE_API int cue_gestures_new(struct cue_bus *bus, struct cue_playlists *playlists,
                             struct cue_gestures **ret_gestures);
/** Not from inside a handler. NULL is allowed. @return NULL. */
CUE_API struct cue_gestures *cue_gestures_free(struct cue_gestures *gestures);

/**
 * Define, or redefine (state and counters start anew, the id stays: derived
 * from gateway id and name). Safe inside a handler, where it takes effect with
 * the next event. Playlists that `playlist` names need not exist yet: a gate
 * event that finds none is a failure of the handler, -ENOENT.
 * @param ret_id    optional.
 * @param ret_error optional, filled on -EINVAL: path (JSON Pointer from the
 *                  definition, e.g. "/steps/0/match/bpm") and text.
 * @return 0; -EINVAL; -ENOSPC too many definitions or event types; -ENOMEM.
 *         On failure an earlier definition stays in force, its state too.
 */
CUE_API int cue_gesture_define(struct cue_gestures *gestures,
                               const struct cue_gesture_config *config, struct cue_id *ret_id,
                               struct cue_predicate_error *ret_error);
/** The same checks without a side effect. @return 0; -EINVAL; -ENOMEM. */
CUE_API int cue_gesture_check(const struct cue_gesture_config *config,
                              struct cue_predicate_error *ret_error);
/** Safe inside a handler: the gesture does nothing more, not even for the
 *  event being dispatched. @return 0; -ENOENT. */
CUE_API int cue_gesture_remove(struct cue_gestures *gestures, const char *name);

/* ---- delays of event types ---- */

/** Forget what cue_gestures_add_delay() said: events of every type come at once. */
CUE_API void cue_gestures_clear_delays(struct cue_gestures *gestures);
/**
 * Events of @p type may be dispatched @p delay_ns after their own time: the
 * debounce of an input that emits it. Called once for each source of the type,
 * with 0 for one that emits at once. Types that only gestures emit follow from
 * these; types of which nothing is said are not late. Takes effect with the
 * next event, for gestures that are defined later, too.
 */
CUE_API void cue_gestures_add_delay(struct cue_gestures *gestures, const char *type,
                                    uint64_t delay_ns);

/** "double_tap" …; NULL for an unknown value. */
CUE_API const char *cue_gesture_type_name(enum cue_gesture_type type);
/** @return 0; -EINVAL. */
CUE_API int cue_gesture_type_parse(const char *name, enum cue_gesture_type *ret_type);

/** Valid during the visit. Counters are since the definition. */
struct cue_gesture_info {
	const char *name;
	struct cue_id id;
	enum cue_gesture_type type;
	uint64_t fired;
	uint64_t cooled_down; /**< dropped by cooldown. */
	uint64_t producers_forgotten;
	/** how long after its time an event is taken, 0 at once; as of the last
	 *  event or cue_gesture_foreach(). */
	uint64_t wait_ns;
};

/** In order of name (bytes). Non-zero from @p visit stops and is returned.
 *  Must not define or remove. */
CUE_API int cue_gesture_foreach(struct cue_gestures *gestures,
                                int (*visit)(void *user, const struct cue_gesture_info *info),
                                void *user);

/** One of them. @p ret_info points into the definition: valid until the next define or remove.
 *  @return 0; -ENOENT. */
CUE_API int cue_gesture_get(const struct cue_gestures *gestures, const char *name,
                            struct cue_gesture_info *ret_info);

/** Over all definitions, those removed included. */
struct cue_gestures_stats {
	uint64_t fired;
	uint64_t cooled_down;
	uint64_t producers_forgotten;
	/** producers forgotten, or gestures begun anew, because
	 *  cue_limits.gesture_bytes was reached. */
	uint64_t kept_forgotten;
	uint64_t kept_bytes; /**< now: what gestures keep until they fire. */
	/** events that a full hold let through before their wait was over. */
	uint64_t taken_early;
	uint64_t held_events; /**< now: events that wait for earlier ones */
	uint64_t held_bytes;  /**< now: of their data */
	uint32_t definitions; /**< now */
};
/** Copy the counters as they are now. Allowed inside handlers. */
CUE_API void cue_gestures_get_stats(const struct cue_gestures *gestures,
                                    struct cue_gestures_stats *ret_stats);

#endif
