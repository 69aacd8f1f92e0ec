/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bus.h
 * @brief The event bus: emit, subscribe, time, state store.
 *
 * The bus is one deterministic function: (ordered events, due deadlines) -> events. It reads no
 * clock, does no I/O, does not log and starts no thread. Call a bus, and every object made on it,
 * from one thread at a time. Handlers run on that thread, inside cue_bus_emit(),
 * cue_bus_dispatch(), cue_bus_overtake() and the cue_bus_advance…() functions.
 *
 * Dispatch is first-in first-out and run-to-completion: an emit inside a handler appends. For each
 * event the state store is updated first. Then the subscribers run by priority (high first), then
 * by order of subscription; wildcard subscribers are part of the same order. A failing handler is
 * counted and reported; the others still run.
 */
#ifndef CUEBUS_BUS_H
#define CUEBUS_BUS_H

#include <cuebus/api.h>
#include <cuebus/event.h>

struct cue_bus;
struct cue_subscription;

/** What the bus reports to its owner; see cue_bus_config.report. */
enum cue_report_code {
	CUE_REPORT_HANDLER_FAILED, /**< error: the handler's negative errno. */
	CUE_REPORT_CASCADE_CUT,    /**< an event at depth > limit was not emitted. */
	/** an event was refused. error: -ENOBUFS too many events wait, or follow from one; -EDQUOT
	 * their data has too many bytes. */
	CUE_REPORT_QUEUE_FULL,
	/** a state was not kept. error: -ENOSPC too many entries; -EDQUOT too many bytes. */
	CUE_REPORT_STATE_FULL,
	/** cue_bus_cut_backlog() was called; event_type is the next event. */
	CUE_REPORT_BACKLOG_CUT,
	CUE_REPORT_TYPES_FULL, /**< an event of a new type was refused. */
	CUE_REPORT_NO_MEMORY,  /**< an operation was abandoned because memory ran out. */
};

/** Valid during the callback. */
struct cue_report {
	enum cue_report_code code;
	int error;              /**< negative errno where one applies, else 0. */
	const char *event_type; /**< the event concerned, or NULL. */
	const char *what;       /**< subscriber's or definition's name, or NULL. */
	uint64_t seq;           /**< seq of the event (or of its cause), or 0. */
};

/** A member of 0 means its default, in brackets. */
struct cue_limits {
	/** data of the events waiting for dispatch, see cue_payload_size(); shared data counts for
	 * each event [64 MiB]. */
	uint64_t queue_bytes;
	uint64_t state_bytes; /**< the state store, data and bookkeeping [16 MiB]. */
	/** what all gestures together keep until they fire, data and bookkeeping; beyond it the
	 * least recently seen producer is evicted, never that of the current event [16 MiB]. */
	uint64_t gesture_bytes;
	/** data that triggered active runs, kept for waiting runs and for a journal; shared data
	 * counts once [16 MiB]. */
	uint64_t trigger_bytes;
	/** distinct event types, counted separately for those from outside (cue_emit.outside) and
	 * those of definitions and inputs; reserved types do not count [65,536]. */
	uint32_t event_types;
	/** events waiting for dispatch, and events that follow from one outside event or timer at
	 * the same point in time, also through timers without delay [65,536]. */
	uint32_t queue_events;
	uint32_t state_entries; /**< (type, producer) pairs kept [65,536]. */
	uint32_t cascade_depth; /**< [32] */
	/** [32] Data that is nested deeper is omitted, and marked, where another event embeds it.
	 * Only playlists and gestures that trigger each other in a loop reach this depth. */
	uint32_t json_depth;
	uint32_t definitions; /**< playlists plus gestures [10,000]. */
	uint32_t active_runs; /**< [100,000] */
	/** an event's data that the event of a playlist quotes; larger data is omitted and marked
	 * [65,536]. */
	uint32_t quote_bytes;
	/** producers tracked per gesture; beyond it the least recently seen one is evicted [1,024].
	 */
	uint32_t gesture_producers;
};

