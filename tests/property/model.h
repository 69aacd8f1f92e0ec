/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file model.h
 * @brief The reference: what the bus and its playlists do, as plainly as can be.
 *
 * Deliberately naive: every occurrence of every run is an entry of one flat list that is sorted
 * again for each step; runs and playlists are searched linearly. No code is shared with the engine.
 */
#ifndef CUE_MODEL_H
#define CUE_MODEL_H

#include "scenario.h"

enum { M_RUNS = 1024, M_QUEUE = 2048, M_MAX_EVENTS = 400 };

enum m_kind { M_PLAIN, M_COMPLETION, M_LIFECYCLE };

struct m_event {
	int64_t time;
	int type;
	enum m_kind kind;
	int v;
	unsigned producer;
	int depth;
};

enum m_phase { M_WAITING, M_RUNNING, M_ENDED };

struct m_run {
	int number; /* in order of asking */
	int label;  /* in order of appearance in the log; -1 not yet */
	int def;
	enum m_phase phase;
	int64_t asked, start;
	/* The time line: `position`, in millionths of a ns, at `since`, passing at `tempo`. */
	int64_t since, position;
	int tempo; /* in millionths */
	bool paused;
	int asked_in;
	int depth;
	int join;
	int emitted, skipped;
	const char *cause;
	const char *reason, *detail;
	int interrupt; /* type, -1 none */
	int end_depth;
};

struct m_occurrence {
	int64_t at; /* on the time line */
	int64_t deadline;
	int run, step, repeat;
};

struct m_playlist {
	bool exists;
	int order, def;
	bool was_interrupted[SC_TYPES][SC_PRODUCERS];
	int64_t interrupted[SC_TYPES][SC_PRODUCERS];
	int since[SC_TYPES]; /* dispatch in which a type became a trigger; -1 outside of any */
};

struct model {
	const struct scenario *sc;
	struct sc_log *log;
	int64_t now, target, clock;
	bool advancing, overflow;
	int held; /* an op, a timer: events wait */
	struct m_event queue[M_QUEUE];
	int n_queue, n_events;
	const struct m_event *current;
	int dispatch;
	struct m_playlist playlists[SC_PLAYLISTS];
	int n_orders, n_labels;
	struct m_run runs[M_RUNS];
	int n_runs;
	struct m_occurrence *pending; /* of all runs */
	int n_pending, cap_pending;
	int hook_times[SC_HOOKS];
};

/** Run the scenario. @return false when it grows beyond what is worth comparing. */
bool model_play(const struct scenario *scenario, struct sc_log *log);

/* model_runs.c */
void model_push(struct model *m, struct m_event event);
int model_current_depth(const struct model *m);
void model_start(struct model *m, int playlist, const char *cause, int join);
void model_begin(struct model *m, struct m_run *run);
/** End the runs marked in @p which, in order of their numbers. */
void model_end(struct model *m, const bool which[M_RUNS], const char *reason, const char *detail,
               int interrupt, int depth);
void model_do(struct model *m, int op);
int model_playlist_of(const struct model *m, const struct m_run *run);
/** The run's name in the log. */
int model_label(struct model *m, struct m_run *run);
/** Put the occurrences from a position on among the pending ones. */
void model_add_occurrences(struct model *m, const struct m_run *run, int64_t from);
void model_forget_occurrences(struct model *m, const struct m_run *run);

/* model_steer.c */
/** When a position of the run's time line comes; INT64_MAX while it is paused. */
int64_t model_deadline(const struct m_run *run, int64_t at);
/** Steer the playlist's running runs, unless one of them can't be. */
void model_steer(struct model *m, const struct sc_op *op);
/** Steer the runs whose definitions say so of this event. */
void model_steer_by(struct model *m, const struct m_event *event);

#endif
