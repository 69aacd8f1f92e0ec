/* SPDX-License-Identifier: Apache-2.0 */
/* The reference model: starting and ending runs, and the calls of the API. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

int model_playlist_of(const struct model *m, const struct m_run *run)
{
	return m->sc->defs[run->def].playlist;
}

int model_current_depth(const struct model *m)
{
	return m->current ? m->current->depth + 1 : 0;
}

int model_label(struct model *m, struct m_run *run)
{
	if (run->label < 0)
		run->label = m->n_labels++;
	return run->label;
}

/** Too deep: cut, and not on the bus. */
void model_push(struct model *m, struct m_event event)
{
	if (event.depth > m->sc->cascade_depth)
		return;
	if (m->n_queue == M_QUEUE || ++m->n_events > M_MAX_EVENTS) {
		m->overflow = true;
		return;
	}
	event.time = m->now;
	m->queue[m->n_queue++] = event;
}

static int never_cut(const struct model *m, int depth)
{
	return depth < m->sc->cascade_depth ? depth : m->sc->cascade_depth;
}

static int count(const struct model *m, int playlist, enum m_phase phase)
{
	int n = 0;

	for (int i = 0; i < m->n_runs; i++)
		n += m->runs[i].phase == phase &&
		     (playlist < 0 || model_playlist_of(m, &m->runs[i]) == playlist);
	return n;
}

static int count_active(const struct model *m, int playlist)
{
	return count(m, playlist, M_WAITING) + count(m, playlist, M_RUNNING);
}

/** The occurrences from a position on. */
void model_add_occurrences(struct model *m, const struct m_run *run, int64_t from)
{
	const struct sc_def *def = &m->sc->defs[run->def];

	for (int step = 0; step < def->n_steps; step++) {
		for (int repeat = 0; repeat < def->steps[step].repeat; repeat++) {
			int64_t at = def->steps[step].offset + repeat * def->steps[step].interval;

			if (at < from)
				continue;
			if (m->n_pending == m->cap_pending) {
				m->cap_pending = 2 * m->cap_pending + 256;
				m->pending = realloc(m->pending,
				                     (size_t)m->cap_pending * sizeof(*m->pending));
				if (!m->pending)
					abort();
			}
			m->pending[m->n_pending++] = (struct m_occurrence){
				.at = at,
				.deadline = model_deadline(run, at),
				.run = run->number,
				.step = step,
				.repeat = repeat,
			};
		}
	}
}

void model_begin(struct model *m, struct m_run *run)
{
	run->phase = M_RUNNING;
	run->start = run->since = m->now;
	run->tempo = SC_AS_WRITTEN;
	if (m->now != run->asked)
		run->depth = 0;
	model_add_occurrences(m, run, 0);
	sc_log_line(m->log, "%lld created R%d p%d %s", (long long)m->now, model_label(m, run),
	            model_playlist_of(m, run), run->cause);
	model_push(m, (struct m_event){
	                      .type = SC_CREATED, .kind = M_LIFECYCLE, .depth = run->depth });
}

void model_forget_occurrences(struct model *m, const struct m_run *run)
{
	int kept = 0;

	for (int i = 0; i < m->n_pending; i++) {
		if (m->pending[i].run != run->number)
			m->pending[kept++] = m->pending[i];
	}
	m->n_pending = kept;
}

static void tell_end(struct model *m, struct m_run *run)
{
	const struct sc_def *def = &m->sc->defs[run->def];

	sc_log_line(m->log, "%lld stopped R%d p%d %s %s %d skipped %d by %s", (long long)m->now,
	            model_label(m, run), def->playlist, run->reason, run->detail, run->emitted,
	            run->skipped, run->interrupt < 0 ? "-" : sc_types[run->interrupt]);
	model_push(m, (struct m_event){ .type = SC_STOPPED,
	                                .kind = M_LIFECYCLE,
	                                .depth = never_cut(m, run->end_depth) });
	if (strcmp(run->reason, "completed") != 0 || def->completion < 0 ||
	    run->end_depth + 1 > m->sc->cascade_depth)
		return;
	sc_log_line(m->log, "%lld %s #0 of R%d", (long long)m->now, sc_types[def->completion],
	            model_label(m, run));
	model_push(m, (struct m_event){ .type = def->completion,
	                                .kind = M_COMPLETION,
	                                .v = -1,
	                                .depth = run->end_depth + 1 });
}

