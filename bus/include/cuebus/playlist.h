/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file playlist.h
 * @brief Playlists: declarative timed sequences of events.
 *
 * Deadlines are absolute, start + offset + k * interval, so steps interleave
 * by deadline and nothing drifts; ties go by step order, then repeat, and
 * between runs by the order in which they were asked for. A run is a struct
 * and one timer on the bus's queue. Running runs finish on the definition they
 * started with, and its interrupts stay in force for them.
 *
 * On the bus, for each occurrence: the step's event, directly after it
 * `event.playlist.emitted`; directly after the last one `stopped` and the
 * completion event. Whether a run is complete is thus decided when its last
 * occurrence is emitted: an interrupt that this very event leads to finds it
 * completed. Occurrences at the same deadline are dispatched one by one, so
 * an interrupt that the first leads to prevents the second.
 *
 * A run that waits (CUE_MODE_QUEUED) is told as `created` when it starts; when
 * it is stopped before, by an interrupt too, there is a `stopped` with
 * `emitted_count` 0 and no `created`. A start refused by mode or limit is told
 * as `rejected`, with a `playlist_id` of its own that no other event bears.
 *
 * Every call here may be made outside of a handler or inside any: nothing is
 * dispatched until the call is through. A definition made or given a new
 * trigger while an event is dispatched is triggered from the next one on.
 * Thread: the bus's.
 */
#ifndef CUEBUS_PLAYLIST_H
#define CUEBUS_PLAYLIST_H

#include <cuebus/api.h>
#include <cuebus/event.h>
#include <cuebus/match.h>

struct cue_bus;
struct cue_playlists;

enum cue_playlist_mode {
	CUE_MODE_PARALLEL, /**< any number of runs, up to max_runs (then rejected). */
	CUE_MODE_SINGLE,   /**< refuse a start while running. */
	CUE_MODE_RESTART,  /**< cancel the active run, then start. */
	CUE_MODE_QUEUED,   /**< one at a time, in order; up to max_runs active and waiting. */
};

enum cue_late {
	CUE_LATE_BURST, /**< emit what is overdue at once. */
	CUE_LATE_SKIP,  /**< drop all but the newest overdue occurrence of a step; counted. */
};

/** What cue_playlist_restore() does with a run of the previous life. */
enum cue_on_restart {
	CUE_ON_RESTART_ABORT, /**< `stopped`, reason `cancelled`, detail `restart`. */
	/** go on, on the original time line; what fell into the downtime is
	 *  overdue and goes by `late`. */
	CUE_ON_RESTART_RESUME,
	/** go on, on the original time line; what fell into the downtime is dropped and counted. */
	CUE_ON_RESTART_SKIP,
};

enum cue_cause { CUE_CAUSE_TRIGGER, CUE_CAUSE_COMMAND, CUE_CAUSE_GESTURE, CUE_CAUSE_RESTORE };

enum cue_stop_reason { CUE_STOP_COMPLETED, CUE_STOP_INTERRUPTED, CUE_STOP_CANCELLED };

/** Durations and offsets are bounded so that no sum overflows: 10 years. */
#define CUE_DURATION_MAX_NS  (3650ULL * 86400ULL * CUE_NS_PER_S)
#define CUE_MAX_RUNS_DEFAULT 16U
/** `event.playlist.overdue` is told of a run that has not stopped this
 *  long after its expected end. */
#define CUE_OVERDUE_AFTER_NS (5U * CUE_NS_PER_S)

struct cue_step {
	const char *emit;
	struct cue_payload *data; /**< NULL is `null`. */
	uint64_t offset_ns;
	uint64_t interval_ns; /**< > 0 when repeat > 1. */
	uint32_t repeat;      /**< 0 is taken as 1. */
	uint32_t producer_id;
};

/** All pointers are borrowed for the call that takes this; what is kept is copied. */
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
	/** an interrupt is ignored and counted when its event time is later, by less than this,
	 *  than the last one of its type and producer that stopped runs of this playlist. A filter
	 *  may say otherwise for itself. */
	uint64_t interrupt_debounce_ns;
	const struct cue_step *steps;
	size_t n_steps;
};

