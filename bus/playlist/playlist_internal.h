/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file playlist_internal.h
 * @brief Private: shared by the files of the playlist engine.
 *
 * cue_playlists   the set: playlists by name, types they listen to, runs
 *   playlist      a name with its definition in force and its active runs
 *     playlist_def  one version of a definition; shared with the runs on it
 *   type_node     an event type with the playlists it triggers and the
 *                 definitions with active runs that it interrupts
 *   run           one run, waiting or running; an ended one only until it is reported
 *
 * Every public call works between cue_bus_begin() and cue_bus_end(): events are only appended, so
 * nothing re-enters the engine in the middle of a change. The only exception is
 * cue_playlist_start.on_stopped. It is called last, when all lists are consistent again and only
 * local variables are used afterwards.
 */
#ifndef CUEBUS_PLAYLIST_INTERNAL_H
#define CUEBUS_PLAYLIST_INTERNAL_H

#include "bus_internal.h"

#include <cuebus/json_writer.h>
#include <cuebus/playlist.h>
#include <cuebus/pointer.h>

#define PLAYLIST_NAME_MAX_LEN 256U
#define PLAYLIST_STEPS_MAX    10000U
#define PLAYLIST_FILTERS_MAX  1000U
#define PLAYLIST_REPEAT_MAX   1000000000U

struct run;

enum run_list_kind { RUNS_OF_SET, RUNS_OF_PLAYLIST, RUNS_OF_VERSION, RUN_LIST_KINDS };

/** In order of creation. */
struct run_list {
	struct run *first, *last;
};

/* ---- definitions ---- */

struct playlist_filter {
	struct type_node *node; /* a reference */
	struct cue_match *match;
	uint64_t debounce_ns; /* of an interrupt */
};

struct playlist_step {
	const struct cue_type *type;
	struct cue_payload *data; /* NULL: null */
	uint64_t offset_ns;
	uint64_t interval_ns;
	uint32_t repeat; /* >= 1 */
	uint32_t producer_id;
};

/** An event that steers. */
struct playlist_steering {
	struct type_node *node; /* a reference */
	struct cue_steer steer;
	struct cue_pointer *pointer; /* NULL: the value is fixed */
};

/** One event type that interrupts or steers a definition. It is on the type's list of live links
 * while the definition has active runs. */
struct interrupt_link {
	struct type_node *node; /* a reference */
	struct playlist_def *def;
	struct interrupt_link *next, **link; /* link NULL: not live */
};

/** A version of a definition. Immutable except for the counts. */
struct playlist_def {
	unsigned refs;             /* one of the playlist in force, one of each run */
	struct playlist *playlist; /* NULL once removed */
	char *name;
	struct cue_id id;
	struct playlist_filter *triggers, *interrupts;
	size_t n_triggers, n_interrupts;
	struct playlist_steering *steerings;
	size_t n_steerings;
	struct interrupt_link *links; /* distinct types of `interrupts` and `steerings` */
	size_t n_links;
	const struct cue_type *completion; /* NULL: none */
	struct cue_payload *metadata;      /* NULL: none */
	enum cue_playlist_mode mode;
	enum cue_late late;
	enum cue_on_restart on_restart;
	uint32_t max_runs;
	bool debounces; /* some interrupt has a debounce */
	struct playlist_step *steps;
	uint32_t *order; /* indices of `steps` by (offset, index) */
	uint32_t n_steps;
	uint32_t n_repeating; /* steps with repeat > 1 */
	uint64_t expected_duration_ns;
	uint64_t shortest_interval_ns;  /* of the steps that repeat; 0: none does */
	double peak;                    /* most events in a second; 0: not computed yet */
	struct cue_payload *steps_json; /* `steps` of event.playlist.created */
	struct cue_payload *json;       /* the definition in the format of the configuration */
	struct run_list runs;           /* active runs on this version, including waiting ones */
	uint32_t n_runs;
};

