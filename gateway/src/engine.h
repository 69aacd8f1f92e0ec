/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file engine.h
 * @brief Bus, playlists, gestures and inputs, set up from a configuration.
 *
 * The engine is what `run`, `simulate` and the trace tests share: the same
 * code in real and in virtual time. It knows nothing of MQTT. Thread: one.
 */
#ifndef CUEBUS_ENGINE_H
#define CUEBUS_ENGINE_H

#include <cuebus/cuebus.h>

#include "config.h"

struct engine;

struct engine_config {
	const struct config *config; /**< borrowed until the next engine_apply() or engine_free() */
	uint64_t start_ns;
	int64_t wall_offset_ns;
	int (*random)(void *user, void *buf, size_t len);
	uint64_t (*clock_ns)(void *user); /**< NULL in virtual time */
	void (*report)(void *user, const struct cue_report *report); /**< optional; the engine itself emits `gateway.cascade` and the like */
	/** Told when a retained view of an input or playlist changed; optional. */
	void (*input_changed)(void *user, const char *input);
	void (*playlist_changed)(void *user, const char *playlist);
	/** Told for the log when an input's driver failed (@p error says how) or works again (NULL); optional. */
	void (*input_failed)(void *user, const char *input, const char *error);
	void *user;
	/** Where drivers come from; NULL: driver_find(). */
	const struct driver_ops *(*find_driver)(const char *name);
	bool virtual_inputs; /**< every input is taken as `sim` (simulate); no driver is opened */
};

/** Makes bus and engines and applies the configuration's definitions; inputs are not opened yet. */
int engine_new(const struct engine_config *config, struct engine **ret_engine);
/** Cancels runs silently, closes inputs. */
struct engine *engine_free(struct engine *engine);

struct cue_bus *engine_bus(struct engine *engine);
struct cue_playlists *engine_playlists(struct engine *engine);
struct cue_gestures *engine_gestures(struct engine *engine);
const struct config *engine_get_config(const struct engine *engine);

/**
 * Swap to a new, already checked configuration: definitions that changed are
 * redefined, those gone are removed, inputs that changed are reopened.
 * @return 0, or a negative errno with the old one still in force and @p error
 *         (512 bytes) saying why.
 */
int engine_apply(struct engine *engine, const struct config *config, char *error);

/** For whoever defines or removes a playlist other than by engine_apply(): its retained view changed. */
void engine_playlist_changed(struct engine *engine, const char *playlist);

/** Open all inputs, then emit initial states. Either all are opened or none. @p error as driver_ops.open. */
int engine_open_inputs(struct engine *engine, char *error);

/**
 * One wake: read every ready input, merge by kernel time, and for each edge
 * advance to before its time, then feed it; last advance to @p now_ns.
 */
void engine_wake(struct engine *engine, uint64_t now_ns);

/** When engine_wake() next has work without any fd being ready. */
uint64_t engine_next_deadline(struct engine *engine);

/**
 * File descriptors to poll; they may change in engine_wake() (a driver failed
 * or was reopened), engine_open_inputs() and engine_apply().
 * @return the number there is, of which at most @p max are stored.
 */
size_t engine_fds(struct engine *engine, int *fds, size_t max);

/**
 * A sim input's edge (input/set): the bus is advanced to before @p time_ns.
 * @return 0; -ENOENT no such input; -EPERM its driver is not sim; -EINVAL line.
 */
int engine_input_set(struct engine *engine, const char *input, unsigned line, bool level, uint64_t time_ns);

/** Number and names of inputs and the current value of each, for P/input and P/info. */
struct engine_input_info {
	const char *name;
	const char *driver;
	enum decoder_kind kind;
	uint32_t producer_id;
	struct cue_payload *value; /**< last event's data, or NULL */
	uint64_t time_ns;
	bool failed;               /**< the driver failed; being reopened */
	uint64_t edges, bounces, gaps;
};
int engine_input_foreach(struct engine *engine,
                         int (*visit)(void *user, const struct engine_input_info *info), void *user);

#endif