/** Thread: the bus's. @return 0; -ENOMEM. */
CUE_API int cue_playlists_new(struct cue_bus *bus, struct cue_playlists **ret_playlists);
/** Ends every run without a word, on_stopped included (stop them first to have
 *  them told), frees all. Not from inside a handler. NULL is allowed. @return NULL. */
CUE_API struct cue_playlists *cue_playlists_free(struct cue_playlists *playlists);

/**
 * Define, or redefine keeping the definition_id (derived from gateway id and
 * name, so stable across restarts).
 * @param ret_definition_id optional.
 * @param ret_error optional, filled on -EINVAL: path (JSON Pointer from the
 *        definition, e.g. "/steps/0/interval") and text.
 * Limits: a name of 1 to 256 bytes without `+`, `#`, `/` and control
 * characters, 10,000 steps, 1,000 triggers and as many interrupts, `repeat` up
 * to 1,000,000,000, the last repeat within CUE_DURATION_MAX_NS of the start.
 * @return 0; -EINVAL; -ENOSPC too many definitions (gestures included) or event types; -ENOMEM. On
 *         failure an earlier definition stays in force.
 */
CUE_API int cue_playlist_define(struct cue_playlists *playlists,
                                const struct cue_playlist_config *config,
                                struct cue_id *ret_definition_id,
                                struct cue_predicate_error *ret_error);

/** How fast the steps of one run may follow each other. 0 in a member
 *  means its default, in brackets. */
struct cue_playlist_limits {
	uint32_t events_per_second;    /**< in any one second [10,000] */
	uint64_t shortest_interval_ns; /**< of a step that repeats [100 us] */
};

/** For definitions from now on; those there are stay as they are. @param limits copied. */
CUE_API void cue_playlists_set_limits(struct cue_playlists *playlists,
                                      const struct cue_playlist_limits *limits);

/**
 * Whether the steps keep to @p limits; cue_playlist_define() checks it as well.
 * @param config one that cue_playlist_check() takes.
 * @return 0; -EINVAL; -ENOMEM.
 */
CUE_API int cue_playlist_check_rate(const struct cue_playlist_config *config,
                                    const struct cue_playlist_limits *limits,
                                    struct cue_predicate_error *ret_error);

/** The other checks without a side effect. */
CUE_API int cue_playlist_check(const struct cue_playlist_config *config,
                               struct cue_predicate_error *ret_error);

/** Remove; its active runs are cancelled with @p detail ("removed" if NULL).
 *  @return 0; -ENOENT. */
CUE_API int cue_playlist_remove(struct cue_playlists *playlists, const char *name,
                                const char *detail);

/** A finished run, told to cue_playlist_start.on_stopped during its `stopped` bookkeeping. */
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
	/** Join: called exactly once, after the run's `stopped` event was
	 *  appended, also when it is cancelled; not when the start failed. May
	 *  start, stop, define and remove. Starting anew what was cancelled by
	 *  CUE_MODE_RESTART would go on for ever: look at `reason` first. */
	void (*on_stopped)(void *user, const struct cue_run_result *result);
	void *user;
};

/**
 * Start a run now. `event.playlist.created` is appended; steps at offset 0 are
 * due at once, at the next advance. May be called inside a handler. A start
 * that mode or limit refuses emits `event.playlist.rejected`.
 * @param ret_run optional; for a run that is queued, its id already.
 * @return 0; -ENOENT no such playlist; -EBUSY refused by mode or max_runs;
 *         -ENOSPC active_runs limit; -EINVAL trigger_type is malformed; -ELOOP
 *         too deep in a cascade and -ENOBUFS the bus's queue is full (both
 *         reported by the bus); -EIO the random source repeats itself; -ENOMEM.
 *         On failure nothing was started.
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
 * Cancel all runs of a playlist, or of all when @p name is NULL, oldest first.
 * @param stopped optional; called with each id.
 * @return number of runs stopped; -ENOENT no such playlist.
 */
