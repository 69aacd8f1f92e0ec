/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file engine.h
 * @brief Bus, playlists, gestures, inputs and outputs, set up from a configuration.
 *
 * `run`, `simulate` and the trace tests use the same engine, in real and in virtual time. It does
 * not know MQTT. Thread: one.
 */
#ifndef CUEBUS_ENGINE_H
#define CUEBUS_ENGINE_H

#include <cuebus/cuebus.h>
#include <cuebus/json_writer.h>
#include <drivers/output.h>

#include "config_model.h"

/** Room for one sentence about what failed. */
#define ENGINE_ERROR_SIZE 512U

struct engine;

struct engine_config {
	const struct config *config; /**< borrowed until the next engine_apply() or engine_free() */
	uint64_t start_ns;
	int64_t wall_offset_ns;
	int (*random)(void *user, void *buf, size_t len);
	uint64_t (*clock_ns)(void *user); /**< NULL in virtual time */
	/** optional; the engine itself emits `gateway.cascade` and the like */
	void (*report)(void *user, const struct cue_report *report);
	/** Called when a retained view of an input or playlist changed; optional. */
	void (*input_changed)(void *user, const char *input);
	void (*playlist_changed)(void *user, const char *playlist);
	/** Called when an output's level or its reason changed; optional. */
	void (*output_changed)(void *user, const char *output);
	/** Called for the log when an input's driver failed (@p error has the reason) or works
	 * again (NULL); optional. */
	void (*input_failed)(void *user, const char *input, const char error[ENGINE_ERROR_SIZE]);
	/** Called for the log when a line was released that could not be set to its output's
	 * safe_value; optional. */
	void (*output_unsafe)(void *user, const char *output, int error);
	void *user;
	/** Source of drivers; NULL: driver_find() and output_driver_find(). */
	const struct driver_ops *(*find_driver)(const char *name);
	const struct output_ops *(*find_output)(const char *name);
	/** treat every input and output as `sim` (simulate) and open no driver */
	bool virtual_devices;
};

/** Create bus and engines and apply the configuration's definitions. Inputs and outputs are not
 * opened yet. */
int engine_new(const struct engine_config *config, struct engine **ret_engine);
/** Set outputs to safe_value, cancel runs without events, close inputs, and free everything. */
struct engine *engine_free(struct engine *engine);

struct cue_bus *engine_bus(struct engine *engine);
struct cue_playlists *engine_playlists(struct engine *engine);
struct cue_gestures *engine_gestures(struct engine *engine);
const struct config *engine_get_config(const struct engine *engine);

/** Write the reason of a failure for an event or a view, hiding values of the environment (such as
 * paths). */
void engine_write_reason(struct cue_writer *w, const struct engine *engine, const char *reason);

/**
 * Switch to a new, already checked configuration: changed definitions are redefined, missing ones
 * are removed, changed inputs and outputs are reopened. An unchanged output keeps its line and
 * level.
 * @return 0; negative errno: the old configuration is still in force, and @p error has
 *         the reason.
 */
int engine_apply(struct engine *engine, const struct config *config, char error[ENGINE_ERROR_SIZE]);

/** Report that a playlist's retained view changed. Call it after defining or removing a playlist
 * without engine_apply(). */
void engine_playlist_changed(struct engine *engine, const char *playlist);

/**
 * Open all outputs at their safe_value; from then on events set them. Call it before anything is
 * emitted, so that a level that a crash left on a line ends at once. Either all are opened or none.
 * @p error as output_ops.open.
 */
int engine_open_outputs(struct engine *engine, char error[ENGINE_ERROR_SIZE]);
/** Set all outputs to safe_value and release their lines; no event sets them any more. */
void engine_close_outputs(struct engine *engine);

/** Open the outputs if they are not open, then all inputs, then emit initial states. Either all are
 * opened or none. @p error as driver_ops.open. */
int engine_open_inputs(struct engine *engine, char error[ENGINE_ERROR_SIZE]);

/**
 * One wake-up: read every ready input and merge the edges by kernel time. For each edge, advance to
 * before its time, then feed it. Finally advance to @p now_ns.
 */
void engine_wake(struct engine *engine, uint64_t now_ns);

/* ---- fair scheduling; see engine_wake.c for the order ---- */

/**
 * From now on events emitted outside of a handler wait for the calls below, and engine_input_set()
 * needs engine_admit() before it.
 */
void engine_be_fair(struct engine *engine);

/**
 * As engine_wake(), within a budget.
 * @param budget NULL: none.
 * @return 0; -EAGAIN work remains: call again soon.
 */
