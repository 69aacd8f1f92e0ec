/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gesture.h
 * @brief Gestures, the "virtual peripherals": double and multi tap, simultaneous press, sequence,
 *        gated mirror, gated playlist, click, cycle.
 *
 * Windows are inclusive and use event times (cue_event.time_ns), never timers: the next event
 * decides whether a window has passed. Only a click has timers, because it also fires when nothing
 * happens; it too decides by the times of the events, however late a timer or an event is handled.
 *
 * Events reach a detector in the order of their times. A debounced edge has the time of its
 * beginning, but is dispatched later, by a delay that the owner sets with cue_gestures_add_delay().
 * If the event types of a gesture differ in delay, the gesture holds each event until its time plus
 * the longest delay; if they do not, nothing waits. One gesture holds at most CUE_GESTURE_HELD_MAX
 * events (CUE_GESTURE_HELD_BYTES_MAX of data), all gestures CUE_GESTURES_HELD_MAX
 * (CUE_GESTURES_HELD_BYTES_MAX). Beyond that a gesture handles its oldest event at once, and counts
 * it. Gated playlists and mirrors with `when` never wait, because they test each event by itself
 * and the current state.
 *
 * The latest event in a gesture is the cause of the gesture's event and gives it its time, whenever
 * it is emitted.
 *
 * An event may come even later than its delay (its contact bounced for longer). Taps and
 * simultaneous presses sort it into the events that they keep; events that were dropped as too old
 * are not restored for it. Sequences and gates ignore an event that is older than the last one they
 * saw.
 *
 * A detector never sees its own output. Taps, sequences and clicks keep their state per producer,
 * for at most cue_limits.gesture_producers producers (the least recently seen one is evicted, and
 * counted). A simultaneous gesture keeps one event each of fewer than `required_sources` producers.
 *
 * A gesture subscribes at its priority under its name. Among equal priorities the one defined
 * earlier comes first (one that is redefined comes last). Threads: handlers run on the bus's
 * thread; call every function here on it.
 */
#ifndef CUEBUS_GESTURE_H
#define CUEBUS_GESTURE_H

#include <cuebus/api.h>
#include <cuebus/event.h>
#include <cuebus/match.h>

struct cue_bus;
struct cue_gestures;
struct cue_playlists;

/** Event types that a definition may list under `gate` and under `mirror`. */
#define CUE_GESTURE_TYPES_MAX   64U
#define CUE_GESTURE_STEPS_MAX   64U
#define CUE_GESTURE_COUNT_MAX   16U
#define CUE_GESTURE_SOURCES_MAX 64U
/** Values of a cycle, and events under its `set`. */
#define CUE_GESTURE_VALUES_MAX 64U
/** Shortest `repeat` of a click. */
#define CUE_GESTURE_REPEAT_MIN_NS (10 * CUE_NS_PER_MS)
/** Repeats of one hold: a press whose release was lost outside must not repeat without end. */
#define CUE_GESTURE_REPEATS_MAX 10000U
/** Bytes of a gesture's name. */
#define CUE_GESTURE_NAME_MAX 128U
/** Bytes of a gesture's payload. A larger one (gestures of gestures multiply their data) is not
 * emitted; the handler fails with -E2BIG, which the bus counts and reports. */
#define CUE_GESTURE_PAYLOAD_MAX ((size_t)8 * 1024 * 1024)
/** Events that one gesture, and all together, hold to wait for earlier ones, and the bytes of their
 * data (cue_payload_size(), counted for each event). */
#define CUE_GESTURE_HELD_MAX        1024U
#define CUE_GESTURE_HELD_BYTES_MAX  ((size_t)1024 * 1024)
#define CUE_GESTURES_HELD_MAX       16384U
#define CUE_GESTURES_HELD_BYTES_MAX ((size_t)8 * 1024 * 1024)

enum cue_gesture_type {
	/** Two taps of one producer. The second consumes both; a third starts again. Outside of the
	 * window the later tap (by its time) becomes the first. An event for which `source.match`
	 * fails is not a tap. */
	CUE_GESTURE_DOUBLE_TAP,
	/** The same with `count` taps, each within the window of the one before. */
	CUE_GESTURE_MULTI_TAP,
	/** Events of `required_sources` distinct producers within a sliding window. The latest
	 * event of each producer counts; events farther than the window from the newest are
	 * dropped. Starts again after firing. */
	CUE_GESTURE_SIMULTANEOUS,
	/** Steps in the order of event times, per producer, with the timeout between consecutive
	 * steps. Every event of a type that a step uses counts: one that does not match is a
	 * mismatch, after which the longest suffix that is still a prefix of the steps is kept.
	 * Other types are ignored. */
	CUE_GESTURE_SEQUENCE,
	CUE_GESTURE_GATED_MIRROR,   /**< emits `mirror` events again while the gate is open. */
	CUE_GESTURE_GATED_PLAYLIST, /**< starts `playlist` on a gate event whose predicate holds. */
	/** Per producer, exactly one of single to quintuple or hold for a sequence of presses, at
	 * the earliest moment at which it is certain; see gesture_click.c. */
	CUE_GESTURE_CLICK,
	/** Emits the next of `values` at each `source` event; one place for all producers. */
	CUE_GESTURE_CYCLE,
};

