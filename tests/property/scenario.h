/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file scenario.h
 * @brief A random scenario: definitions and what happens when. Plain data that
 *        both the engine and the reference model are run on.
 */
#ifndef CUE_SCENARIO_H
#define CUE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SC_MS 1000000LL
/** The tempo of a run that nobody has changed. */
#define SC_AS_WRITTEN 1000000LL

enum {
	SC_PLAIN_TYPES = 6,
	SC_CREATED = 6,
	SC_EMITTED,
	SC_STOPPED,
	SC_REJECTED,
	SC_PAUSED,
	SC_RESUMED,
	SC_SEEKED,
	SC_TEMPO_CHANGED,
	SC_TYPES
};
extern const char *const sc_types[SC_TYPES];
enum { SC_PRODUCERS = 3 };

enum {
	SC_PLAYLISTS = 4,
	SC_DEFS = 10,
	SC_STEPS = 5,
	SC_FILTERS = 3,
	SC_STEERINGS = 2,
	SC_OPS = 44,
	SC_LAST_ROUNDS = 3,
	SC_HOOKS = 4
};

enum sc_compare { SC_ANY, SC_EQUAL, SC_AT_LEAST };

struct sc_filter {
	int type;
	enum sc_compare compare; /* with member "v" */
	int v;
};

struct sc_step {
	int type;
	int v; /* data {"v":v}, -1: null */
	unsigned producer;
	int64_t offset, interval; /* ns */
	int repeat;
};

/** An event that steers, as an op of these kinds: PAUSE, RESUME, SEEK, TEMPO. */
struct sc_steering {
	int type;
	int kind;
	int64_t seek;
	int tempo;
	bool pointed; /* the value is the event's "v" */
};

enum sc_mode { SC_PARALLEL, SC_SINGLE, SC_RESTART, SC_QUEUED };

struct sc_def {
	int playlist;
	struct sc_filter triggers[SC_FILTERS], interrupts[SC_FILTERS];
	int n_triggers, n_interrupts;
	struct sc_steering steerings[SC_STEERINGS];
	int n_steerings;
	int completion; /* type, -1 none */
	bool metadata;
	enum sc_mode mode;
	int max_runs;
	bool skip;
	int64_t debounce;
	struct sc_step steps[SC_STEPS];
	int n_steps;
};

enum sc_op_kind {
	SC_EMIT,
	SC_START,
	SC_STOP,
	SC_STOP_ALL,
	SC_STOP_RUN,
	SC_DEFINE,
	SC_REMOVE,
	SC_PAUSE,
	SC_RESUME,
	SC_SEEK,
	SC_TEMPO
};

struct sc_op {
	enum sc_op_kind kind;
	int playlist, def, type, v;
	unsigned producer;
	unsigned pick; /* STOP_RUN: of the active ones */
	int join;      /* START: op done when the run has stopped, -1 none */
	bool gesture;  /* START: cause */
	int64_t seek;  /* SEEK: the position */
	int tempo;     /* TEMPO: in millionths */
	bool all;      /* RESUME: of all playlists */
	int64_t time;  /* of a top-level op */
	bool before;   /* advance to strictly before its time */
	int64_t lag;   /* late scenarios: clock minus target of that advance */
};

/** A handler that does an op when it sees an event of a type. */
struct sc_hook {
	int type;
	int level; /* 0 before the interrupts, 1 before the triggers, 2 after them */
	int op;
	int times;
};

struct scenario {
	uint64_t seed;
	/* ops[0..n_top) happen by time, those up to n_ops from hooks and joins; then
	 * there is one for each playlist that removes it, done SC_LAST_ROUNDS times
	 * at the end (a `stopped` may trigger, a join define and start again). */
	int n_defs, n_ops, n_top, n_hooks;
	struct sc_def defs[SC_DEFS];
	struct sc_op ops[SC_OPS];
	struct sc_hook hooks[SC_HOOKS];
	int cascade_depth;
	int active_runs;
	bool late; /* there is a clock */
	int64_t end;
};

uint64_t sc_random(uint64_t *state);
void scenario_make(uint64_t seed, struct scenario *ret_scenario);
void scenario_print(const struct scenario *scenario, FILE *file);

/** What both write: one line for each event dispatched. Grows; zero-initialise. */
struct sc_log {
	char *text;
	size_t len, cap;
	unsigned lines;
};

void sc_log_line(struct sc_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sc_log_clear(struct sc_log *log);

#endif