static void mark_ended(struct model *m, const bool which[M_RUNS], const char *reason,
                       const char *detail, int interrupt, int depth)
{
	for (int i = 0; i < m->n_runs; i++) {
		if (!which[i])
			continue;
		m->runs[i].phase = M_ENDED;
		m->runs[i].reason = reason;
		m->runs[i].detail = detail;
		m->runs[i].interrupt = interrupt;
		m->runs[i].end_depth = depth;
		model_forget_occurrences(m, &m->runs[i]);
	}
}

static void tell_all(struct model *m, const bool which[M_RUNS], int n)
{
	for (int i = 0; i < n; i++) {
		if (which[i])
			tell_end(m, &m->runs[i]);
	}
}

/** The oldest waiting run of a playlist that has nothing running starts. */
static void start_waiting(struct model *m, int playlist)
{
	if (count(m, playlist, M_RUNNING) > 0)
		return;
	for (int i = 0; i < m->n_runs; i++) {
		if (m->runs[i].phase != M_WAITING || model_playlist_of(m, &m->runs[i]) != playlist)
			continue;
		model_begin(m, &m->runs[i]);
		return;
	}
}

static void follow_up(struct model *m, const bool which[M_RUNS], int n)
{
	for (int i = 0; i < n; i++) {
		if (which[i])
			start_waiting(m, model_playlist_of(m, &m->runs[i]));
	}
	for (int i = 0; i < n; i++) {
		if (which[i] && m->runs[i].join >= 0)
			model_do(m, m->runs[i].join);
	}
}

void model_end(struct model *m, const bool which[M_RUNS], const char *reason, const char *detail,
               int interrupt, int depth)
{
	int n = m->n_runs;

	mark_ended(m, which, reason, detail, interrupt, depth);
	tell_all(m, which, n);
	follow_up(m, which, n);
}

/** @return why a start is refused, or NULL. */
static const char *refusal(const struct model *m, int playlist)
{
	const struct sc_def *def = &m->sc->defs[m->playlists[playlist].def];
	int own = count_active(m, playlist);
	int all = count_active(m, -1);

	if (def->mode == SC_SINGLE && own > 0)
		return "busy";
	if ((def->mode == SC_PARALLEL || def->mode == SC_QUEUED) && own >= def->max_runs)
		return "max_runs";
	if (def->mode == SC_RESTART)
		all -= own;
	return all >= m->sc->active_runs ? "active_runs" : NULL;
}

static struct m_run *new_run(struct model *m, int playlist, const char *cause, int join)
{
	struct m_run *run;

	if (m->n_runs == M_RUNS) {
		m->overflow = true;
		return NULL;
	}
	run = &m->runs[m->n_runs];
	*run = (struct m_run){
		.number = m->n_runs++,
		.label = -1,
		.def = m->playlists[playlist].def,
		.asked = m->now,
		.asked_in = m->current ? m->dispatch : -1,
		.depth = model_current_depth(m),
		.join = join,
		.cause = cause,
		.interrupt = -1,
	};
	return run;
}

void model_start(struct model *m, int playlist, const char *cause, int join)
{
	const struct sc_def *def = &m->sc->defs[m->playlists[playlist].def];
	bool which[M_RUNS] = { false };
	const char *why;
	struct m_run *run;
	bool busy;
	int n;

	if (model_current_depth(m) > m->sc->cascade_depth)
		return;
	why = refusal(m, playlist);
	if (why) {
		sc_log_line(m->log, "%lld rejected R%d p%d %s %s", (long long)m->now, m->n_labels++,
		            playlist, why, cause);
		model_push(m, (struct m_event){ .type = SC_REJECTED,
		                                .kind = M_LIFECYCLE,
		                                .depth = model_current_depth(m) });
		return;
	}
	busy = count_active(m, playlist) > 0;
	n = m->n_runs;
	for (int i = 0; i < n; i++)
		which[i] = def->mode == SC_RESTART && m->runs[i].phase != M_ENDED &&
		           model_playlist_of(m, &m->runs[i]) == playlist;
	run = new_run(m, playlist, cause, join);
	if (!run)
		return;
	mark_ended(m, which, "cancelled", "restart", -1, model_current_depth(m));
	tell_all(m, which, n);
	if (def->mode != SC_QUEUED || !busy)
		model_begin(m, run);
	follow_up(m, which, n);
}

