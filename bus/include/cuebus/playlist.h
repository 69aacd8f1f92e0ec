/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file playlist.h
 * @brief Playlists: declarative timed sequences of events.
 *
 * Deadlines are absolute, start + offset + k * interval, so steps interleave by deadline and
 * nothing drifts. Equal deadlines are ordered by step, then by repeat; between runs, by the order
 * of the start requests. A run is a struct and one timer on the bus's queue. A run finishes on the
 * definition with which it started, whose interrupts stay in force for it.
 *
 * Each occurrence emits the step's event and directly after it `event.playlist.emitted`. Directly
 * after the last one follow `stopped` and the completion event. So a run is complete when its last
 * occurrence is emitted: an interrupt caused by this event comes too late. Occurrences with the
 * same deadline are dispatched one by one, so an interrupt caused by the first prevents the second.
 *
 * A waiting run (CUE_MODE_QUEUED) emits `created` when it starts. If it is stopped earlier, also by
 * an interrupt, it emits only a `stopped` with `emitted_count` 0. A start refused by mode or limit
 * emits `rejected` with a `playlist_id` that no other event has.
 *
 * Every function here may be called outside of a handler or inside any: nothing is dispatched
 * before the call returns. If a definition is made, or gets a new trigger, while an event is
 * dispatched, that event does not trigger it; the next one does. Thread: the bus's.
 */
#ifndef CUEBUS_PLAYLIST_H
#define CUEBUS_PLAYLIST_H

#include <cuebus/api.h>
#include <cuebus/event.h>
#include <cuebus/match.h>

struct cue_bus;
struct cue_playlists;

enum cue_playlist_mode {
	/** any number of runs, up to max_runs; beyond that the start is rejected. */
	CUE_MODE_PARALLEL,
	CUE_MODE_SINGLE,  /**< refuse a start while running. */
	CUE_MODE_RESTART, /**< cancel the active run, then start. */
	CUE_MODE_QUEUED,  /**< one at a time, in order; up to max_runs active and waiting. */
};

enum cue_late {
	CUE_LATE_BURST, /**< emit all overdue occurrences at once. */
	CUE_LATE_SKIP,  /**< drop all but the newest overdue occurrence of a step; counted. */
};

/** What cue_playlist_restore() does with a run of the previous boot. */
enum cue_on_restart {
	CUE_ON_RESTART_ABORT, /**< `stopped`, reason `cancelled`, detail `restart`. */
	/** continue on the original time line; occurrences that fell into the downtime are overdue
	 * and handled by `late`. */
	CUE_ON_RESTART_RESUME,
	/** continue on the original time line; occurrences that fell into the downtime are dropped
	 * and counted. */
	CUE_ON_RESTART_SKIP,
};

enum cue_cause { CUE_CAUSE_TRIGGER, CUE_CAUSE_COMMAND, CUE_CAUSE_GESTURE, CUE_CAUSE_RESTORE };

enum cue_stop_reason { CUE_STOP_COMPLETED, CUE_STOP_INTERRUPTED, CUE_STOP_CANCELLED };

/** Durations and offsets are bounded so that no sum overflows: 10 years. */
#define CUE_DURATION_MAX_NS  (3650ULL * 86400ULL * CUE_NS_PER_S)
#define CUE_MAX_RUNS_DEFAULT 16U
/** `event.playlist.overdue` is emitted if a run has not stopped this long after its expected
 * end. */
#define CUE_OVERDUE_AFTER_NS (5U * CUE_NS_PER_S)

struct cue_step {
	const char *emit;
	struct cue_payload *data; /**< NULL is `null`. */
	uint64_t offset_ns;
	uint64_t interval_ns; /**< > 0 when repeat > 1. */
	uint32_t repeat;      /**< 0 means 1. */
	uint32_t producer_id;
};

/** Tempos are in millionths: 1,500,000 plays half as fast again as the definition is written. */
#define CUE_TEMPO_AS_WRITTEN 1000000U
#define CUE_TEMPO_MIN        10000U
#define CUE_TEMPO_MAX        100000000U

enum cue_steer_action {
	CUE_STEER_PAUSE,  /**< the position stands still; interrupts still act. */
	CUE_STEER_RESUME, /**< go on from there: all to come is later by the time of the pause. */
	CUE_STEER_TOGGLE, /**< pause, or resume. */
	/** go to offset_ns. What lies between is skipped and counted, never emitted; what lies
	 * behind it, on a way back, comes again. A paused run stays paused. */
	CUE_STEER_SEEK,
	CUE_STEER_TEMPO, /**< from here on the time line passes at `tempo`. */
};

