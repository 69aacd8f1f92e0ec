/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bus_internal.h
 * @brief Private: shared by the files of bus/ only.
 */
#ifndef CUEBUS_BUS_INTERNAL_H
#define CUEBUS_BUS_INTERNAL_H

#include <cuebus/bus.h>
#include <cuebus/payload.h>
#include <cuebus/timer.h>

/** An immutable, ordered list of the subscriptions that see a type. */
struct subscription_list {
	unsigned refs;
	size_t n;
	struct cue_subscription *items[];
};

struct cue_subscription {
	struct cue_bus *bus;
	/* list of all subscriptions of the bus, for cue_bus_free() */
	struct cue_subscription *next, **link;
	struct cue_type *type; /* exact; NULL for a wildcard */
	/* wildcard: the prefix of matching types ("" matches all) */
	char *prefix;
	char *name;
	int priority;
	uint64_t order;
	bool cancelled;
	unsigned refs;
	cue_handler handler;
	void (*destroy)(void *user);
	void *user;
};

/** Longest time from an event's own time to its dispatch; see gesture_delays.c. */
struct type_delay {
	bool known; /* false: 0 */
	uint64_t shortest_ns, longest_ns;
};

struct cue_type {
	char *name;
	size_t len;
	uint64_t hash;
	uint32_t id;
	bool numbered;
	bool outside;          /* so far only publishers from outside have used it */
	bool free;             /* reserved: counts for no limit */
	struct cue_type *next; /* in its hash bucket */
	struct cue_subscription **exact;
	size_t n_exact, cap_exact;
	struct subscription_list *list; /* cached; NULL: build it at the next event */
	struct type_delay input_delay;  /* set by cue_gestures_add_delay() */
	struct type_delay delay;        /* including events of gestures */
	/* The latest event of any producer. Separate from the state table so that it stays correct
	 * when the table is full. payload NULL: none, or not kept. */
	struct cue_state latest;
	bool latest_lost;  /* the latest value did not fit */
	bool entries_lost; /* a value of a producer without an entry did not fit */
};

struct intern_table {
	struct cue_type **buckets;
	size_t n_buckets; /* power of two */
	struct cue_type **by_id;
	size_t n, cap;
	size_t n_outside, n_own; /* types that count for each limit; reserved types do not */
	uint64_t seed;
};

struct state_entry {
	struct state_entry *next;
	struct cue_state state; /* payload NULL: it did not fit */
};

struct state_table {
	struct state_entry **buckets;
	size_t n_buckets; /* power of two */
	size_t n;
	uint64_t bytes; /* of the entries and of cue_type.latest */
};

struct cue_timer {
	struct cue_bus *bus;
	struct timer_queue *queue;
	uint64_t deadline_ns;
	uint64_t order;
	size_t position; /* in the heap; TIMER_IDLE when not armed */
	cue_timer_handler handler;
	void *user;
};

struct timer_queue {
	struct cue_timer **heap;
	size_t n, cap;
	size_t n_timers; /* existing timers; cap is never smaller */
};

/**
 * The common count of all events that follow from one event from outside, or from one timer with a
 * delay, at the same point in time. Runs hold it from the event that started them to their steps at
 * offset 0. See cascade.c.
 */
struct cascade {
	uint32_t refs;
	uint32_t n_events;
};

struct queued_event {
	struct cue_event event;  /* a reference to its payload */
	struct cascade *cascade; /* a reference; NULL: this event begins one */
};

struct event_queue {
	struct queued_event *ring;
	size_t head, n, cap; /* cap a power of two */
	uint64_t bytes;      /* of the payloads, counted for each event */
};

struct cue_bus {
	struct cue_bus_config config;
	struct cue_limits limits;
	char *gateway_id;
	uint64_t now_ns;
	uint64_t target_ns; /* of the running advance: the latest deadline that fires */
	uint64_t line_ns;   /* now, if no event had overtaken a timer */
	bool on_line;       /* a timer of that line is running: its events have that time */
	int64_t wall_offset_ns;
	uint64_t next_seq;
	const struct cue_event *current;
	unsigned hold; /* > 0: emits only append */
	bool dispatching;
	bool cutting;            /* until the queue is empty: see cue_bus_cut_backlog() */
	bool deferred;           /* an emit outside of a handler only appends */
	struct cascade *cascade; /* of the running event or timer; NULL: none yet */
	bool advancing;
	bool reporting;
	struct event_queue queue;
	struct intern_table types;
	struct state_table states;
	struct timer_queue timers, urgent;
	uint64_t next_timer; /* order of creation, over both queues */
	struct cue_subscription *subscriptions;
	struct cue_subscription **wildcards;
	size_t n_wildcards, cap_wildcards;
	uint64_t next_subscription;
	uint32_t definitions; /* playlists plus gestures; limits.definitions at most */
	uint32_t last_origin; /* last cue_event.origin assigned */
	struct cue_bus_stats stats;
};

