/* SPDX-License-Identifier: Apache-2.0 */
/* The reference model: pause, resume, seek and tempo. */
#include "model.h"

static int64_t up(int64_t n, int64_t divisor)
{
	return n / divisor + (n % divisor > 0);
}

/** The first nanosecond at which the position is reached. */
int64_t model_deadline(const struct m_run *run, int64_t at)
{
	int64_t missing = at * SC_AS_WRITTEN - run->position;

	if (run->paused)
		return INT64_MAX;
	if (at > run->position / SC_AS_WRITTEN)
		return run->since + up(missing, run->tempo);
	/* It is due already: as much earlier as its distance takes. */
	return run->since - up((run->position / SC_AS_WRITTEN - at) * SC_AS_WRITTEN, run->tempo);
}

static int64_t position(const struct model *m, const struct m_run *run)
{
	return run->paused ? run->position : run->position + (m->now - run->since) * run->tempo;
}

/** @return the end of its time line. */
static int64_t length(const struct sc_def *def)
{
	int64_t end = 0;

	for (int i = 0; i < def->n_steps; i++) {
		const struct sc_step *step = &def->steps[i];

		if (step->offset + (step->repeat - 1) * step->interval > end)
			end = step->offset + (step->repeat - 1) * step->interval;
	}
	return end;
}

static int count_before(const struct model *m, const struct m_run *run, int64_t at)
{
	int n = 0;

	for (int i = 0; i < m->n_pending; i++)
		n += m->pending[i].run == run->number && m->pending[i].at < at;
	return n;
}

static void put_deadlines(struct model *m, const struct m_run *run)
{
	for (int i = 0; i < m->n_pending; i++) {
		if (m->pending[i].run == run->number)
			m->pending[i].deadline = model_deadline(run, m->pending[i].at);
	}
}

/** @return the type of the event that tells it; -1: it is so already. */
static int steering(const struct m_run *run, const struct sc_op *op)
{
	if (op->kind == SC_PAUSE)
		return run->paused ? -1 : SC_PAUSED;
	if (op->kind == SC_RESUME)
		return run->paused ? SC_RESUMED : -1;
	if (op->kind == SC_SEEK)
		return SC_SEEKED;
	return op->tempo == run->tempo ? -1 : SC_TEMPO_CHANGED;
}

static void log_steering(struct model *m, struct m_run *run, const struct sc_op *op, int type)
{
	long long at = (long long)(position(m, run) / SC_AS_WRITTEN);

	if (op->kind == SC_SEEK)
		sc_log_line(m->log, "%lld seeked R%d at %lld from %lld skipped %d",
		            (long long)m->now, model_label(m, run), (long long)op->seek, at,
		            count_before(m, run, op->seek));
	else
		sc_log_line(m->log, "%lld %s R%d at %lld", (long long)m->now,
		            sc_types[type] + sizeof("event.playlist.") - 1, model_label(m, run),
		            at);
}

static void steer_run(struct model *m, struct m_run *run, const struct sc_op *op)
{
	int type = steering(run, op);

	if (type < 0 || model_current_depth(m) > m->sc->cascade_depth)
		return;
	log_steering(m, run, op, type);
	run->position = position(m, run);
	run->since = m->now;
	run->depth = model_current_depth(m);
	run->paused = type == SC_PAUSED || (run->paused && type != SC_RESUMED);
	if (type == SC_TEMPO_CHANGED)
		run->tempo = op->tempo;
	if (type == SC_SEEKED) {
		run->skipped += count_before(m, run, op->seek);
		run->position = op->seek * SC_AS_WRITTEN;
		model_forget_occurrences(m, run);
		model_add_occurrences(m, run, op->seek);
	}
	put_deadlines(m, run);
	model_push(m, (struct m_event){
	                      .type = type, .kind = M_LIFECYCLE, .depth = model_current_depth(m) });
}

static bool is_meant(const struct model *m, const struct m_run *run, const struct sc_op *op)
{
	return run->phase == M_RUNNING &&
	       (model_playlist_of(m, run) == op->playlist || (op->kind == SC_RESUME && op->all));
}

void model_steer(struct model *m, const struct sc_op *op)
{
	for (int i = 0; i < m->n_runs; i++) {
		const struct m_run *run = &m->runs[i];

		if (is_meant(m, run, op) && op->kind == SC_SEEK &&
		    op->seek > length(&m->sc->defs[run->def]))
			return;
	}
	for (int i = 0; i < m->n_runs; i++) {
		if (is_meant(m, &m->runs[i], op))
			steer_run(m, &m->runs[i], op);
	}
}

/** @return whether the event has what the steering needs. */
static bool make_op(const struct sc_steering *from, const struct m_event *event,
                    struct sc_op *ret_op)
{
	*ret_op = (struct sc_op){ .kind = (enum sc_op_kind)from->kind,
		                  .seek = from->seek,
		                  .tempo = from->tempo };
	if (!from->pointed || from->kind < SC_SEEK)
		return true;
	if (event->kind != M_PLAIN || event->v < 0)
		return false;
	ret_op->seek = event->v * 1000 * SC_MS;
	ret_op->tempo = event->v * (int)SC_AS_WRITTEN;
	return from->kind == SC_SEEK || event->v > 0;
}

void model_steer_by(struct model *m, const struct m_event *event)
{
	for (int i = 0; i < m->n_runs; i++) {
		struct m_run *run = &m->runs[i];
		const struct sc_def *def = &m->sc->defs[run->def];
		struct sc_op op;

		if (run->phase != M_RUNNING || run->asked_in == m->dispatch)
			continue;
		for (int k = 0; k < def->n_steerings; k++) {
			if (def->steerings[k].type == event->type &&
			    make_op(&def->steerings[k], event, &op) &&
			    !(op.kind == SC_SEEK && op.seek > length(def)))
				steer_run(m, run, &op);
		}
	}
}