struct cue_bus_config {
	/** Name of the gateway; part of every definition_id. Copied. Required. */
	const char *gateway_id;
	/** The bus's first "now", CLOCK_MONOTONIC ns. */
	uint64_t start_ns;
	/** Wall time minus monotonic time, ns; see cue_bus_set_wall_offset(). */
	int64_t wall_offset_ns;
	/** Fill @p buf with random bytes, for run ids. 0 or negative errno. Required. */
	int (*random)(void *user, void *buf, size_t len);
	/**
	 * Clock for `late_us` and `late: skip`. NULL: time is virtual and nothing is ever late.
	 * Called only while timers run.
	 */
	uint64_t (*clock_ns)(void *user);
	/** Whether events of a type get a seq. NULL: all do. Called once per type, and again by
	 * cue_bus_refresh_types(). */
	bool (*is_numbered)(void *user, const char *type);
	/** Called once for each fault. May be NULL. Must not call back into the bus, except
	 * cue_bus_emit() (which appends). */
	void (*report)(void *user, const struct cue_report *report);
	void *user;
	struct cue_limits limits; /**< copied */
};

struct cue_bus_stats {
	uint64_t events; /**< dispatched */
	uint64_t handler_failures;
	uint64_t cascades_cut;
	uint64_t backlogs_cut; /**< times that cue_bus_cut_backlog() took effect */
	/** events that cue_bus_cut_backlog() withheld from most subscribers */
	uint64_t events_cut;
	uint64_t queue_refused;
	uint64_t state_refused;
	uint64_t types_refused;
	uint64_t quotes_omitted; /**< quotes of an event's data that were omitted */
	uint64_t timers_fired;
	uint32_t types;         /**< now */
	uint32_t state_entries; /**< now */
	uint64_t state_bytes;   /**< now */
	uint64_t queue_bytes;   /**< now */
	uint32_t queue_events;  /**< now */
	uint32_t queue_peak;
	uint32_t timers_armed;  /**< now */
	uint32_t subscriptions; /**< now */
};

/**
 * Create a bus.
 * @param config borrowed for the call; callbacks and `user` must outlive the bus.
 * @return 0; -EINVAL a required member is missing; -ENOMEM. Free it with cue_bus_free().
 */
CUE_API int cue_bus_new(const struct cue_bus_config *config, struct cue_bus **ret_bus);

/**
 * Free the bus, its queue, state, types and remaining subscriptions (their `destroy` runs). Free
 * timers, playlists and gestures made on it first. Not allowed inside a handler. NULL is allowed.
 * @return NULL.
 */
CUE_API struct cue_bus *cue_bus_free(struct cue_bus *bus);

/** The limits in force, with defaults filled in. Borrowed; valid and constant as long as the
 * bus. */
CUE_API const struct cue_limits *cue_bus_limits(const struct cue_bus *bus);
/** cue_bus_config.gateway_id. Borrowed, valid as long as the bus. */
CUE_API const char *cue_bus_gateway_id(const struct cue_bus *bus);
/** Copy the current counters. Allowed inside handlers. */
CUE_API void cue_bus_get_stats(const struct cue_bus *bus, struct cue_bus_stats *ret_stats);

/* ---- time ---- */

/** The bus's now, monotonic ns. Inside a timer's handler: its own deadline. */
CUE_API uint64_t cue_bus_now(const struct cue_bus *bus);

/**
 * Run every timer due at or before @p now_ns in order of (deadline, creation), then set now. Each
 * timer sees its own deadline as now; all its events are dispatched before the next timer runs. A
 * @p now_ns before the bus's now has no effect.
 * @return 0; -EBUSY called inside a handler.
 */
CUE_API int cue_bus_advance(struct cue_bus *bus, uint64_t now_ns);

/**
 * As cue_bus_advance(), but only for timers due strictly before @p now_ns. Call it with the time of
 * an input before you emit the input: earlier deadlines then fire first and, at equal times, the
 * input comes before the timer.
 */
CUE_API int cue_bus_advance_before(struct cue_bus *bus, uint64_t now_ns);

/* ---- time in portions ----
 *
 * A caller with other duties gives the bus a budget and calls again while work remains. Order, seq
 * and contents of the events are the same with any budget. Between two such calls events may wait
 * in the queue (cue_bus_has_waiting()); new events are appended after them. */

/** How much one call may do. */
struct cue_budget {
	uint32_t steps;              /**< events to dispatch plus timers to fire; counted down. */
	bool (*is_over)(void *user); /**< called before each step; NULL: only `steps` counts. */
	void *user;
};

/**
 * Choose whether an emit outside of a handler dispatches.
 * @param defer true: the emit only appends, and the functions below dispatch. false (the initial
 *              value): the emit dispatches; waiting events are dispatched with the next emit or
 *              advance.
 */
