/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gesture_internal.h
 * @brief What the files gesture*.c share.
 *
 * gesture.c owns the registry, the subscriptions and what all gestures have in
 * common; each kind is one file behind struct gesture_kind.
 */
#ifndef CUEBUS_GESTURE_INTERNAL_H
#define CUEBUS_GESTURE_INTERNAL_H

#include "bus_internal.h"

#include <cuebus/gesture.h>
#include <cuebus/match.h>

struct cue_writer;
struct gesture;

/** Role of an event in a gesture. An event type may have several roles at once. */
enum gesture_role {
	GESTURE_ROLE_SOURCE = 1, /* taps, simultaneous, sequence, click, cycle */
	GESTURE_ROLE_GATE = 2,
	GESTURE_ROLE_MIRROR = 4,
	GESTURE_ROLE_RELEASE = 8, /* click */
	GESTURE_ROLE_LOST = 16,   /* click: edges of an input were lost */
	GESTURE_ROLE_RESET = 32,  /* cycle, as those below */
	GESTURE_ROLE_SET = 64,
	GESTURE_ROLE_FOLLOW = 128,
};

/** One kind of gesture. The config was checked before init. */
struct gesture_kind {
	/** Create `impl` and add the inputs with cue_gesture_add_input(). After a failure clear is
	 * called on the partial result. @return 0; -ENOSPC; -ENOMEM. */
	int (*init)(struct gesture *gesture, const struct cue_gesture_config *config);
	/** Handle an event that the gesture did not emit itself. @return 0 or negative errno. */
	int (*handle)(struct gesture *gesture, unsigned roles, const struct cue_event *event);
	/** Free `impl`, which may be NULL or incomplete. */
	void (*clear)(struct gesture *gesture);
	/** The definition ends while the bus runs: emit what must not be missing. NULL: nothing. */
	void (*end)(struct gesture *gesture);
};

extern const struct gesture_kind cue_gesture_kind_tap;
extern const struct gesture_kind cue_gesture_kind_simultaneous;
extern const struct gesture_kind cue_gesture_kind_sequence;
extern const struct gesture_kind cue_gesture_kind_gated_mirror;
extern const struct gesture_kind cue_gesture_kind_gated_playlist;
extern const struct gesture_kind cue_gesture_kind_click;
extern const struct gesture_kind cue_gesture_kind_cycle;

/** A type that the gesture listens to; `user` of the subscription. */
struct gesture_input {
	struct gesture *gesture;
	const struct cue_type *type;
	unsigned roles;
	struct cue_subscription *subscription;
};

struct gesture_held;

/** Events that wait for earlier ones: a ring in order of time. */
struct gesture_order {
	uint64_t wait_ns; /* an event is handled at its time plus this */
	struct gesture_held *ring;
	size_t head, n, cap; /* cap a power of two */
	size_t bytes;        /* data of the held events */
	size_t place;        /* in cue_gestures.holding, valid while n > 0 */
};

/** The last near miss that was told. */
struct gesture_near {
	bool told;
	uint64_t time_ns;
	uint64_t suppressed; /* since then */
};

struct gesture {
	struct cue_gestures *registry;
	struct cue_bus *bus;
	unsigned refs; /* one of the registry and one of each subscription */
	bool removed;  /* no longer in the registry; a handler may still be running */
	char *name;
	struct cue_id id;
	uint32_t origin;
	enum cue_gesture_type type;
	const struct gesture_kind *kind;
	void *impl;
	char *emit; /* NULL: a click, a mirror that keeps the type, or a gated playlist */
	/* The types that it emits: of `emit`, or of a click by enum cue_click; a NULL is not
	 * emitted. All NULL for a mirror that keeps the type, or a gated playlist. */
	const struct cue_type *outputs[CUE_CLICKS];
	char *peripheral; /* the value of `virtual_peripheral`, written once */
	size_t peripheral_len;
	int priority;
	uint64_t order; /* of definition */
	bool ordered;   /* the result depends on the order of the events; set by init */
	/* the longest delay of its inputs: what happened before is known this much later */
	uint64_t longest_delay_ns;
	struct gesture_order hold;
	const struct cue_event *handled; /* the event being handled; cause of the emitted event */
	uint64_t cooldown_ns;
	bool tells_near_misses;
	struct gesture_near near;
	struct gesture_input *inputs; /* does not move once there are subscriptions */
	size_t n_inputs, cap_inputs;
	uint64_t fired, cooled_down, producers_forgotten;
};