/* ---- calls of the API ---- */

static void define(struct model *m, int def)
{
	int index = m->sc->defs[def].playlist;
	struct m_playlist *playlist = &m->playlists[index];
	bool before[SC_TYPES] = { false }, now[SC_TYPES] = { false };

	if (playlist->exists) {
		const struct sc_def *old = &m->sc->defs[playlist->def];

		for (int i = 0; i < old->n_triggers; i++)
			before[old->triggers[i].type] = true;
	} else {
		*playlist = (struct m_playlist){ .exists = true, .order = m->n_orders++ };
	}
	playlist->def = def;
	for (int i = 0; i < m->sc->defs[def].n_triggers; i++)
		now[m->sc->defs[def].triggers[i].type] = true;
	for (int t = 0; t < SC_TYPES; t++) {
		if (now[t] && !before[t])
			playlist->since[t] = m->current ? m->dispatch : -1;
	}
}

static void stop(struct model *m, int playlist, int only, const char *detail)
{
	bool which[M_RUNS] = { false };

	for (int i = 0; i < m->n_runs; i++)
		which[i] = m->runs[i].phase != M_ENDED && (only < 0 || i == only) &&
		           (playlist < 0 || model_playlist_of(m, &m->runs[i]) == playlist);
	model_end(m, which, "cancelled", detail, -1, model_current_depth(m));
}

static void stop_picked(struct model *m, unsigned pick)
{
	int n = count_active(m, -1);
	int skip;

	if (n == 0)
		return;
	skip = (int)(pick % (unsigned)n);
	for (int i = 0; i < m->n_runs; i++) {
		if (m->runs[i].phase != M_ENDED && skip-- == 0) {
			stop(m, -1, i, "picked");
			return;
		}
	}
}

void model_do(struct model *m, int index)
{
	const struct sc_op *op = &m->sc->ops[index];
	struct m_playlist *playlist = &m->playlists[op->playlist];

	m->held++;
	switch (op->kind) {
	case SC_EMIT:
		if (model_current_depth(m) > m->sc->cascade_depth)
			break;
		if (op->v < 0)
			sc_log_line(m->log, "%lld %s #%u null", (long long)m->now,
			            sc_types[op->type], op->producer);
		else
			sc_log_line(m->log, "%lld %s #%u {\"v\":%d}", (long long)m->now,
			            sc_types[op->type], op->producer, op->v);
		model_push(m, (struct m_event){ .type = op->type,
		                                .v = op->v,
		                                .producer = op->producer,
		                                .depth = model_current_depth(m) });
		break;
	case SC_START:
		if (playlist->exists)
			model_start(m, op->playlist, op->gesture ? "gesture" : "command", op->join);
		break;
	case SC_STOP:
		if (playlist->exists)
			stop(m, op->playlist, -1, "command");
		break;
	case SC_STOP_ALL:
		stop(m, -1, -1, "command");
		break;
	case SC_STOP_RUN:
		stop_picked(m, op->pick);
		break;
	case SC_DEFINE:
		define(m, op->def);
		break;
	case SC_REMOVE:
		if (playlist->exists) {
			playlist->exists = false;
			stop(m, op->playlist, -1, "removed");
		}
		break;
	case SC_PAUSE:
	case SC_RESUME:
	case SC_SEEK:
	case SC_TEMPO:
		if (playlist->exists || (op->kind == SC_RESUME && op->all))
			model_steer(m, op);
		break;
	}
	m->held--;
}