struct cue_steer {
	enum cue_steer_action action;
	uint64_t offset_ns; /**< seek: up to the expected duration. */
	uint32_t tempo;     /**< tempo: CUE_TEMPO_MIN to CUE_TEMPO_MAX, in millionths. */
};

#define CUE_STEERINGS_MAX 64U

/** An event that steers the running runs of a playlist. */
struct cue_steering {
	const char *event;      /**< type */
	struct cue_steer steer; /**< what it does, with its value … */
	/** … or, for a seek and a tempo, a JSON Pointer to the value in the event's data: a number,
	 * seconds or a factor. Where there is none in range the event is ignored. NULL: fixed. */
	const char *pointer;
};

/** All pointers are borrowed for the call; everything that is kept is copied. */
struct cue_playlist_config {
	const char *name;
	const struct cue_filter *triggers;
	size_t n_triggers;
	const struct cue_filter *interrupts;
	size_t n_interrupts;
	const char *completion;       /**< NULL: none. */
	struct cue_payload *metadata; /**< NULL: none. */
	enum cue_playlist_mode mode;
	uint32_t max_runs; /**< 0: CUE_MAX_RUNS_DEFAULT. */
	enum cue_late late;
	enum cue_on_restart on_restart;
	/** ignore and count an interrupt that comes less than this, by event time, after the last
	 * one of its type and producer that stopped runs of this playlist. A filter may have its
	 * own value. */
	uint64_t interrupt_debounce_ns;
	const struct cue_steering *steerings; /**< at most CUE_STEERINGS_MAX. */
	size_t n_steerings;
	const struct cue_step *steps;
	size_t n_steps;
};

/** Create an empty set of playlists. Thread: the bus's. @return 0; -ENOMEM. */
CUE_API int cue_playlists_new(struct cue_bus *bus, struct cue_playlists **ret_playlists);
/** End every run without an event and without on_stopped (stop the runs first to have them
 * reported), and free everything. Not allowed inside a handler. NULL is allowed. @return NULL. */
CUE_API struct cue_playlists *cue_playlists_free(struct cue_playlists *playlists);

/**
 * Define or redefine a playlist. The definition_id is derived from gateway id and name, so it
 * survives redefinition and restarts.
 * @param ret_definition_id optional.
 * @param ret_error optional, filled on -EINVAL: path (JSON Pointer from the definition, e.g.
 *                  "/steps/0/interval") and text. Limits: a name of 1 to 256 bytes without `+`,
 *                  `#`, `/` and control characters, 10,000 steps, 1,000 triggers and as many
 *                  interrupts, `repeat` up to 1,000,000,000, the last repeat within
 *                  CUE_DURATION_MAX_NS of the start.
 * @return 0; -EINVAL; -ENOSPC too many definitions (gestures included) or event types; -ENOMEM. On
 *         failure an earlier definition stays in force.
 */
CUE_API int cue_playlist_define(struct cue_playlists *playlists,
                                const struct cue_playlist_config *config,
                                struct cue_id *ret_definition_id,
                                struct cue_predicate_error *ret_error);

/** Limits of the rate of one run. A member of 0 means its default, in brackets. */
struct cue_playlist_limits {
	uint32_t events_per_second;    /**< in any one second [10,000] */
	uint64_t shortest_interval_ns; /**< of a step that repeats [100 us] */
};

/** Set the limits for future definitions; existing ones do not change. @param limits copied. */
CUE_API void cue_playlists_set_limits(struct cue_playlists *playlists,
                                      const struct cue_playlist_limits *limits);

/**
 * Check that the steps are within @p limits, as cue_playlist_define() does.
 * @param config a definition that cue_playlist_check() accepts.
 * @return 0; -EINVAL; -ENOMEM.
 */
CUE_API int cue_playlist_check_rate(const struct cue_playlist_config *config,
                                    const struct cue_playlist_limits *limits,
                                    struct cue_predicate_error *ret_error);

/** Check a definition as cue_playlist_define() does, except for the rate, without side effect. */
CUE_API int cue_playlist_check(const struct cue_playlist_config *config,
                               struct cue_predicate_error *ret_error);