struct cue_gestures {
	struct cue_bus *bus;
	struct cue_playlists *playlists;
	struct gesture **items; /* by name */
	size_t n, cap;
	struct cue_gestures_stats stats;      /* without `definitions` */
	struct gesture_kept *oldest, *newest; /* all keepers in order of their last event */
	uint64_t next_order;
	bool delays_stale;        /* call cue_gesture_delays_update() before the next event */
	struct gesture **holding; /* gestures that hold events: a heap by due time of the first */
	size_t n_holding, cap_holding;
	struct cue_timer *hold_timer;
};

/* ---- gesture_object.c ---- */

/** Drop a reference; the last one frees it. */
void cue_gesture_unref(struct gesture *gesture);
/** Let the gesture handle an event whose turn it is. @return the kind's result. */
int cue_gesture_handle(struct gesture *gesture, unsigned roles, const struct cue_event *event);
/** Listen to @p type, or add @p role to it. @return 0; -ENOSPC; -ENOMEM. */
int cue_gesture_add_input(struct gesture *gesture, const char *type, enum gesture_role role);

/** A filter on events: the one place that decides which events a source, release or reset has. */
struct gesture_filter {
	const struct cue_type *type; /* NULL: no event */
	struct cue_match *match;     /* NULL: any data */
};
/** Compile a filter (its type NULL: none) and listen to its events.
 * @return 0; -ENOSPC; -ENOMEM: clear it all the same. */
int cue_gesture_filter_init(struct gesture *gesture, struct gesture_filter *filter,
                            const struct cue_filter *config, enum gesture_role role);
void cue_gesture_filter_clear(struct gesture_filter *filter);
bool cue_gesture_filter_takes(const struct gesture_filter *filter, const struct cue_event *event);

/* ---- gesture_order.c: events in the order of their times ---- */

/** Handle an event, or hold it until no earlier one can come.
 * @return 0; the result of handling this event. */
int cue_gesture_order(struct gesture *gesture, unsigned roles, const struct cue_event *event);
/** Set the wait. It also applies to events held already. */
void cue_gesture_order_set_wait(struct gesture *gesture, uint64_t wait_ns);
/** Drop the held events. */
void cue_gesture_order_clear(struct gesture *gesture);
/** cue_timer_handler of cue_gestures.hold_timer; @p user is the registry. */
void cue_gesture_order_due(void *user, struct cue_bus *bus, uint64_t deadline_ns);

/* ---- gesture_delays.c ---- */

/** Compute each gesture's wait from the delays of the types that it listens to. */
void cue_gesture_delays_update(struct cue_gestures *gestures);

/* ---- gesture_fire.c: firing ---- */

struct gesture_kept;

/** Time of a gesture's last firing; one for each state that fires independently. */
struct gesture_cooldown {
	bool fired;
	uint64_t time_ns;
};

/** Whether it may fire at @p time_ns; if not, it is counted as cooled down. */
bool cue_gesture_may_fire(struct gesture *gesture, const struct gesture_cooldown *cooldown,
                          uint64_t time_ns);
/** Count a firing and begin the cooldown. */
void cue_gesture_fired(struct gesture *gesture, struct gesture_cooldown *cooldown,
                       uint64_t time_ns);

/**
 * Emit an event of the gesture. The bus counts and reports a refused event; the gesture has then
 * not fired.
 * @return whether it was emitted.
 */
bool cue_gesture_emit(struct gesture *gesture, const char *type, uint32_t producer_id,
                      struct cue_payload *payload, uint64_t time_ns);

/**
 * Fire with the given events, unless the gesture is cooling down.
 * @param key    "events" or "sequence".
 * @param kept   the events, in the order of the list in the payload.
 * @return 0; -E2BIG; -ENOMEM.
 */
int cue_gesture_fire_events(struct gesture *gesture, struct gesture_cooldown *cooldown,
                            const char *key, const struct gesture_kept *kept, uint32_t producer_id);

/* ---- gesture_near_miss.c ---- */

struct near_miss {
	const char *reason;
	uint64_t exceeded_ns; /* 0: it is not one of time */
	size_t count;         /* events that were there … */
	size_t required;      /* … of so many */
};

/** Tell a near miss of the event being handled, for a gesture that tells them.
 * @return 0; -ENOMEM. */
int cue_gesture_near_miss(struct gesture *gesture, const struct near_miss *miss);
/** Whether @p gap_ns exceeds what is allowed by no more than that, and the gesture tells it. */
bool cue_gesture_is_near(const struct gesture *gesture, uint64_t gap_ns, uint64_t allowed_ns);

/* ---- gesture_kept.c: events kept until a gesture fires ---- */

struct producer_table;

/** A keeper of events: the first member of a producer table's items, or of a gesture as a whole.
 * All zero until cue_gesture_kept_begin(). */
