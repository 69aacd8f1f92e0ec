/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file simulate.h
 * @brief The engine in virtual time: input a configuration and a trace, output envelope lines; the
 *        same input always results in the same bytes.
 *
 * Times in this header are relative to the start of the simulation. Random ids come from a
 * generator with a fixed seed, wall time 0 is 1970-01-01T00:00:00Z. Thread: one.
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
	uint64_t start_ns; /**< the bus's CLOCK_MONOTONIC at time 0; never visible in the output */
	/** steps of the bus in one portion, for tests; 0: no bound; never visible in the output */
	uint32_t budget;
	/** As engine_config.clock_ns, for tests of lateness; NULL: nothing is ever late. */
	uint64_t (*clock_ns)(void *user);
	/** Called for each bridged event with its envelope, in order. @p line is valid during the
	 * call; no newline. */
	void (*event)(void *user, const struct cue_event *event, const char *line, size_t len);
	/** Called with each command's reply; optional. */
	void (*reply)(void *user, const char *command, const char *json, size_t len);
	void *user;
};

/**
 * Set up; nothing is emitted yet. The trace's entries are checked against the configuration.
 * @param error "" if there is no text.
 * @param ret_line with -EINVAL the wrong line of the trace, else 0.
 * @return 0; -EINVAL an entry does not match the configuration; -ENOMEM; errors of engine_new().
 */
int simulation_new(const struct simulation_config *config, struct simulation **ret_simulation,
                   char error[SIMULATION_ERROR_SIZE], unsigned *ret_line);
struct simulation *simulation_free(struct simulation *simulation);

struct engine *simulation_engine(struct simulation *simulation);

/** Open the inputs and emit initial states. Call it once, first. @return 0 or negative errno. */
int simulation_start(struct simulation *simulation);

/** Feed the entries up to @p time_ns, each at its own time, then serve the deadlines at or before
 * it. */
int simulation_advance(struct simulation *simulation, uint64_t time_ns);

/** As simulation_advance(), for entries and deadlines strictly before @p time_ns. */
int simulation_advance_before(struct simulation *simulation, uint64_t time_ns);

/** Dispatch events of a direct call on the engine. */
int simulation_settle(struct simulation *simulation);

/** Time of the next entry or deadline; CUE_TIME_NONE if there is none, or the next is beyond the
 * last time: see simulation_is_cut(). */
uint64_t simulation_next(const struct simulation *simulation);

/** Whether something is due after the last possible time, INT64_MAX ns on the bus's clock. */
bool simulation_is_cut(const struct simulation *simulation);

/** Number of events so far, including those that are not bridged. */
uint64_t simulation_events(const struct simulation *simulation);

#endif