/** @param config already checked. @return 0; -ENOSPC event types; -ENOMEM. */
int cue_playlist_def_new(struct cue_playlists *set, const struct cue_playlist_config *config,
                         struct playlist_def **ret_def);
struct playlist_def *cue_playlist_def_ref(struct playlist_def *def);
void cue_playlist_def_unref(struct playlist_def *def);
/** Whether a type is among the triggers (whatever their match). */
bool cue_playlist_def_is_triggered_by(const struct playlist_def *def, const struct type_node *node);

/** `steps` of event.playlist.created. */
int cue_playlist_steps_json(const struct playlist_def *def, struct cue_payload **ret_payload);
/** The definition in the format of the configuration, including defaults. */
int cue_playlist_json(const struct cue_playlist_config *config, struct cue_payload **ret_payload);

/* ---- types that playlists listen to ---- */

struct trigger_entry {
	struct playlist *playlist;
	uint64_t order; /* the playlist's */
	uint64_t since; /* number of the dispatch in or after which it was added */
};

struct type_node {
	struct cue_playlists *set;
	const struct cue_type *type;
	unsigned refs;    /* filters, links, entries, running handlers */
	unsigned n_links; /* of all versions that exist */
	struct interrupt_link *live;
	struct trigger_entry *triggers; /* by order */
	size_t n_triggers, cap_triggers;
	struct cue_subscription *trigger_subscription;   /* while n_triggers > 0 */
	struct cue_subscription *interrupt_subscription; /* while n_links > 0 */
};

/** Find or create a node; a reference. @return 0; -EINVAL; -ENOSPC; -ENOMEM. */
int cue_type_node_get(struct cue_playlists *set, const char *type, struct type_node **ret_node);
struct type_node *cue_type_node_ref(struct type_node *node);
void cue_type_node_unref(struct type_node *node);
/** Count links. The first one subscribes, removing the last one cancels. */
int cue_type_node_add_link(struct type_node *node);
void cue_type_node_remove_link(struct type_node *node);
/** Let the type trigger the playlist; no effect if it does already. @return 0; -ENOMEM. */
int cue_type_node_add_trigger(struct type_node *node, struct playlist *playlist);
void cue_type_node_remove_trigger(struct type_node *node, const struct playlist *playlist);
/** First entry with order >= @p order. */
size_t cue_type_node_find_trigger(const struct type_node *node, uint64_t order);

/* ---- playlist_steering.c ---- */

/** Steer the running runs that the type steers. */
void cue_playlist_on_steering(struct type_node *node, const struct cue_event *event);

/* Handlers of the two subscriptions, for cue_playlists; user is the type_node. */
int cue_playlist_on_trigger(void *user, struct cue_bus *bus, const struct cue_event *event);
int cue_playlist_on_interrupt(void *user, struct cue_bus *bus, const struct cue_event *event);

/* ---- runs ---- */

/** A step's next occurrence. */
struct occurrence {
	uint64_t at_ns; /* since the start of the run */
	uint32_t step;
	uint32_t repeat;
};

/** Position of a run in its definition. Future occurrences are those of the steps not yet begun, in
 * the definition's order, and those of a heap of repeating steps. */
struct run_steps {
	/* The start of a restored run may lie before the clock's zero if the machine was booted
	 * again: then it is taken modulo 2^64. */
	uint64_t start_ns;
	bool starts_before_zero;
	uint32_t next_first; /* into playlist_def.order */
	uint32_t n_heap;
	struct occurrence *heap; /* room for playlist_def.n_repeating */
};

/** @param elapsed_ns time since the beginning of the time line; 0: it begins now. */
void cue_run_steps_begin(struct run_steps *steps, uint64_t now_ns, uint64_t elapsed_ns);
/** Deadline of an occurrence; 0 if it lies before the clock's zero. */
uint64_t cue_run_steps_deadline(const struct run_steps *steps, uint64_t at_ns);
/** The earliest occurrence by (time, step). @return false if none remains. */
bool cue_run_steps_peek(const struct run_steps *steps, const struct playlist_def *def,
                        struct occurrence *ret_next);
