/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file simulate.h
 * @brief The engine in virtual time: a configuration and a trace in, envelope
 *        lines out, the same bytes every time.
 *
 * Times in this header are relative to the start of the simulation. Random ids
 * come from a generator with a fixed seed, wall time 0 is 1970-01-01T00:00:00Z.
 * Thread: one.
 */
#ifndef CUEBUS_SIMULATE_H
#define CUEBUS_SIMULATE_H

#include <drivers/trace.h>

#include "config_model.h"
#include "engine.h"

struct simulation;

#define SIMULATION_BOOT_ID    "00000000"
#define SIMULATION_ERROR_SIZE 512U

struct simulation_config {
	const struct config *config; /**< borrowed, outlives the simulation */
	const struct trace *trace;   /**< borrowed, outlives the simulation; NULL: none */
	uint64_t start_ns; /**< what the bus takes as CLOCK_MONOTONIC at time 0; shows nowhere */
	/** steps of the bus in one portion, for tests; 0: no bound; shows nowhere */
	uint32_t budget;
	/** As engine_config.clock_ns, for tests of lateness; NULL: nothing is ever late. */
	uint64_t (*clock_ns)(void *user);
	/** Each bridged event and its envelope, in order. @p line is valid
	 *  during the call; no newline. */
	void (*event)(void *user, const struct cue_event *event, const char *line, size_t len);
	/** Each command's reply; optional. */
	void (*reply)(void *user, const char *command, const char *json, size_t len);
	void *user;
};

/**
 * Set up; nothing is emitted yet. The trace's entries are checked against the
 * configuration.
 * @param error SIMULATION_ERROR_SIZE bytes; "" unless something can be said.
 * @param ret_line with -EINVAL the trace's line at fault, else 0.
 * @return 0; -EINVAL an entry does not fit the configuration; -ENOMEM; what engine_new() returns.
 */
int simulation_new(const struct simulation_config *config, struct simulation **ret_simulation,
                   char *error, unsigned *ret_line);
struct simulation *simulation_free(struct simulation *simulation);

struct engine *simulation_engine(struct simulation *simulation);

/** Open the inputs: initial states go out. Call once, first. @return 0 or negative errno. */
int simulation_start(struct simulation *simulation);

/** Feed the entries up to @p time_ns, each at its own time, then serve
 *  what is due at or before it. */
int simulation_advance(struct simulation *simulation, uint64_t time_ns);

/** The same for what is strictly before @p time_ns. */
int simulation_advance_before(struct simulation *simulation, uint64_t time_ns);

/** Dispatch what a call on the engine from outside of the simulation has emitted. */
int simulation_settle(struct simulation *simulation);

/** Time of the next entry or deadline; CUE_TIME_NONE when there is neither, or the next is later
 *  than time goes: see simulation_is_cut(). */
uint64_t simulation_next(const struct simulation *simulation);

/** Whether something is left that is due after the last time there is,
 *  INT64_MAX ns on the bus's clock. */
bool simulation_is_cut(const struct simulation *simulation);

/** Events so far, those that are not bridged included. */
uint64_t simulation_events(const struct simulation *simulation);

#endif