int engine_wake_within(struct engine *engine, uint64_t now_ns, struct cue_budget *budget);

/**
 * Advance the engine to @p now_ns before handling something else from outside (a message, a
 * reload): inputs first, then due timers unless they are overtaken.
 * @return 0: handle it now, no event waits for dispatch; -EAGAIN not yet.
 */
int engine_admit(struct engine *engine, uint64_t now_ns, struct cue_budget *budget);

struct engine_wake_totals {
	uint64_t unfinished; /**< wake-ups that left work to the next one */
	uint64_t overtaken;  /**< edges and messages handled before overdue timers */
};
void engine_get_wake_totals(const struct engine *engine, struct engine_wake_totals *ret_totals);

/** Time at which engine_wake() next has work without a ready fd. */
uint64_t engine_next_deadline(struct engine *engine);

/**
 * File descriptors to poll; they may change in engine_wake() (a driver failed or was reopened),
 * engine_open_inputs() and engine_apply().
 * @return their number, of which at most @p max are stored.
 */
size_t engine_fds(struct engine *engine, int *fds, size_t max);

/**
 * Feed an edge of a sim input (input/set). Advances the bus to before @p time_ns, unless
 * engine_be_fair() was called. The event comes now, or with the next engine_wake().
 * @return 0; -ENOENT no such input; -EPERM its driver is not sim; -EINVAL line.
 */
int engine_input_set(struct engine *engine, const char *input, unsigned line, bool level,
                     uint64_t time_ns);

/**
 * Restore a counter or rotary: add @p value to its count or position, without event. Call it after
 * engine_open_inputs().
 * @return 0; -ENOENT no such input, or it has no `restore` or is of another kind.
 */
int engine_input_restore(struct engine *engine, const char *input, enum decoder_kind kind,
                         int64_t value);

/**
 * Put the position of a rotary with a range to @p position. If that changes it, the input emits its
 * event at @p time_ns, without `delta`. As with engine_input_set(), the event may come with the
 * next engine_wake().
 * @param ret_change the difference, 0: it was there already.
 * @return 0; -ENOENT no such input; -ENOTSUP no rotary with a range; -ERANGE outside of the range.
 */
int engine_input_position(struct engine *engine, const char *input, int64_t position,
                          uint64_t time_ns, int64_t *ret_change);

/** The range of an input's position; `present` is false if it has none, or there is no such
 * input. */
struct decoder_range engine_input_range(const struct engine *engine, const char *input);

/** One input with its current value, for P/input and P/info. */
struct engine_input_info {
	const char *name;
	const char *driver;
	enum decoder_kind kind;
	uint32_t producer_id;
	/** the last event's data; before it the position of a rotary with a range, else NULL */
	struct cue_payload *value;
	uint64_t time_ns;
	bool failed; /**< the driver failed; being reopened */
	uint64_t edges, bounces, gaps;
	int64_t counted;      /**< a counter's count, a rotary's position */
	int64_t counted_from; /**< `counted` at the first start */
	bool restore;         /**< `counted` must survive a restart */
	uint64_t limited;     /**< detents of a rotary that could not move its position */
};
int engine_input_foreach(struct engine *engine,
                         int (*visit)(void *user, const struct engine_input_info *info),
                         void *user);

/** The reason of an output's level. */
enum engine_output_why {
	ENGINE_OUTPUT_START, /**< safe_value since the opening; no event has set it yet */
	ENGINE_OUTPUT_EVENT, /**< an event set the level */
	/** safe_value: the line was released, or works again after a failure */
	ENGINE_OUTPUT_SAFE,
	ENGINE_OUTPUT_FAILED, /**< the driver failed: the level is unknown; being reopened */
};

/** One output, for P/health, P/info and P/output/<name>. */
struct engine_output_info {
	const char *name;
	const char *driver;
	bool level;  /**< logical, as it was last set */
	bool failed; /**< the driver failed; being reopened */
	enum engine_output_why why;
	uint64_t time_ns; /**< time since which both are valid */
};
int engine_output_foreach(struct engine *engine,
                          int (*visit)(void *user, const struct engine_output_info *info),
                          void *user);

/** Sums over all outputs since the start, including removed ones. */
struct engine_output_totals {
	uint64_t set; /**< times that an event set a line */
	/** events that set no line: their data has no level, they are older than the last one
	 * applied, or the driver had failed */
	uint64_t ignored;
	uint64_t failures; /**< times that a driver failed */
};
void engine_get_output_totals(const struct engine *engine, struct engine_output_totals *ret_totals);

#endif
