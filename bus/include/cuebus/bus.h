/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bus.h
 * @brief The event bus: emit, subscribe, time, state store.
 *
 * The bus is one deterministic function: (ordered events, due deadlines) ->
 * events. It reads no clock, does no I/O, does not log and starts no thread.
 * Every call on a bus and on what belongs to it is made from one thread at a
 * time; handlers run on that thread, inside cue_bus_emit(), cue_bus_advance()
 * and cue_bus_advance_before().
 *
 * Dispatch is first-in first-out and run-to-completion: an emit inside a
 * handler appends. For each event the state store is updated first, then the
 * subscribers run by priority (high first), then by order of subscription;
 * wildcards take part in the same order. A handler that fails is counted and
 * reported, and the others still run.
 */
#ifndef CUEBUS_BUS_H
#define CUEBUS_BUS_H

#include <cuebus/api.h>
#include <cuebus/event.h>

struct cue_bus;
struct cue_subscription;

/** What the bus tells its owner; see cue_bus_config.report. */
enum cue_report_code {
	CUE_REPORT_HANDLER_FAILED, /**< error: the handler's negative errno. */
	CUE_REPORT_CASCADE_CUT,    /**< an event at depth > limit was not emitted. */
	/** an event was refused. error: -ENOBUFS too many are waiting, or follow from one; -EDQUOT
	 *  their data has too many bytes. */
	CUE_REPORT_QUEUE_FULL,
	/** a state was not kept. error: -ENOSPC too many entries; -EDQUOT too many bytes. */
	CUE_REPORT_STATE_FULL,
	CUE_REPORT_BACKLOG_CUT, /**< cue_bus_cut_backlog() was called; the event that was next. */
	CUE_REPORT_TYPES_FULL,  /**< an event of a new type was refused. */
	CUE_REPORT_NO_MEMORY,   /**< something was given up for lack of memory. */
};

/** Valid during the callback. */
struct cue_report {
	enum cue_report_code code;
	int error;              /**< negative errno where one applies, else 0. */
	const char *event_type; /**< the event concerned, or NULL. */
	const char *what;       /**< subscriber's or definition's name, or NULL. */
	uint64_t seq;           /**< seq of the event (or of its cause), or 0. */
};

/** 0 in a member means its default, in brackets. */
struct cue_limits {
	/** data of the events waiting for dispatch, see cue_payload_size(); shared
	 *  data counts for each [64 MiB]. */
	uint64_t queue_bytes;
	uint64_t state_bytes; /**< the state store, data and bookkeeping [16 MiB]. */
	/** what all gestures together keep until they fire, data and bookkeeping; over it whoever
	 *  was heard of longest ago is forgotten, never who is being heard of [16 MiB]. */
	uint64_t gesture_bytes;
	/** data that triggered active runs, kept for those that wait and for a journal;
	 *  shared data counts once [16 MiB]. */
	uint64_t trigger_bytes;
	/** distinct event types that came from outside (cue_emit.outside), and, counted apart, of
	 *  definitions and inputs; reserved types are always free [65,536]. */
	uint32_t event_types;
	/** events waiting for dispatch, and events that follow from one outside event or timer
	 *  before time passes: through timers of no delay too [65,536]. */
	uint32_t queue_events;
	uint32_t state_entries; /**< (type, producer) pairs kept [65,536]. */
	uint32_t cascade_depth; /**< [32] */
	/** [32] An event's data that is nested deeper is left out, and marked,
	 *  where another event embeds it: only playlists and gestures that feed
	 *  each other in a circle come there. */
	uint32_t json_depth;
	uint32_t definitions; /**< playlists plus gestures [10,000]. */
	uint32_t active_runs; /**< [100,000] */
	/** an event's data where playlists quote it in another's; larger is
	 *  left out and marked [65,536]. */
	uint32_t quote_bytes;
	uint32_t gesture_producers; /**< producers tracked per gesture, oldest forgotten [1,024]. */
};