CUE_API int cue_playlist_stop(struct cue_playlists *playlists, const char *name, const char *detail,
                              void (*stopped)(void *user, const struct cue_id *run), void *user);

/** Why a lifecycle event does not quote the data of the event that it names. */
enum cue_omitted {
	CUE_OMITTED_NOT,
	CUE_OMITTED_SIZE,  /**< larger than cue_limits.quote_bytes. */
	CUE_OMITTED_DEPTH, /**< nested deeper than cue_limits.json_depth. */
	CUE_OMITTED_LIMIT, /**< no memory, or no room in cue_limits.trigger_bytes. */
};
/** As `data_omitted` has it: "size", "depth", "limit"; NULL for CUE_OMITTED_NOT. */
CUE_API const char *cue_omitted_name(enum cue_omitted omitted);

struct cue_playlist_version;

/** A run of a previous life of the gateway, as a journal kept it. Borrowed for the call. */
struct cue_playlist_restore {
	struct cue_id run;
	/** The version it ran on, which it also ends on; `on_restart` of this one counts. */
	const struct cue_playlist_config *definition;
	/** Instead of `definition`, one that cue_playlists_know() has found; NULL: none. */
	struct cue_playlist_version *version;
	bool queued;         /**< it was waiting: it waits again; the times below are not used. */
	uint64_t elapsed_ns; /**< how long ago it started. */
	/** Occurrences due up to this long after the start were emitted or
	 *  dropped then, and are not again; CUE_TIME_NONE: none was. */
	uint64_t passed_ns;
	uint64_t skipped_count; /**< of the occurrences passed, those that were dropped. */
	const char *trigger_type;
	uint32_t trigger_producer_id;
	struct cue_payload *trigger_data;
	enum cue_omitted trigger_omitted;
};

/**
 * A version of a definition that is in force, or that a run was restored on just
 * before: twenty thousand runs on one old version need not compile it each.
 * @param json as cue_run_record.definition had it.
 * @return NULL: not known. Borrowed, valid until anything is defined, removed,
 *         restored or stopped.
 */
CUE_API struct cue_playlist_version *
cue_playlists_know(struct cue_playlists *playlists, const char *name, const char *json, size_t len);

/**
 * Do with a run of the previous life what its definition's `on_restart` says.
 * A run that goes on keeps its id and its time line; `created` is appended
 * with cause `restore` and the `offset` at which it is taken up. It is counted
 * as one that mode and max_runs have already let in. If its playlist is no
 * longer defined, or limits.active_runs leaves no room, it is not taken up but
 * stopped: `cancelled`, detail `removed` or `limit`.
 *
 * An occurrence from before the clock's zero (the machine was booted anew) is
 * due at zero: among several runs, the order of such is that of their restoring.
 *
 * Call it once the definitions are made, in the order in which the runs were
 * started, and outside of handlers.
 * @param ret_error as cue_playlist_define().
 * @return 0: one `stopped`, now or later, ends the run; -EEXIST a run with
 *         this id is active; -EINVAL the definition or trigger_type; -ENOSPC
 *         too many event types; -ENOBUFS the bus's queue is full; -ENOMEM. On
 *         failure nothing was told and nothing has changed.
 */
CUE_API int cue_playlist_restore(struct cue_playlists *playlists,
                                 const struct cue_playlist_restore *restore,
                                 struct cue_predicate_error *ret_error);

struct cue_playlist_info {
	const char *name;
	struct cue_id definition_id;
	size_t active; /**< runs, waiting ones included. */
	uint64_t expected_duration_ns;
	const struct cue_payload *definition; /**< the definition as JSON (config format). */
};

enum cue_run_state { CUE_RUN_RUNNING, CUE_RUN_QUEUED };

struct cue_run_info {
	struct cue_id run;
	const char *playlist;
	enum cue_run_state state;
	uint64_t start_ns;  /**< as cue_run_record.start_ns. */
	uint64_t offset_ns; /**< now minus start; 0 while queued. */
	uint64_t emitted_count;
};

