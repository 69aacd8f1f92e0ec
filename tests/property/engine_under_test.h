/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file engine_under_test.h
 * @brief Runs a scenario on the real bus and playlists and writes the same log
 *        as the model; checks on the way what must hold whatever happens.
 */
#ifndef CUE_ENGINE_UNDER_TEST_H
#define CUE_ENGINE_UNDER_TEST_H

#include "scenario.h"

#include <cjson/cJSON.h>
#include <cuebus/cuebus.h>

enum { INV_RUNS = 2048 };

struct inv_run {
	char id[CUE_ID_TEXT_SIZE];
	bool created, stopped, rejected, steered;
	uint64_t created_seq, created_ns, stopped_seq;
	int emitted;
};

/** What must hold of any sequence of events. */
struct invariants {
	struct inv_run runs[INV_RUNS];
	int n_runs;
	struct cue_event previous; /* payload not kept */
	int previous_stopped;      /* run whose `stopped` came just before, -1 none */
	char failure[256];         /* the first one */
	uint64_t skipped;
};

/** Index of the run, new ones at the end. */
int invariants_run(struct invariants *inv, const char *id);
void invariants_see(struct invariants *inv, const struct cue_event *event, const cJSON *json);
/** After all runs were stopped. */
void invariants_finish(struct invariants *inv, const struct cue_bus *bus,
                       const struct cue_playlists *playlists);
void invariants_fail(struct invariants *inv, const char *text, uint64_t seq);

/**
 * @param start_ns the bus's first now.
 * @param step_ns  advance in steps no longer than this; 0: only to each op's time.
 * @param budget   steps of the bus in one portion; 0: all at once.
 * @param ret_failure what did not hold, "" if all did; 256 bytes.
 */
void engine_play(const struct scenario *scenario, uint64_t start_ns, uint64_t step_ns,
                 uint32_t budget, struct sc_log *log, char *ret_failure);

#endif