struct cue_bus_config {
	/** Names the gateway; part of every definition_id. Copied. Required. */
	const char *gateway_id;
	/** The bus's first "now", CLOCK_MONOTONIC ns. */
	uint64_t start_ns;
	/** Wall time minus monotonic time, ns; see cue_bus_set_wall_offset(). */
	int64_t wall_offset_ns;
	/** Fill @p buf with random bytes, for run ids. 0 or negative errno. Required. */
	int (*random)(void *user, void *buf, size_t len);
	/**
	 * The clock that `late_us` and `late: skip` are measured with. NULL: time
	 * is virtual, nothing is ever late. Called only while timers run.
	 */
	uint64_t (*clock_ns)(void *user);
	/** Whether events of a type get a seq. NULL: all do. Asked once per type
	 *  and again by cue_bus_refresh_types(). */
	bool (*is_numbered)(void *user, const char *type);
	/** Faults, once each. May be NULL. Must not call back into the bus,
	 *  except cue_bus_emit() (which appends). */
	void (*report)(void *user, const struct cue_report *report);
	void *user;
	struct cue_limits limits; /**< copied */
};

struct cue_bus_stats {
	uint64_t events; /**< dispatched */
	uint64_t handler_failures;
	uint64_t cascades_cut;
	uint64_t backlogs_cut; /**< times that cue_bus_cut_backlog() took effect */
	uint64_t events_cut;   /**< events that it kept from most subscribers */
	uint64_t queue_refused;
	uint64_t state_refused;
	uint64_t types_refused;
	uint64_t quotes_omitted; /**< an event's data that another event should have quoted */
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
 * @param config borrowed for the call; callbacks and `user` must outlive the bus.
 * @return 0; -EINVAL a required member is missing; -ENOMEM.
 */
CUE_API int cue_bus_new(const struct cue_bus_config *config, struct cue_bus **ret_bus);

/**
 * Free the bus, its queue, state, types and remaining subscriptions (their
 * `destroy` runs). Timers, playlists and gestures made on it must be freed
 * before. Not from inside a handler. NULL is allowed. @return NULL.
 */
CUE_API struct cue_bus *cue_bus_free(struct cue_bus *bus);

/** The limits in force, defaults filled in. Borrowed; they live and stay as they are as long as the
 *  bus. */
CUE_API const struct cue_limits *cue_bus_limits(const struct cue_bus *bus);
/** cue_bus_config.gateway_id. Borrowed, valid as long as the bus. */
CUE_API const char *cue_bus_gateway_id(const struct cue_bus *bus);
/** Copy the counters as they are now. Allowed inside handlers. */
CUE_API void cue_bus_get_stats(const struct cue_bus *bus, struct cue_bus_stats *ret_stats);

/* ---- time ---- */

/** The bus's now, monotonic ns. Inside a timer's handler: its own deadline. */
CUE_API uint64_t cue_bus_now(const struct cue_bus *bus);

/**
 * Run every timer due at or before @p now_ns in order of (deadline, creation),
 * each seeing its own deadline as now and its events dispatched to the end
 * before the next, then set now. A @p now_ns before the bus's now runs nothing
 * and changes nothing. Not from inside a handler (-EBUSY).
 * @return 0; -EBUSY.
 */
CUE_API int cue_bus_advance(struct cue_bus *bus, uint64_t now_ns);

/**
 * The same for timers due strictly before @p now_ns: call it with an input's
 * time before emitting the input, so that earlier deadlines fire first and, at
 * equal times, input goes before timer.
 */
CUE_API int cue_bus_advance_before(struct cue_bus *bus, uint64_t now_ns);

/* ---- time in portions ----
 *
 * Whoever has other things to look after gives the bus a budget and calls again
 * while work is left. Order, seq and contents of the events are the same with
 * any budget. Between two such calls events may wait in the queue
 * (cue_bus_has_waiting()): what is emitted then comes after them. */

/** How much one call may do. */
struct cue_budget {
	uint32_t steps;              /**< events to dispatch plus timers to fire; counted down. */
	bool (*is_over)(void *user); /**< asked before each; NULL: only `steps` counts. */
	void *user;
};

/**
 * @param defer true: an emit outside of a handler only appends, and the
 *              functions below dispatch. false (as a bus begins): it dispatches;
 *              what waits is dispatched with the next emit or advance.
 */
CUE_API void cue_bus_defer(struct cue_bus *bus, bool defer);

/** Whether events wait for dispatch. */
CUE_API bool cue_bus_has_waiting(const struct cue_bus *bus);

/**
 * What waits, and what follows from it, keeps others waiting for too long: until no event
 * waits any more, events reach only the subscribers whose priority is at least
 * CUE_PRIORITY_INTERRUPT. So they are published, set outputs and stop runs, and lead to
 * nothing more: no gesture, no trigger. Without effect when nothing waits, or inside a
 * handler. Counted by cue_bus_stats.backlogs_cut and events_cut, and reported once.
 */
CUE_API void cue_bus_cut_backlog(struct cue_bus *bus);

/** Whether cue_bus_cut_backlog() is in force. */
CUE_API bool cue_bus_is_cutting(const struct cue_bus *bus);

/** Whether an urgent timer is due at or before @p now_ns; see cue_timer_new_urgent(). */
CUE_API bool cue_bus_is_urgent_due(const struct cue_bus *bus, uint64_t now_ns);

/** Dispatch what waits; no timer fires. @return 0; -EAGAIN the budget is used up; -EBUSY. */
CUE_API int cue_bus_dispatch(struct cue_bus *bus, struct cue_budget *budget);

/** As cue_bus_advance(). @return 0; -EAGAIN the budget is used up, now is the
 *  deadline of the last timer that fired; -EBUSY. */
CUE_API int cue_bus_advance_within(struct cue_bus *bus, uint64_t now_ns, struct cue_budget *budget);
/** As cue_bus_advance_before(). @return as cue_bus_advance_within(). */
CUE_API int cue_bus_advance_before_within(struct cue_bus *bus, uint64_t now_ns,
                                          struct cue_budget *budget);

/**
 * Pass overdue timers by: dispatch what waits, run the urgent timers that are
 * due (see cue_timer_new_urgent()), then set now. Every other timer keeps its
 * place and fires in a later advance. What its handler emits has the time that
 * it would have had, its own deadline; what follows from that, and the bus's
 * now, has the time of that moment.
 * @param inclusive timers due exactly at @p now_ns too.
 * @return 0; -EAGAIN the budget is used up, now is not yet set; -EBUSY.
 */
CUE_API int cue_bus_overtake(struct cue_bus *bus, uint64_t now_ns, bool inclusive,
                             struct cue_budget *budget);

/** How long before @p now_ns the earliest timer that is not urgent was due; 0: none was. */
CUE_API uint64_t cue_bus_overdue(const struct cue_bus *bus, uint64_t now_ns);

/** When cue_bus_advance() next has work, never before now; CUE_TIME_NONE when never. */
CUE_API uint64_t cue_bus_next_deadline(const struct cue_bus *bus);

/** The latest time, at most now, up to which every timer that was due has run.
 *  @return false: there is none, a timer for time 0 is waiting. */
CUE_API bool cue_bus_get_passed(const struct cue_bus *bus, uint64_t *ret_passed_ns);

/** Wall time is computed at the boundary from this one offset (wall minus
 *  monotonic, ns); nothing else in the bus knows of wall time. */
CUE_API void cue_bus_set_wall_offset(struct cue_bus *bus, int64_t wall_offset_ns);
/** The offset in force: wall time minus monotonic time, ns. */
CUE_API int64_t cue_bus_wall_offset(const struct cue_bus *bus);

/* ---- events ---- */

struct cue_emit {
	const char *type; /**< must be valid; interned. */
	uint32_t producer_id;
	uint32_t origin;             /**< see cue_event; 0 for none. */
	struct cue_payload *payload; /**< borrowed, a reference is taken; NULL is `null`. */
	uint64_t time_ns; /**< CUE_TIME_NONE: the bus's now. Later than now is clamped to now. */
	/** A publisher that nobody vouches for said it: a quarter of the state store is kept free
	 *  of such events, and types that nobody else has named have a budget of their own. */
	bool outside;
};

/**
 * Append an event. Outside of a handler it is dispatched, with all that
 * follows from it (timers excepted), before the call returns (see
 * cue_bus_defer() for the exception); inside one it waits its turn, and its
 * cause is the event being handled.
 * @param ret_seq optional; the event's seq (0 if its type is not numbered).
 * @return 0; -EINVAL malformed type; -ELOOP cut at the cascade depth; -ENOBUFS the queue is full,
 *         or too many follow from one event; -EDQUOT the data waiting has too many bytes; -ENOSPC
 *         too many event types; -ENOMEM. All but -EINVAL are counted and reported.
 */
CUE_API int cue_bus_emit(struct cue_bus *bus, const struct cue_emit *emit, uint64_t *ret_seq);

/**
 * As cue_bus_emit(), with the cause said by the caller: for what happens later
 * than its cause, such as a playlist's step.
 * @param cause_seq 0 for none.
 * @param depth     the new event's depth.
 */
CUE_API int cue_bus_emit_caused(struct cue_bus *bus, const struct cue_emit *emit,
                                uint64_t cause_seq, unsigned depth, uint64_t *ret_seq);

/** The event being dispatched, or NULL outside of a handler. */
CUE_API const struct cue_event *cue_bus_current(const struct cue_bus *bus);

/** Ask `is_numbered` again for every known type (after a reload). */
CUE_API void cue_bus_refresh_types(struct cue_bus *bus);

/** Whether cue_bus_intern() of this type needs none of cue_bus_type_room(): it is known as one of
 *  the program's own, or reserved. */
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
	/** optional; runs once, when nothing can call the handler any more. */
	void (*destroy)(void *user);
	void *user;
	const char *name; /**< for reports; copied; may be NULL. */
};