/** Remove a playlist and cancel its active runs with @p detail ("removed" if NULL).
 * @return 0; -ENOENT. */
CUE_API int cue_playlist_remove(struct cue_playlists *playlists, const char *name,
                                const char *detail);

/** A finished run, as passed to cue_playlist_start.on_stopped. */
struct cue_run_result {
	struct cue_id run;
	enum cue_stop_reason reason;
	const char *detail; /**< NULL or static/borrowed text. */
	uint64_t emitted_count;
	uint64_t skipped_count; /**< occurrences dropped by CUE_LATE_SKIP or refused by the bus. */
};

struct cue_playlist_start {
	const char *name;
	enum cue_cause cause;
	const char *request_id;   /**< JSON text of the id as given, or NULL. */
	const char *trigger_type; /**< trigger_event of the lifecycle payloads; NULL: none. */
	uint32_t trigger_producer_id;
	struct cue_payload *trigger_data; /**< NULL is `null`. */
	/** Join: called exactly once, after the run's `stopped` event was appended, also if the run
	 * is cancelled; not if the start failed. May start, stop, define and remove. Check
	 * `reason` before starting the playlist again: restarting a run that CUE_MODE_RESTART
	 * cancelled would never end. */
	void (*on_stopped)(void *user, const struct cue_run_result *result);
	void *user;
};

/**
 * Start a run now. `event.playlist.created` is appended; steps at offset 0 are due at the next
 * advance. May be called inside a handler. A start that mode or limit refuses emits
 * `event.playlist.rejected`.
 * @param ret_run optional; the run's id, also if the run is queued.
 * @return 0; -ENOENT no such playlist; -EBUSY refused by mode or max_runs; -ENOSPC active_runs
 *         limit; -EINVAL trigger_type is malformed; -ELOOP too deep in a cascade and -ENOBUFS the
 *         bus's queue is full (the bus reports both); -EIO the random source returned a used id;
 *         -ENOMEM. On failure nothing was started.
 */
CUE_API int cue_playlist_start(struct cue_playlists *playlists,
                               const struct cue_playlist_start *start, struct cue_id *ret_run);

/**
 * Cancel one run (reason `cancelled`). @param detail copied, e.g. "command".
 * @return 0; -ENOENT no such active run.
 */
CUE_API int cue_run_stop(struct cue_playlists *playlists, const struct cue_id *run,
                         const char *detail);

/**
 * Cancel all runs of a playlist, or all runs if @p name is NULL, oldest first.
 * @param stopped optional; called with each id.
 * @return number of runs stopped; -ENOENT no such playlist.
 */
CUE_API int cue_playlist_stop(struct cue_playlists *playlists, const char *name, const char *detail,
                              void (*stopped)(void *user, const struct cue_id *run), void *user);

/**
 * Steer one running run. Deadlines do not drift, whatever the number of calls: positions are exact
 * to a millionth of a nanosecond. Each change emits `event.playlist.paused`, `.resumed`, `.seeked`
 * or `.tempo_changed`.
 * @return 1; 0 it is as asked already, nothing was emitted; -ENOENT no such active run; -EAGAIN the
 *         run waits and has no position yet; -ERANGE the offset is beyond the last step, or the
 *         tempo is out of range; -EDOM at that tempo the run could emit more than cue_playlist_
 *         limits allow; -ELOOP too deep in a cascade; -ENOBUFS the bus's queue is full; -ENOMEM. On
 *         failure nothing has changed.
 */
CUE_API int cue_run_steer(struct cue_playlists *playlists, const struct cue_id *run,
                          const struct cue_steer *steer);

/**
 * Steer all running runs of a playlist, or all runs if @p name is NULL, oldest first. Waiting runs
 * are left out.
 * @param steered optional; called with each run that has changed.
 * @return number of runs changed; -ENOENT no such playlist; -ERANGE, -EDOM as cue_run_steer() if
 *         that holds for any of the runs, and none has changed; -ELOOP, -ENOBUFS, -ENOMEM: runs
 *         before have changed.
 */
CUE_API int cue_playlist_steer(struct cue_playlists *playlists, const char *name,
                               const struct cue_steer *steer,
                               void (*steered)(void *user, const struct cue_id *run), void *user);