/** Advance the step of the earliest occurrence by @p n repeats. */
void cue_run_steps_advance(struct run_steps *steps, const struct playlist_def *def, uint32_t n);
/** Number of occurrences of the step of @p next to skip, so that the newest one at or before @p
 * horizon_ns (since the start) is the next. */
uint32_t cue_run_steps_overdue(const struct playlist_def *def, const struct occurrence *next,
                               uint64_t horizon_ns);
/** Skip all occurrences at or before @p through_ns (since the start).
 * @return their number. */
uint64_t cue_run_steps_pass(struct run_steps *steps, const struct playlist_def *def,
                            uint64_t through_ns);
/** Number of occurrences of a whole run before @p at_ns. */
uint64_t cue_run_steps_rank(const struct playlist_def *def, uint64_t at_ns);
/** Number of occurrences to come that lie before @p at_ns. */
uint64_t cue_run_steps_count(const struct run_steps *steps, const struct playlist_def *def,
                             uint64_t at_ns);
/** Go to a position: what is before @p at_ns is over, the rest is to come. */
void cue_run_steps_seek(struct run_steps *steps, const struct playlist_def *def, uint64_t at_ns);

/** A position on a time line. */
struct run_position {
	uint64_t at_ns;    /* since the beginning */
	uint32_t fraction; /* and so many millionths of a nanosecond */
};

/** The time line of a run that somebody has steered; see run_line.c. */
struct run_line {
	struct run_position at; /* at since_ns */
	uint64_t since_ns;      /* of the last steering */
	uint32_t tempo;         /* in millionths */
	bool paused;
	/* At since_ns, for the journal: */
	uint64_t pending_ns;    /* the next occurrence; what is before it is over */
	uint64_t emitted_count; /* of the run */
	uint64_t skipped_count;
};

/** The position at @p now_ns; 0 at the start. */
uint64_t cue_run_position(const struct run *run, uint64_t now_ns);
struct run_position cue_run_exact_position(const struct run *run, uint64_t now_ns);
/** When a position comes: 0 if it lies before the clock's zero, CUE_TIME_NONE while paused. */
uint64_t cue_run_deadline(const struct run *run, uint64_t at_ns);
/** The time line as of now, whose anchor is now. @return a value; nothing changes. */
struct run_line cue_run_line_now(const struct run *run);
/** Arm the timer for the next occurrence, or disarm it. */
void cue_run_arm(struct run *run);

/** Cause of a start or an end, as lifecycle payloads show it. */
struct told_event {
	const struct cue_type *type; /* NULL: none */
	uint32_t producer_id;
	struct cue_payload *data; /* NULL: null; owned by the holder of this struct */
	enum cue_omitted omitted; /* why `data` is absent */
};

struct run_request {
	enum cue_cause cause;
	const char *request_id; /* JSON text, NULL: none */
	struct told_event trigger;
	void (*on_stopped)(void *user, const struct cue_run_result *result);
	void *user;
};

enum run_phase { RUN_WAITING, RUN_RUNNING, RUN_ENDED };

struct run_end {
	enum cue_stop_reason reason;
	const char *detail; /* borrowed for the call, or own_detail */
	char *own_detail;
	struct told_event interrupt;
	uint64_t cause_seq;
	unsigned depth;
};