/**
 * Subscribe; safe inside a handler, where it takes effect with the next event.
 * @return 0; -EINVAL; -ENOSPC; -ENOMEM.
 */
CUE_API int cue_bus_subscribe(struct cue_bus *bus, const struct cue_subscription_config *config,
                              struct cue_subscription **ret_subscription);

/** Cancel; safe inside any handler, its own included: the handler is not
 *  called again, not even for the event being dispatched. NULL is allowed.
 *  @return NULL. */
CUE_API struct cue_subscription *cue_subscription_cancel(struct cue_subscription *subscription);

/* ---- state store: the latest event of each (type, producer) ----
 *
 * By event time; of equal times the one dispatched last.
 *
 * Bounded by cue_limits.state_entries and state_bytes. What does not fit is
 * counted and reported, and takes the place of what was there: the store says
 * that it does not know the present value, never an old one. Each value counts
 * with its data, for its producer and, the newest of its type, once more. */

struct cue_state {
	const struct cue_type *type;
	uint32_t producer_id;
	uint64_t time_ns;
	uint64_t seq;
	struct cue_payload *payload; /**< borrowed; ref it to keep it. */
};

/**
 * @param producer_id NULL: the latest of any producer.
 * @return 0; -ENOENT nothing seen; -ENODATA something was seen but could not be kept.
 */
CUE_API int cue_bus_state_get(const struct cue_bus *bus, const char *type,
                              const uint32_t *producer_id, struct cue_state *ret_state);

/**
 * Visit the values kept in order of type name, then producer.
 * @param type        NULL: all types.
 * @param producer_id NULL: all producers.
 * @param visit       return non-zero to stop; must not emit.
 * @return what visit returned last, 0, or -ENOMEM.
 */
CUE_API int cue_bus_state_foreach(const struct cue_bus *bus, const char *type,
                                  const uint32_t *producer_id,
                                  int (*visit)(void *user, const struct cue_state *state),
                                  void *user);

#endif