struct gesture_kept {
	struct gesture *gesture;
	struct producer_table *table; /* NULL: the gesture as a whole */
	uint32_t producer_id;
	/* in the registry, by the last event, while bytes > 0 */
	struct gesture_kept *older, *newer;
	size_t bytes;             /* counted for cue_limits.gesture_bytes */
	struct cue_event *events; /* in order of time; set by the kind, with room for all */
	size_t n;
};

/** Begin a keeper. May evict others.
 * @param bytes memory of the keeper itself, if publishers from outside can cause more keepers; 0:
 *              it is counted with the definition. */
void cue_gesture_kept_begin(struct gesture_kept *kept, struct gesture *gesture, size_t bytes);
/** Keep an event in order of time, after those of equal time; takes its own reference on the
 * payload. May evict others, never this one. */
void cue_gesture_kept_insert(struct gesture_kept *kept, const struct cue_event *event);
/** Drop @p n events from @p first on. */
void cue_gesture_kept_drop(struct gesture_kept *kept, size_t first, size_t n);
void cue_gesture_kept_clear(struct gesture_kept *kept);
/** Drop all events and leave the registry's list. An all-zero keeper is allowed. */
void cue_gesture_kept_end(struct gesture_kept *kept);

/* ---- gesture_payload.c ---- */

/** `{"id":…,"name":…,"metadata":…}` @return 0; -ENOMEM. */
int cue_gesture_peripheral_write(const struct cue_id *id, const char *name,
                                 const struct cue_payload *metadata, char **ret_text,
                                 size_t *ret_len);
/** The last member of a gesture's data. */
void cue_gesture_write_peripheral(struct cue_writer *w, const struct gesture *gesture);
/** `{"<key>":[…],"virtual_peripheral":…}` @return 0; -E2BIG; -ENOMEM. */
int cue_gesture_payload_events(const struct gesture *gesture, const char *key,
                               const struct cue_event *events, size_t n,
                               struct cue_payload **ret_payload);
/** What a click's data says beside its events. */
struct gesture_click_data {
	enum cue_click click;
	uint64_t held_ns;      /* hold, repeat, release */
	uint32_t repeat_index; /* repeat */
	bool lost;             /* release */
};
/** @param events its presses. @return 0; -E2BIG; -ENOMEM. */
int cue_gesture_payload_click(const struct gesture *gesture, const struct gesture_click_data *data,
                              const struct cue_event *events, size_t n,
                              struct cue_payload **ret_payload);
/** The data of a mirrored event. @return 0; -E2BIG; -ENOMEM. */
int cue_gesture_payload_mirror(const struct gesture *gesture, struct cue_payload *data,
                               struct cue_payload **ret_payload);

/* ---- gesture_producers.c ---- */

struct producer;

/** State per producer, bounded: the least recently seen producer is evicted. */
struct producer_table {
	struct producer **buckets;
	size_t n_buckets; /* power of two */
	size_t n, max;
	size_t item_size;
	/* what an item owns beside itself, for cue_producer_table_item_bytes() */
	size_t beside_bytes;
	void (*item_clear)(void *item);
	struct producer *oldest, *newest;
};

/** @param max       producers kept, at least 1.
 * @param item_clear optional; frees the contents of an item.
 * @return 0; -ENOMEM. */
int cue_producer_table_init(struct producer_table *table, size_t max, size_t item_size,
                            void (*item_clear)(void *item));
/** The table may be all zero. */
void cue_producer_table_clear(struct producer_table *table);
/** The state of a producer, which becomes the most recently seen one. NULL: none. */
void *cue_producer_table_find(struct producer_table *table, uint32_t producer_id);
/**
 * As producer_table_find(), but creates an all-zero state if there is none.
 * @param ret_forgot set to whether another producer was evicted.
 * @return NULL: no memory (nothing was evicted).
 */
void *cue_producer_table_get(struct producer_table *table, uint32_t producer_id, bool *ret_forgot);

/** Call @p visit for each item, the least recently seen first. It must not change the table. */
void cue_producer_table_foreach(const struct producer_table *table, void (*visit)(void *item));
/** Remove an existing producer. */
void cue_producer_table_remove(struct producer_table *table, uint32_t producer_id);
/** Memory of one producer, in bytes. */
size_t cue_producer_table_item_bytes(const struct producer_table *table);

/* ---- gesture_cycle.c ---- */

/** Fill in what a cycle reports; of another gesture only `place`. */
void cue_gesture_cycle_info(const struct gesture *gesture, struct cue_gesture_info *info);
/** See cue_gesture_restore(). */
int cue_gesture_cycle_restore(struct gesture *gesture, int32_t place,
                              const struct cue_id *values_id);

/** cue_producer_table_get() for items that begin with a struct gesture_kept; counts evictions, and
 * may evict items of other gestures too. */
void *cue_gesture_producer(struct gesture *gesture, struct producer_table *table,
                           uint32_t producer_id);

#endif
