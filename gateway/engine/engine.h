/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file engine.h
 * @brief Bus, playlists, gestures, inputs and outputs, set up from a configuration.
 *
 * The engine is what `run`, `simulate` and the trace tests share: the same
 * code in real and in virtual time. It knows nothing of MQTT. Thread: one.
 */
#ifndef CUEBUS_ENGINE_H
#define CUEBUS_ENGINE_H

#include <cuebus/cuebus.h>
#include <cuebus/json_writer.h>
#include <drivers/output.h>

#include "config_model.h"

struct engine;

struct engine_config {
	const struct config *config; /**< borrowed until the next engine_apply() or engine_free() */
	uint64_t start_ns;
	int64_t wall_offset_ns;
	int (*random)(void *user, void *buf, size_t len);
	uint64_t (*clock_ns)(void *user); /**< NULL in virtual time */
	/** optional; the engine itself emits `gateway.cascade` and the like */
	void (*report)(void *user, const struct cue_report *report);
	/** Told when a retained view of an input or playlist changed; optional. */
	void (*input_changed)(void *user, const char *input);
	void (*playlist_changed)(void *user, const char *playlist);
	/** Told when an output's level or the reason for it changed; optional. */
	void (*output_changed)(void *user, const char *output);
	/** Told for the log when an input's driver failed (@p error says how) or
	 *  works again (NULL); optional. */
	void (*input_failed)(void *user, const char *input, const char *error);
	/** Told for the log when a line was given back that could not be set to its
	 *  output's safe_value; optional. */
	void (*output_unsafe)(void *user, const char *output, int error);
	void *user;
	/** Where drivers come from; NULL: driver_find() and output_driver_find(). */
	const struct driver_ops *(*find_driver)(const char *name);
	const struct output_ops *(*find_output)(const char *name);
	/** every input and output is taken as `sim` (simulate); no driver is opened */
	bool virtual_devices;
};

/** Makes bus and engines and applies the configuration's definitions; inputs and
 *  outputs are not opened yet. */
int engine_new(const struct engine_config *config, struct engine **ret_engine);
/** Outputs go to safe_value, runs are cancelled silently, inputs closed. */
struct engine *engine_free(struct engine *engine);

struct cue_bus *engine_bus(struct engine *engine);
struct cue_playlists *engine_playlists(struct engine *engine);
struct cue_gestures *engine_gestures(struct engine *engine);
const struct config *engine_get_config(const struct engine *engine);

/** A text about what failed, for an event or a view: a path in it may be from the environment. */
void engine_write_reason(struct cue_writer *w, const struct engine *engine, const char *reason);

/**
 * Swap to a new, already checked configuration: definitions that changed are
 * redefined, those gone are removed, inputs and outputs that changed are
 * reopened. An output that did not change keeps its line and level.
 * @return 0, or a negative errno with the old one still in force and @p error
 *         (512 bytes) saying why.
 */
int engine_apply(struct engine *engine, const struct config *config, char *error);

/** For whoever defines or removes a playlist other than by
 *  engine_apply(): its retained view changed. */
void engine_playlist_changed(struct engine *engine, const char *playlist);

/**
 * Open all outputs at their safe_value; from then on events set them. To be
 * called before anything is emitted, so that whatever a crash left on a line is
 * gone at once. Either all are opened or none. @p error as output_ops.open.
 */
int engine_open_outputs(struct engine *engine, char *error);
/** All outputs to safe_value and their lines given back; no event sets them any more. */
void engine_close_outputs(struct engine *engine);

/** Open the outputs unless that was done, then all inputs, then emit initial states. Either all are
 *  opened or none. @p error as driver_ops.open. */
int engine_open_inputs(struct engine *engine, char *error);

/**
 * One wake: read every ready input, merge by kernel time, and for each edge
 * advance to before its time, then feed it; last advance to @p now_ns.
 */
void engine_wake(struct engine *engine, uint64_t now_ns);

/* ---- a fair share for everybody; see engine_wake.c for who goes before whom ---- */

/**
 * From now on what is emitted outside of a handler waits for the calls below,
 * and engine_input_set() needs engine_admit() before it.
 */
void engine_be_fair(struct engine *engine);

/**
 * As engine_wake(), within a budget.
 * @param budget NULL: none.
 * @return 0; -EAGAIN work is left: call again soon.
 */
int engine_wake_within(struct engine *engine, uint64_t now_ns, struct cue_budget *budget);

/**
 * Bring the engine to @p now_ns for something else from outside (a message, a
 * reload): inputs first, then what is due unless that is to be overtaken.
 * @return 0: it may be handled now, nothing waits for dispatch; -EAGAIN not yet.
 */
int engine_admit(struct engine *engine, uint64_t now_ns, struct cue_budget *budget);

struct engine_wake_totals {
	uint64_t unfinished; /**< wakes that left work to the next */
	uint64_t overtaken;  /**< edges and messages that went before overdue timers */
};
void engine_get_wake_totals(const struct engine *engine, struct engine_wake_totals *ret_totals);

/** When engine_wake() next has work without any fd being ready. */
uint64_t engine_next_deadline(struct engine *engine);

/**
 * File descriptors to poll; they may change in engine_wake() (a driver failed
 * or was reopened), engine_open_inputs() and engine_apply().
 * @return the number there is, of which at most @p max are stored.
 */
size_t engine_fds(struct engine *engine, int *fds, size_t max);

/**
 * A sim input's edge (input/set): the bus is advanced to before @p time_ns, unless
 * engine_be_fair() was called. The event comes now, or with the next engine_wake().
 * @return 0; -ENOENT no such input; -EPERM its driver is not sim; -EINVAL line.
 */
int engine_input_set(struct engine *engine, const char *input, unsigned line, bool level,
                     uint64_t time_ns);

/**
 * A counter or rotary goes on from what it had counted before: @p value is added to
 * its count or position; no event. After engine_open_inputs().
 * @return 0; -ENOENT no such input, or it does not ask for it (`restore`) or is of another kind.
 */
int engine_input_restore(struct engine *engine, const char *input, enum decoder_kind kind,
                         int64_t value);

/** Number and names of inputs and the current value of each, for P/input and P/info. */
struct engine_input_info {
	const char *name;
	const char *driver;
	enum decoder_kind kind;
	uint32_t producer_id;
	struct cue_payload *value; /**< last event's data, or NULL */
	uint64_t time_ns;
	bool failed; /**< the driver failed; being reopened */
	uint64_t edges, bounces, gaps;
	int64_t counted; /**< a counter's count, a rotary's position */
	bool restore;    /**< that is to outlast a restart */
};
int engine_input_foreach(struct engine *engine,
                         int (*visit)(void *user, const struct engine_input_info *info),
                         void *user);

/** Why an output's line has the level that it has. */
enum engine_output_why {
	ENGINE_OUTPUT_START, /**< safe_value, as it was opened; no event has set it yet */
	ENGINE_OUTPUT_EVENT, /**< an event set it */
	/** safe_value: the line was given back, or works again after a failure */
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
	uint64_t time_ns; /**< since when both are so */
};
int engine_output_foreach(struct engine *engine,
                          int (*visit)(void *user, const struct engine_output_info *info),
                          void *user);

/** All outputs together, since the start; those a reload has removed included. */
struct engine_output_totals {
	uint64_t set; /**< times that an event set a line */
	/** events that set none: their data has no level there, they are older than the last one
	 *  that did, or the driver had failed */
	uint64_t ignored;
	uint64_t failures; /**< times that a driver failed */
};
void engine_get_output_totals(const struct engine *engine, struct engine_output_totals *ret_totals);

#endif