struct run {
	struct cue_playlists *set;
	struct playlist_def *def; /* a reference */
	/* created with the run, so that equal deadlines keep the order of creation */
	struct cue_timer *timer;
	enum run_phase phase;
	struct cue_id id;
	uint64_t number; /* order of creation */
	struct run *hash_next;
	struct {
		struct run *prev, *next;
	} in[RUN_LIST_KINDS];
	struct run *next_ended;
	struct run_request request; /* request_id and trigger.data owned */
	uint64_t asked_ns;
	/* number of the dispatch of the start request, 0 outside of a dispatch */
	uint64_t asked_in;
	uint64_t cause_seq; /* of the start request; from `created` on that event's own */
	unsigned depth;     /* of `created`, and of the steps at the same point in time */
	/* of `created`, for those steps; a reference, or NULL */
	struct cascade *cascade;
	uint64_t emitted_count;
	uint64_t skipped_count;
	/* Cause `restore`: time of the restoring, and how far the run had come, both since the
	 * start. */
	uint64_t restored_at_ns, restored_passed_ns;
	bool keeps_trigger; /* request.trigger.data counts for the set's trigger_bytes */
	bool has_begun;
	bool was_overdue; /* event.playlist.overdue was emitted */
	struct run_end end;
	struct run_steps steps;
	struct run_line *line; /* NULL: nobody has steered it */
	struct occurrence heap[];
};

/** Ended runs to be reported and then freed. Zero-initialise. */
struct ended_list {
	struct run *first, *last;
};

struct run_table {
	struct run **buckets;
	size_t n_buckets; /* power of two */
	size_t n;
};

int cue_run_table_init(struct run_table *table);
void cue_run_table_clear(struct run_table *table);
struct run *cue_run_table_find(const struct run_table *table, const struct cue_id *id);
/** Reserve room for one more. @return 0; -ENOMEM. */
int cue_run_table_reserve(struct run_table *table);
void cue_run_table_insert(struct run_table *table, struct run *run);
void cue_run_table_remove(struct run_table *table, struct run *run);

void cue_run_list_append(struct run_list *list, struct run *run, enum run_list_kind kind);
void cue_run_list_remove(struct run_list *list, struct run *run, enum run_list_kind kind);

/** Create a run that is in no list yet. @param request copied. @return 0; -ENOMEM. */
int cue_run_new(struct cue_playlists *set, struct playlist_def *def,
                const struct run_request *request, struct run **ret_run);
/** Put a run into every list and index, waiting; def->playlist is not NULL. */
void cue_run_enlist(struct run *run, const struct cue_id *id);
/** End a run whose occurrences were all emitted or dropped. The caller holds the bus and afterwards
 * uses nothing that a callback could change. */
void cue_run_complete(struct run *run, uint64_t last_seq, unsigned last_depth);
/** Start, wait or refuse; the caller holds the bus. Errors as cue_playlist_start(). */
int cue_run_start(struct playlist *playlist, const struct run_request *request,
                  struct cue_id *ret_id);
/** Start a run's clock and emit `created`. A failure changes nothing. */
int cue_run_begin(struct run *run);
/** The run's timer, for cue_playlists. */
void cue_run_on_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns);
/** Steer a run; the caller holds the bus. As cue_run_steer(), except for -ENOENT. */
int cue_run_steer_one(struct run *run, const struct cue_steer *steer);
/** Add @p by to the number of paused runs if this is one. */
void cue_run_count_paused(const struct run *run, int by);
/** Whether a running run can be steered so. @return 0; -ERANGE; -EDOM; -ENOMEM. */
int cue_run_check_steer(const struct run *run, const struct cue_steer *steer);
/** Whether a run may go that fast. @return 0; -EDOM; -ENOMEM. */
int cue_playlist_check_tempo(const struct cue_playlists *set, struct playlist_def *def,
                             uint32_t tempo);
/** Remove a run from every list and index; cue_run_end_all() reports it. */
void cue_run_detach(struct run *run, const struct run_end *end, struct ended_list *ended);
/** Add a run to a list for cue_run_end_all(). */
void cue_run_push_ended(struct ended_list *ended, struct run *run);
/** Sort a list linked by next_ended by creation. @return the first. */
struct run *cue_run_sort(struct run *run);
/** Append `stopped` (and the completion event) of each run. Runs whose event the bus refuses stay
 * with the set, which tries again. */
void cue_run_tell_ended(struct cue_playlists *set, struct ended_list *ended);
/** Start the runs that waited for them, call on_stopped, free. Afterwards use nothing that a
 * callback could change. */