/** Why a lifecycle event does not quote the data of the event that it names. */
enum cue_omitted {
	CUE_OMITTED_NOT,
	CUE_OMITTED_SIZE,  /**< larger than cue_limits.quote_bytes. */
	CUE_OMITTED_DEPTH, /**< nested deeper than cue_limits.json_depth. */
	CUE_OMITTED_LIMIT, /**< no memory, or no room in cue_limits.trigger_bytes. */
};
/** The value of `data_omitted`: "size", "depth" or "limit"; NULL for CUE_OMITTED_NOT. */
CUE_API const char *cue_omitted_name(enum cue_omitted omitted);

struct cue_playlist_version;

/** Where a steered run stands on its time line. */
struct cue_run_line {
	bool steered; /**< false: its position is the time since its start; the rest is unused. */
	bool paused;
	uint32_t tempo;         /**< in millionths. */
	uint64_t since_ns;      /**< when it was steered last. */
	uint64_t offset_ns;     /**< its position then … */
	uint32_t fraction;      /**< … and so many millionths of a nanosecond. */
	uint64_t pending_ns;    /**< then all before this position was over. */
	uint64_t emitted_count; /**< then. */
	uint64_t skipped_count; /**< then. */
};

/** A run from before a restart, as kept in a journal. Borrowed for the call. */
struct cue_playlist_restore {
	struct cue_id run;
	/** The version on which the run started and will end; its `on_restart` applies. */
	const struct cue_playlist_config *definition;
	/** A version from cue_playlists_know(), used instead of `definition`; NULL: none. */
	struct cue_playlist_version *version;
	/** the run was waiting and waits again; the times below are not used. */
	bool queued;
	uint64_t elapsed_ns; /**< time since its start. */
	/** Occurrences due up to this long after the start were emitted or dropped before, and are
	 * not emitted again; CUE_TIME_NONE: none was. */
	uint64_t passed_ns;
	/** If the run was steered: since_ns is the time since then, and passed_ns is counted from
	 * then; CUE_TIME_NONE: nothing that was due later is known to have passed. */
	struct cue_run_line line;
	uint64_t skipped_count; /**< occurrences dropped so far. */
	const char *trigger_type;
	uint32_t trigger_producer_id;
	struct cue_payload *trigger_data;
	enum cue_omitted trigger_omitted;
};

/**
 * Find a version of a definition that is in force, or that the last restored run used. Twenty
 * thousand runs on one old version then compile it only once.
 * @param json the bytes of cue_run_record.definition.
 * @return NULL: unknown. Borrowed; valid until anything is defined, removed, restored or stopped.
 */
CUE_API struct cue_playlist_version *
cue_playlists_know(struct cue_playlists *playlists, const char *name, const char *json, size_t len);

/**
 * Restore or stop a run of the previous boot, as its definition's `on_restart` says. A restored run
 * keeps its id and its time line; `created` is appended with cause `restore` and the `offset` at
 * which the run continues. mode and max_runs do not refuse it: they admitted it before. If its
 * playlist is no longer defined, or limits.active_runs leaves no room, the run is stopped:
 * `cancelled`, detail `removed` or `limit`.
 *
 * An occurrence from before the clock's zero (the machine was booted again) is due at zero. Such
 * occurrences of several runs are ordered by the order of the calls.
 *
 * Call it after the definitions are made, in the order in which the runs were started, and outside
 * of handlers.
 * @param ret_error as cue_playlist_define().
 * @return 0: one `stopped`, now or later, ends the run; -EEXIST a run with this id is active;
 *         -EINVAL the definition or trigger_type; -ENOSPC too many event types; -ENOBUFS the bus's
 *         queue is full; -ENOMEM. On failure no event was emitted and nothing has changed.
 */
CUE_API int cue_playlist_restore(struct cue_playlists *playlists,
                                 const struct cue_playlist_restore *restore,
                                 struct cue_predicate_error *ret_error);

struct cue_playlist_info {
	const char *name;
	struct cue_id definition_id;
	size_t active; /**< runs, including waiting ones. */
	uint64_t expected_duration_ns;
	const struct cue_payload *definition; /**< the definition as JSON (config format). */
};

enum cue_run_state { CUE_RUN_RUNNING, CUE_RUN_QUEUED, CUE_RUN_PAUSED };

struct cue_run_info {
	struct cue_id run;
	const char *playlist;
	enum cue_run_state state;
	uint64_t start_ns;  /**< as cue_run_record.start_ns. */
	uint64_t offset_ns; /**< its position now; 0 while queued. */
	uint32_t tempo;     /**< in millionths. */
	uint64_t emitted_count;
};