CUE_API void cue_bus_defer(struct cue_bus *bus, bool defer);

/** Whether events wait for dispatch. */
CUE_API bool cue_bus_has_waiting(const struct cue_bus *bus);

/**
 * Cut a backlog that delays others for too long. Until no event waits any more, events reach only
 * subscribers whose priority is at least CUE_PRIORITY_INTERRUPT. They are still published, set
 * outputs and stop runs, but trigger nothing else: no gesture and no playlist. No effect if no
 * event waits, or inside a handler. Counted by cue_bus_stats.backlogs_cut and events_cut, and
 * reported once.
 */
CUE_API void cue_bus_cut_backlog(struct cue_bus *bus);

/** Whether cue_bus_cut_backlog() is in force. */
CUE_API bool cue_bus_is_cutting(const struct cue_bus *bus);

/** Whether an urgent timer is due at or before @p now_ns; see cue_timer_new_urgent(). */
CUE_API bool cue_bus_is_urgent_due(const struct cue_bus *bus, uint64_t now_ns);

/** Dispatch the waiting events; no timer fires.
 * @return 0; -EAGAIN the budget is used up; -EBUSY called inside a handler. */
CUE_API int cue_bus_dispatch(struct cue_bus *bus, struct cue_budget *budget);

/** As cue_bus_advance(). @return 0; -EAGAIN the budget is used up, now is the
 *  deadline of the last timer that fired; -EBUSY. */
CUE_API int cue_bus_advance_within(struct cue_bus *bus, uint64_t now_ns, struct cue_budget *budget);
/** As cue_bus_advance_before(). @return as cue_bus_advance_within(). */
CUE_API int cue_bus_advance_before_within(struct cue_bus *bus, uint64_t now_ns,
                                          struct cue_budget *budget);

/**
 * Overtake overdue timers: dispatch the waiting events, run the urgent timers that are due (see
 * cue_timer_new_urgent()), then set now. Every other timer keeps its place and fires in a later
 * advance. The events of its handler then have its deadline as their time, as if it had fired in
 * time. Events that follow from them, and the bus's now, have the current time.
 * @param inclusive also run urgent timers due exactly at @p now_ns.
 * @return 0; -EAGAIN the budget is used up, now is not set yet; -EBUSY called inside a handler.
 */
CUE_API int cue_bus_overtake(struct cue_bus *bus, uint64_t now_ns, bool inclusive,
                             struct cue_budget *budget);

/** How long before @p now_ns the earliest timer that is not urgent was due; 0 if none was. */
CUE_API uint64_t cue_bus_overdue(const struct cue_bus *bus, uint64_t now_ns);

/** Time at which cue_bus_advance() next has work, never before now; CUE_TIME_NONE if never. */
CUE_API uint64_t cue_bus_next_deadline(const struct cue_bus *bus);

/** The latest time, at most now, up to which every due timer has run.
 * @return false if there is none because a timer for time 0 is waiting. */
CUE_API bool cue_bus_get_passed(const struct cue_bus *bus, uint64_t *ret_passed_ns);

/** Set the offset (wall minus monotonic time, ns) from which wall times are computed. The bus uses
 * wall time nowhere else. */
CUE_API void cue_bus_set_wall_offset(struct cue_bus *bus, int64_t wall_offset_ns);
/** The current offset: wall time minus monotonic time, ns. */
CUE_API int64_t cue_bus_wall_offset(const struct cue_bus *bus);

/* ---- events ---- */

struct cue_emit {
	const char *type; /**< must be valid; interned. */
	uint32_t producer_id;
	uint32_t origin;             /**< see cue_event; 0 for none. */
	struct cue_payload *payload; /**< borrowed, a reference is taken; NULL is `null`. */
	uint64_t time_ns; /**< CUE_TIME_NONE: the bus's now. A later time is clamped to now. */
	/** The event comes from an untrusted publisher: such events may not fill the last quarter
	 * of the state store, and new types of such events have their own budget. */
	bool outside;
};

/**
 * Append an event. Outside of a handler the event, and all events that follow from it without a
 * timer, are dispatched before the call returns (unless cue_bus_defer() is in force). Inside a
 * handler the event waits for its turn; its cause is the event being handled.
 * @param ret_seq optional; the event's seq (0 if its type is not numbered).
 * @return 0; -EINVAL malformed type; -ELOOP cut at the cascade depth; -ENOBUFS the queue is full,
 *         or too many events follow from one; -EDQUOT the waiting data has too many bytes; -ENOSPC
 *         too many event types; -ENOMEM. All but -EINVAL are counted and reported.
 */