void cue_run_finish_ended(struct ended_list *ended);
/** Sort by creation, report, finish. */
void cue_run_end_all(struct cue_playlists *set, struct ended_list *ended);
void cue_run_free(struct run *run);

/* ---- lifecycle events; each returns the result of cue_bus_emit() ---- */

/** The quote of an event for the lifecycle events that follow from it. Data that can't be quoted is
 * counted, and `omitted` has the reason.
 * @param event `type` NULL: none. Borrowed, with its members.
 * @return `data` is a reference. */
struct told_event cue_lifecycle_quote(struct cue_bus *bus, const struct told_event *event);

int cue_lifecycle_created(const struct run *run, uint64_t *ret_seq);
int cue_lifecycle_emitted(const struct run *run, const struct occurrence *occurrence,
                          uint64_t late_us, uint64_t cause_seq, unsigned depth);
/** A steering, as its event tells it. */
struct run_steered {
	uint64_t from_ns; /* the position at which it happens */
	uint64_t to_ns;   /* seek */
	uint64_t skipped; /* seek */
	uint32_t tempo_before, tempo;
};
int cue_lifecycle_paused(const struct run *run, const struct run_steered *steered);
int cue_lifecycle_resumed(const struct run *run, const struct run_steered *steered);
int cue_lifecycle_seeked(const struct run *run, const struct run_steered *steered);
int cue_lifecycle_tempo_changed(const struct run *run, const struct run_steered *steered);
int cue_lifecycle_overdue(const struct run *run, uint64_t overdue_by_ns);
int cue_lifecycle_stopped(const struct run *run, uint64_t *ret_seq);
int cue_lifecycle_completion(const struct run *run, uint64_t stopped_seq);
int cue_lifecycle_rejected(const struct playlist_def *def, const struct cue_id *id,
                           const struct run_request *request, const char *reason,
                           const char *detail);

/** Call the observer for a waiting or running run. */
void cue_run_observe_active(const struct run *run);

/* ---- the set ---- */

/** The last interrupt of one source that stopped runs. */
struct past_interrupt {
	const struct cue_type *type;
	uint32_t producer_id;
	uint64_t time_ns;
};

struct playlist {
	struct cue_playlists *set;
	uint64_t order;           /* order of definition; redefinition keeps it */
	struct playlist_def *def; /* in force */
	struct run_list runs;     /* on any version */
	uint32_t n_runs, n_running;
	struct past_interrupt *past_interrupts; /* for the debounce; playlist_triggers.c */
	size_t n_past, cap_past;
};

struct cue_playlists {
	struct cue_bus *bus;
	/* Handlers of a run's timer and of a type_node's subscriptions. run.c and
	 * playlist_types.c register them here, because the files that define them build on
	 * those two. */
	cue_timer_handler on_run_timer;
	cue_handler on_trigger, on_interrupt;
	struct playlist **by_name;
	size_t n_playlists, cap_playlists;
	struct type_node **nodes; /* by address of their type */
	size_t n_nodes, cap_nodes;
	uint64_t serial; /* orders definitions and runs */
	struct run_table table;
	struct run_list runs;
	/* ended runs whose `stopped` was refused; linked as RUNS_OF_SET */
	struct run_list untold;
	struct playlist_def *restored; /* the version restored last; a reference */
	struct cue_run_observer observer;
	struct cue_playlist_limits limits;
	struct cue_playlists_stats stats;
};

/** A run has become active: decide whether to keep its trigger's data, and call the observer. */
void cue_run_become_active(struct run *run);
/** Drop the run's trigger data. */
void cue_run_release_trigger(struct run *run);

/** Replace 0 by the defaults. */
struct cue_playlist_limits cue_playlist_limits_complete(const struct cue_playlist_limits *limits);

struct playlist *cue_playlist_find(const struct cue_playlists *set, const char *name);

#endif