/** What a click may emit. The first five are numbers of presses: the value plus 1. */
enum cue_click {
	CUE_CLICK_SINGLE,
	CUE_CLICK_DOUBLE,
	CUE_CLICK_TRIPLE,
	CUE_CLICK_QUADRUPLE,
	CUE_CLICK_QUINTUPLE,
	CUE_CLICK_HOLD,
	CUE_CLICK_REPEAT,
	CUE_CLICK_RELEASE,
};
#define CUE_CLICKS 8U
/** Presses of the longest click. */
#define CUE_CLICK_PRESSES_MAX 5U

/** An event that takes a cycle to a value, which is emitted. */
struct cue_cycle_set {
	const char *type; /**< event type */
	uint32_t place;   /**< index into `values` */
};

/** All pointers are borrowed for the call; everything that is kept is copied. */
struct cue_gesture_config {
	const char *name;
	enum cue_gesture_type type;
	/** required for taps, simultaneous, sequence, cycle; NULL for a click; for a mirror NULL
	 * keeps the mirrored type. */
	const char *emit;
	struct cue_payload *metadata; /**< NULL: none. */
	int priority; /**< used as given; the configuration's default is CUE_PRIORITY_GESTURE. */
	/** drop and count firings less than this after the last one; per producer for taps,
	 * sequences and clicks. A click's repeats and release, and a cycle's `set`, are never
	 * dropped. 0: none.
	 */
	uint64_t cooldown_ns;
	/** emit `gesture.near_miss` where a tap, simultaneous press or sequence nearly fires. */
	bool near_miss;

	struct cue_filter source; /**< taps, simultaneous, click (its presses), cycle. */
	/** taps, simultaneous: 1 to CUE_DURATION_MAX_NS; a click: longest time from a release
	 * (without `release`, from a press) to the next press. */
	uint64_t window_ns;
	uint32_t count;            /**< multi tap: 2 to 16. */
	uint32_t required_sources; /**< simultaneous: 2 to 64. */

	const struct cue_filter *steps; /**< sequence: 1 to 64. */
	size_t n_steps;
	uint64_t timeout_ns; /**< sequence; 0: none. */

	/** gated: event types, 1 to 64; a mirror with `when` may have none. */
	const char *const *gate;
	size_t n_gate;
	/** mirror: event types, 1 to 64. A type that is also in `gate` changes the gate first. */
	const char *const *mirror;
	size_t n_mirror;
	uint32_t output_producer_id; /**< mirror. */
	/** Gated: condition on the state store at each mirrored event, or at each gate event of a
	 * gated playlist. NULL: the default gate predicate on the latest gate event's data. Click:
	 * condition at the moment at which a click, hold or repeat is due. NULL: none. */
	const struct cJSON *when;
	bool initial;         /**< mirror with gates: open before the first gate event. */
	const char *playlist; /**< gated playlist. */
	/** gated playlist: stop its runs (detail "gate") before starting. */
	bool cancel_active_runs;

	/** click: the ends of presses. `type` NULL: a press is a whole click, and there is no hold.
	 * */
	struct cue_filter release;
	/** click: how long a press must last to be a hold; needs `release`. 0: none. */
	uint64_t hold_ns;
	/** click: time from a hold to the first repeat and between repeats; needs `hold_ns`. 0:
	 * none; else CUE_GESTURE_REPEAT_MIN_NS to CUE_DURATION_MAX_NS. */
	uint64_t repeat_ns;
	/** click: event types by enum cue_click, at least one; NULL: that is not emitted. */
	const char *clicks[CUE_CLICKS];

	struct cue_payload *const *values; /**< cycle: 1 to CUE_GESTURE_VALUES_MAX. */
	size_t n_values;
	const struct cue_cycle_set *sets; /**< cycle: at most CUE_GESTURE_VALUES_MAX. */
	size_t n_sets;
	/** cycle: the next source event emits the first value. `type` NULL: none. */
	struct cue_filter reset;
	/** cycle: follow events of type `emit` that others emit with one of the values. */
	bool follow;
	bool restore; /**< cycle: reported by cue_gesture_info, see cue_gesture_restore(). */
	/** cycle: as `reset`, when a source event comes later than this after the last event that
	 * moved the cycle. 0: none. */
	uint64_t idle_reset_ns;
};

/**
 * Create an empty set of gestures.
 * @param bus       borrowed; must outlive the gestures.
 * @param playlists borrowed; must outlive the gestures. NULL: gated playlists are refused.
 * @return 0; -ENOMEM. Free it with cue_gestures_free().
 */
CUE_API int cue_gestures_new(struct cue_bus *bus, struct cue_playlists *playlists,
                             struct cue_gestures **ret_gestures);
/** Free all gestures. Not allowed inside a handler. NULL is allowed. @return NULL. */
CUE_API struct cue_gestures *cue_gestures_free(struct cue_gestures *gestures);