CUE_API int cue_bus_emit(struct cue_bus *bus, const struct cue_emit *emit, uint64_t *ret_seq);

/**
 * As cue_bus_emit(), but the caller names the cause. For events that happen later than their cause,
 * such as a playlist's step.
 * @param cause_seq 0 for none.
 * @param depth     the new event's depth.
 */
CUE_API int cue_bus_emit_caused(struct cue_bus *bus, const struct cue_emit *emit,
                                uint64_t cause_seq, unsigned depth, uint64_t *ret_seq);

/** The event being dispatched, or NULL outside of a handler. */
CUE_API const struct cue_event *cue_bus_current(const struct cue_bus *bus);

/** Call `is_numbered` again for every known type (after a reload). */
CUE_API void cue_bus_refresh_types(struct cue_bus *bus);

/** Whether cue_bus_intern() of this type uses none of cue_bus_type_room(): the type is reserved, or
 * interned already as one of the program's own. */
CUE_API bool cue_bus_has_type(const struct cue_bus *bus, const char *name);
/** How many more of the program's own types limits.event_types allows. */
CUE_API uint32_t cue_bus_type_room(const struct cue_bus *bus);

/** Intern a type, as one of the program's own. @return 0; -EINVAL; -ENOSPC; -ENOMEM. */
CUE_API int cue_bus_intern(struct cue_bus *bus, const char *name, const struct cue_type **ret_type);

/* ---- subscriptions ---- */

#define CUE_PRIORITY_BRIDGE    1000000
#define CUE_PRIORITY_INTERRUPT 1000
#define CUE_PRIORITY_GESTURE   50
#define CUE_PRIORITY_TRIGGER   0

/** @return 0, or a negative errno that is counted and reported. */
typedef int (*cue_handler)(void *user, struct cue_bus *bus, const struct cue_event *event);

struct cue_subscription_config {
	const char *type; /**< a type, a prefix ending in ".*", or "*" for all. */
	int priority;     /**< high first */
	cue_handler handler;
	/** optional; runs once, when the handler can't be called any more. */
	void (*destroy)(void *user);
	void *user;
	const char *name; /**< for reports; copied; may be NULL. */
};

/**
 * Subscribe. Safe inside a handler; it then takes effect with the next event.
 * @return 0; -EINVAL malformed type; -ENOSPC too many event types; -ENOMEM.
 */
CUE_API int cue_bus_subscribe(struct cue_bus *bus, const struct cue_subscription_config *config,
                              struct cue_subscription **ret_subscription);

/** Cancel a subscription. Safe inside any handler, including its own: the handler is not called
 * again, not even for the event being dispatched. NULL is allowed.
 * @return NULL. */
CUE_API struct cue_subscription *cue_subscription_cancel(struct cue_subscription *subscription);

/* ---- state store: the latest event of each (type, producer) ----
 *
 * Latest by event time; at equal times the event dispatched last.
 *
 * Bounded by cue_limits.state_entries and state_bytes. A value that does not fit is counted and
 * reported, and removes the value before: the store then reports the value as unknown, never an
 * outdated one. Each value counts with its data, once for its producer, and once more if it is the
 * newest of its type. */

struct cue_state {
	const struct cue_type *type;
	uint32_t producer_id;
	uint64_t time_ns;
	uint64_t seq;
	struct cue_payload *payload; /**< borrowed; ref it to keep it. */
};

/**
 * Read one value.
 * @param producer_id NULL: the latest of any producer.
 * @return 0; -ENOENT nothing was seen; -ENODATA a value was seen but could not be kept.
 */
CUE_API int cue_bus_state_get(const struct cue_bus *bus, const char *type,
                              const uint32_t *producer_id, struct cue_state *ret_state);

/**
 * Visit the stored values in order of type name, then producer.
 * @param type        NULL: all types.
 * @param producer_id NULL: all producers.
 * @param visit       return non-zero to stop; must not emit.
 * @return the last result of @p visit, 0, or -ENOMEM.
 */
CUE_API int cue_bus_state_foreach(const struct cue_bus *bus, const char *type,
                                  const uint32_t *producer_id,
                                  int (*visit)(void *user, const struct cue_state *state),
                                  void *user);

#endif