/**
 * Between begin and end an emit outside of a handler only appends; the outermost end dispatches.
 * For calls that change several objects and must not be re-entered in between. Calls nest.
 */
void cue_bus_begin(struct cue_bus *bus);
void cue_bus_end(struct cue_bus *bus);

/** Random bytes from the owner. @return 0 or negative errno. */
int cue_bus_random(struct cue_bus *bus, void *buf, size_t len);

/** The clock for lateness; the bus's now if time is virtual. */
uint64_t cue_bus_clock(const struct cue_bus *bus);

/** Occurrences up to this time are overdue: min(clock, target of the running advance). The target
 * of an advance "before" a time is just below it. */
uint64_t cue_bus_horizon(const struct cue_bus *bus);

void cue_bus_report(struct cue_bus *bus, const struct cue_report *report);

/** A handler failed on @p event: count and report it. */
void cue_bus_handler_failed(struct cue_bus *bus, int error, const struct cue_event *event,
                            const char *what);

/**
 * Whether an event's data is nested deeper than cue_limits.json_depth, so that an event that embeds
 * it (trigger_event, a gesture's events) must omit it; counts it if so. Data from outside never is.
 * Without this limit the data of playlists or gestures that trigger each other would grow with
 * every round.
 */
bool cue_bus_too_deep(struct cue_bus *bus, const struct cue_payload *payload);

/** Cause and depth of an event that is appended now. */
void cue_bus_current_cause(const struct cue_bus *bus, uint64_t *ret_seq, unsigned *ret_depth);

/** Dispatch the waiting events, unless a dispatch is running or held back.
 * @param budget NULL: no bound. @return 0; -EAGAIN. */
int cue_queue_drain(struct cue_bus *bus, struct cue_budget *budget);
/** Count one step. @return false: the budget is used up. */
bool cue_budget_take(struct cue_budget *budget);

/* cascade.c */
struct cascade *cue_cascade_ref(struct cascade *cascade);
/** NULL is allowed. @return NULL. */
struct cascade *cue_cascade_unref(struct cascade *cascade);
/** The cascade of an event appended now, created if necessary; borrowed.
 * @param ret_cascade NULL outside of a dispatch. @return 0; -ENOMEM. */
int cue_cascade_current(struct cue_bus *bus, struct cascade **ret_cascade);

int cue_intern_init(struct intern_table *table, uint64_t seed);
void cue_intern_clear(struct intern_table *table);
struct cue_type *cue_intern_find(const struct intern_table *table, const char *name, size_t len);
/** @param outside see cue_emit. @return 0; -EINVAL; -ENOSPC (counted and reported); -ENOMEM. */
int cue_intern_type(struct cue_bus *bus, const char *name, bool outside,
                    struct cue_type **ret_type);

int cue_state_init(struct state_table *table);
void cue_state_clear(struct state_table *table);
void cue_state_update(struct cue_bus *bus, const struct cue_event *event);

/** Cancel all, and drop the lists of all types. Before cue_intern_clear(). */
void cue_subscriptions_clear(struct cue_bus *bus);
/** The list for a type, built if necessary. The caller drops the reference. NULL: no memory. */
struct subscription_list *cue_subscription_list_get(struct cue_bus *bus, struct cue_type *type);
void cue_subscription_list_unref(struct subscription_list *list);

/** Let a timer that is not armed fire after those with the same deadline, whenever they are
 * created: it asks what has not happened up to then. */
void cue_timer_put_last(struct cue_timer *timer);
/** Whether the earliest armed timer is due (deadline < limit, or == if @p inclusive). @param urgent
 * only urgent timers. */
bool cue_timer_is_due(const struct cue_bus *bus, uint64_t limit_ns, bool inclusive, bool urgent);
/** Remove and return the earliest timer of a queue that is not empty. */
struct cue_timer *cue_timer_pop(struct cue_bus *bus, bool urgent);

#endif