/** Visit the playlists in order of name. A non-zero result of @p visit stops and is returned. @p
 * visit must not define, remove, start or stop. */
CUE_API int cue_playlist_foreach(struct cue_playlists *playlists,
                                 int (*visit)(void *user, const struct cue_playlist_info *info),
                                 void *user);
/** @return 0; -ENOENT. The info's pointers are valid until the definition changes. */
CUE_API int cue_playlist_get(struct cue_playlists *playlists, const char *name,
                             struct cue_playlist_info *ret_info);
/** Visit the runs of a playlist, or of all if @p name is NULL, in order of creation. A non-zero
 * result of @p visit stops. @p visit must not define, remove, start or stop.
 * @return the last result of @p visit, or 0; -ENOENT no such playlist. */
CUE_API int cue_run_foreach(struct cue_playlists *playlists, const char *name,
                            int (*visit)(void *user, const struct cue_run_info *info), void *user);

/** As cue_run_foreach(), but only for the newest @p max runs, in order of creation. */
CUE_API int cue_run_foreach_newest(struct cue_playlists *playlists, const char *name, size_t max,
                                   int (*visit)(void *user, const struct cue_run_info *info),
                                   void *user);

/** An active run, with everything that a journal must keep; valid during the callback. */
struct cue_run_record {
	struct cue_id run;
	const char *playlist;
	/** the version it runs on, as JSON (config format). */
	const struct cue_payload *definition;
	enum cue_run_state state; /**< running or queued. */
	/** monotonic, modulo 2^64 (a restored run may have started before the clock's zero); for a
	 * queued run the time of its start request. */
	uint64_t start_ns;
	uint64_t skipped_count;
	/** for a restored run: occurrences due up to this long after the start had passed when it
	 * was restored; CUE_TIME_NONE: none had. */
	uint64_t passed_ns;
	struct cue_run_line line;
	const char *trigger_type; /**< NULL: none. */
	uint32_t trigger_producer_id;
	const struct cue_payload *trigger_data; /**< NULL is `null`. */
	enum cue_omitted trigger_omitted;       /**< why trigger_data is absent. */
};

/** Called for every change that a journal must keep, after the lifecycle event was appended and
 * before it is dispatched. Must not call back into bus, playlists or gestures. */
struct cue_run_observer {
	/** A run waits, has begun or was steered (called each time). */
	void (*active)(void *user, const struct cue_run_record *record);
	/** Occurrences were dropped; @p skipped_count is their total. */
	void (*skipped)(void *user, const struct cue_id *run, uint64_t skipped_count);
	/** `stopped` was appended, also for a run that cue_playlist_restore() aborted. */
	void (*stopped)(void *user, const struct cue_id *run);
	void *user;
};

/** Set the one observer (copied), or none (NULL). cue_playlists_free() does not call it. */
CUE_API void cue_playlists_observe(struct cue_playlists *playlists,
                                   const struct cue_run_observer *observer);
/** Call the observer's `active` for every active run, in order of creation. */
CUE_API void cue_playlists_observe_again(struct cue_playlists *playlists);

struct cue_playlists_stats {
	uint64_t started, completed, interrupted, cancelled, rejected;
	uint64_t restored; /**< runs of a previous boot that continued. */
	uint64_t aborted;  /**< runs of a previous boot that were cancelled; part of `cancelled`. */
	uint64_t overdue;
	/** runs that an event should have steered: no value in range, or they could not do it. */
	uint64_t steerings_ignored;
	uint64_t steered; /**< pauses, resumptions, seeks and changes of tempo. */
	uint64_t steps_emitted, steps_skipped;
	uint64_t interrupts_redundant; /**< interrupts without an active run. */
	uint64_t interrupts_debounced;
	uint64_t stops_redundant; /**< stop requests without an active run. */
	/** active runs whose trigger data did not fit into cue_limits.trigger_bytes. */
	uint64_t triggers_dropped;
	uint64_t trigger_bytes;            /**< now */
	uint32_t definitions, active_runs; /**< now */
	uint32_t paused_runs;              /**< now; part of active_runs */
};

/** Copy the current counters. Allowed inside handlers. */
CUE_API void cue_playlists_get_stats(const struct cue_playlists *playlists,
                                     struct cue_playlists_stats *ret_stats);

#endif