/** In order of name. Non-zero from @p visit stops and is returned. Must not
 *  define, remove, start or stop. */
CUE_API int cue_playlist_foreach(struct cue_playlists *playlists,
                                 int (*visit)(void *user, const struct cue_playlist_info *info),
                                 void *user);
/** @return 0; -ENOENT. The info's pointers are valid until the definition changes. */
CUE_API int cue_playlist_get(struct cue_playlists *playlists, const char *name,
                             struct cue_playlist_info *ret_info);
/** In order of creation; @p name NULL: of all playlists. Non-zero from @p visit
 *  stops and is returned. Must not define, remove, start or stop.
 *  @return what visit returned last, or 0; -ENOENT no such playlist. */
CUE_API int cue_run_foreach(struct cue_playlists *playlists, const char *name,
                            int (*visit)(void *user, const struct cue_run_info *info), void *user);

/** The same for the newest @p max only, in order of creation. */
CUE_API int cue_run_foreach_newest(struct cue_playlists *playlists, const char *name, size_t max,
                                   int (*visit)(void *user, const struct cue_run_info *info),
                                   void *user);

/** An active run as a journal needs to know it; valid during the callback. */
struct cue_run_record {
	struct cue_id run;
	const char *playlist;
	/** the version it runs on, as JSON (config format). */
	const struct cue_payload *definition;
	enum cue_run_state state;
	/** monotonic, modulo 2^64 (a restored run may have started before the clock's zero); of a
	 *  queued run: when it was asked for. */
	uint64_t start_ns;
	uint64_t skipped_count;
	/** of a restored run: what was due up to this long after the start was behind it when it
	 *  was taken up; CUE_TIME_NONE: nothing was. */
	uint64_t passed_ns;
	const char *trigger_type; /**< NULL: none. */
	uint32_t trigger_producer_id;
	const struct cue_payload *trigger_data; /**< NULL is `null`. */
	enum cue_omitted trigger_omitted;       /**< why the data is not there. */
};

/** Told of what a journal must keep, when the lifecycle event was appended and
 *  before it is dispatched. Must not call back into bus, playlists or gestures. */
struct cue_run_observer {
	/** A run waits, or has begun (for one that has waited, both). */
	void (*active)(void *user, const struct cue_run_record *record);
	/** Occurrences were dropped; how many all in all. */
	void (*skipped)(void *user, const struct cue_id *run, uint64_t skipped_count);
	/** `stopped` was appended; also for a run that was aborted in cue_playlist_restore(). */
	void (*stopped)(void *user, const struct cue_id *run);
	void *user;
};

/** One observer, copied, or none (NULL). cue_playlists_free() does not call it. */
CUE_API void cue_playlists_observe(struct cue_playlists *playlists,
                                   const struct cue_run_observer *observer);
/** Call the observer's `active` for every active run, in order of creation. */
CUE_API void cue_playlists_observe_again(struct cue_playlists *playlists);

struct cue_playlists_stats {
	uint64_t started, completed, interrupted, cancelled, rejected;
	uint64_t restored; /**< runs of a previous life that went on. */
	uint64_t aborted;  /**< of `cancelled`, runs of a previous life that did not. */
	uint64_t overdue;
	uint64_t steps_emitted, steps_skipped;
	uint64_t interrupts_redundant; /**< interrupts that found no active run. */
	uint64_t interrupts_debounced;
	uint64_t stops_redundant; /**< calls to stop that found no active run. */
	/** active runs whose trigger's data cue_limits.trigger_bytes left no room for. */
	uint64_t triggers_dropped;
	uint64_t trigger_bytes;            /**< now */
	uint32_t definitions, active_runs; /**< now */
};

/** Copy the counters as they are now. Allowed inside handlers. */
CUE_API void cue_playlists_get_stats(const struct cue_playlists *playlists,
                                     struct cue_playlists_stats *ret_stats);

#endif