/**
 * Define or redefine a gesture. Redefinition resets state and counters; a click that is held emits
 * its release, marked as lost. The id is derived from gateway id and name and does not change. Safe
 * inside a handler; it then takes effect with the next event. The playlist named by `playlist` need
 * not exist yet: on a gate event without it the handler fails with -ENOENT.
 * @param ret_id    optional.
 * @param ret_error optional, filled on -EINVAL: path (JSON Pointer from the definition, e.g.
 *                  "/steps/0/match/bpm") and text.
 * @return 0; -EINVAL; -ENOSPC too many definitions or event types; -ENOMEM. On failure an earlier
 *         definition stays in force and keeps its state.
 */
CUE_API int cue_gesture_define(struct cue_gestures *gestures,
                               const struct cue_gesture_config *config, struct cue_id *ret_id,
                               struct cue_predicate_error *ret_error);
/** Check a definition as cue_gesture_define() does, without side effect. @return 0; -EINVAL;
 * -ENOMEM. */
CUE_API int cue_gesture_check(const struct cue_gesture_config *config,
                              struct cue_predicate_error *ret_error);
/** Remove a gesture. Safe inside a handler: the gesture does not act any more, not even on the
 * event being dispatched. A click that is held emits its release, marked as lost. @return 0;
 * -ENOENT. */
CUE_API int cue_gesture_remove(struct cue_gestures *gestures, const char *name);

/* ---- delays of event types ---- */

/** Undo all calls of cue_gestures_add_delay(): events of every type come without delay. */
CUE_API void cue_gestures_clear_delays(struct cue_gestures *gestures);
/**
 * Declare that events of @p type may be dispatched @p delay_ns after their own time: the debounce
 * of an input that emits the type. Call it once for each source of the type, with 0 for a source
 * without delay. The delays of types that only gestures emit are derived from these. Undeclared
 * types have no delay. Takes effect with the next event, also for gestures that are defined later.
 */
CUE_API void cue_gestures_add_delay(struct cue_gestures *gestures, const char *type,
                                    uint64_t delay_ns);

/** "double_tap" …; NULL for an unknown value. */
CUE_API const char *cue_gesture_type_name(enum cue_gesture_type type);
/** "single" … "release"; NULL for an unknown value. */
CUE_API const char *cue_click_name(enum cue_click click);
/** @return 0; -EINVAL. */
CUE_API int cue_gesture_type_parse(const char *name, enum cue_gesture_type *ret_type);

/** Valid during the visit. Counters start at the definition. */
struct cue_gesture_info {
	const char *name;
	struct cue_id id;
	enum cue_gesture_type type;
	uint64_t fired;
	uint64_t cooled_down; /**< dropped by cooldown. */
	uint64_t producers_forgotten;
	/** delay after which an event is handled, 0 for none; as of the last event or
	 * cue_gesture_foreach(). */
	uint64_t wait_ns;
	const char *emit; /**< NULL: a click, a mirror that keeps the type, or a gated playlist. */
	bool restore;     /**< cycle */
	/** cycle: index of the value that was emitted or followed last; -1: none. */
	int32_t place;
	struct cue_id values_id; /**< cycle: derived from its values. */
};

/** Visit the gestures in order of name (bytes). A non-zero result of @p visit stops and is
 * returned. @p visit must not define or remove. */
CUE_API int cue_gesture_foreach(struct cue_gestures *gestures,
                                int (*visit)(void *user, const struct cue_gesture_info *info),
                                void *user);

/** Read one gesture. @p ret_info points into the definition: valid until the next define or remove.
 * @return 0; -ENOENT. */
CUE_API int cue_gesture_get(const struct cue_gestures *gestures, const char *name,
                            struct cue_gesture_info *ret_info);

/**
 * Take a cycle with `restore` to the place that it had before a restart, without an event. No
 * effect on a cycle that has moved since it was defined.
 * @param values_id cue_gesture_info.values_id of then.
 * @return 0; -ENOENT no such cycle with `restore`; -ESTALE it has other values now.
 */
CUE_API int cue_gesture_restore(struct cue_gestures *gestures, const char *name, int32_t place,
                                const struct cue_id *values_id);

/** Sums over all definitions, including removed ones. */
struct cue_gestures_stats {
	uint64_t fired;
	uint64_t cooled_down;
	uint64_t producers_forgotten;
	uint64_t near_misses; /**< of gestures that tell them, told or not. */
	/** producers evicted, or gestures started again, because cue_limits.gesture_bytes was
	 * reached. */
	uint64_t kept_forgotten;
	uint64_t kept_bytes; /**< now: bytes that gestures keep until they fire. */
	/** events handled before their wait was over, because too many were held. */
	uint64_t taken_early;
	uint64_t held_events; /**< now: events that wait for earlier ones */
	uint64_t held_bytes;  /**< now: of their data */
	/** changes of the place of a cycle with `restore`, also by its end */
	uint64_t cycles_moved;
	uint32_t definitions; /**< now */
};
/** Copy the current counters. Allowed inside handlers. */
CUE_API void cue_gestures_get_stats(const struct cue_gestures *gestures,
                                    struct cue_gestures_stats *ret_stats);

#endif
