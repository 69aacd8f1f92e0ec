/* SPDX-License-Identifier: Apache-2.0 */
/* The reference model: time, dispatch, triggers and interrupts. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

static bool matches(const struct sc_filter *filter, const struct m_event *event)
{
	if (filter->type != event->type)
		return false;
	if (filter->compare == SC_ANY)
		return true;
	if (event->kind != M_PLAIN || event->v < 0)
		return false; /* there is no member "v" */
	return filter->compare == SC_EQUAL ? event->v == filter->v : event->v >= filter->v;
}

static bool any_matches(const struct sc_filter *filters, int n, const struct m_event *event)
{
	for (int i = 0; i < n; i++) {
		if (matches(&filters[i], event))
			return true;
	}
	return false;
}

static bool debounced(const struct model *m, const struct m_run *run, const struct m_event *event)
{
	const struct m_playlist *playlist = &m->playlists[model_playlist_of(m, run)];
	int64_t debounce = m->sc->defs[run->def].debounce;
	int64_t since = event->time - playlist->interrupted[event->type][event->producer];

	return playlist->was_interrupted[event->type][event->producer] && since > 0 &&
	       since < debounce;
}

static void interrupt(struct model *m, const struct m_event *event)
{
	bool which[M_RUNS] = { false };

	for (int i = 0; i < m->n_runs; i++) {
		const struct m_run *run = &m->runs[i];
		const struct sc_def *def = &m->sc->defs[run->def];

		which[i] = run->phase != M_ENDED && run->asked_in != m->dispatch &&
		           any_matches(def->interrupts, def->n_interrupts, event) &&
		           !debounced(m, run, event);
	}
	for (int i = 0; i < m->n_runs; i++) {
		/* A definition without debounce notes nothing for one that gets it later. */
		if (which[i] && m->sc->defs[m->runs[i].def].debounce > 0) {
			struct m_playlist *playlist =
			        &m->playlists[model_playlist_of(m, &m->runs[i])];

			playlist->was_interrupted[event->type][event->producer] = true;
			playlist->interrupted[event->type][event->producer] = event->time;
		}
	}
	model_end(m, which, "interrupted", "null", event->type, event->depth + 1);
}

/** The playlist with the lowest order above @p order, or -1. */
static int next_playlist(const struct model *m, int order)
{
	int best = -1;

	for (int i = 0; i < SC_PLAYLISTS; i++) {
		if (m->playlists[i].exists && m->playlists[i].order > order &&
		    (best < 0 || m->playlists[i].order < m->playlists[best].order))
			best = i;
	}
	return best;
}

static void trigger(struct model *m, const struct m_event *event)
{
	int order = -1;
	int i;

	while ((i = next_playlist(m, order)) >= 0) {
		const struct m_playlist *playlist = &m->playlists[i];
		const struct sc_def *def = &m->sc->defs[playlist->def];

		order = playlist->order;
		if (any_matches(def->triggers, def->n_triggers, event) &&
		    playlist->since[event->type] != m->dispatch)
			model_start(m, i, "trigger", -1);
	}
}

static void hooks(struct model *m, int level, const struct m_event *event)
{
	for (int i = 0; i < m->sc->n_hooks; i++) {
		const struct sc_hook *hook = &m->sc->hooks[i];

		if (hook->level == level && hook->type == event->type && m->hook_times[i]-- > 0)
			model_do(m, hook->op);
	}
}

static void drain(struct model *m)
{
	while (m->n_queue > 0 && !m->overflow) {
		struct m_event event = m->queue[0];

		m->n_queue--;
		memmove(&m->queue[0], &m->queue[1], (size_t)m->n_queue * sizeof(event));
		m->current = &event;
		m->dispatch++;
		hooks(m, 0, &event);
		interrupt(m, &event);
		model_steer_by(m, &event);
		hooks(m, 1, &event);
		trigger(m, &event);
		hooks(m, 2, &event);
		m->current = NULL;
	}
}

/* ---- time ---- */

static int compare(const void *a, const void *b)
{
	const struct m_occurrence *x = a, *y = b;

	if (x->deadline != y->deadline)
		return x->deadline < y->deadline ? -1 : 1;
	if (x->run != y->run)
		return x->run - y->run;
	return x->step != y->step ? x->step - y->step : x->repeat - y->repeat;
}

static int64_t read_clock(const struct model *m)
{
	return m->sc->late && m->clock > m->now ? m->clock : m->now;
}

static int64_t horizon(const struct model *m)
{
	int64_t clock = read_clock(m);

	return clock < m->target ? clock : m->target;
}

/** Whether a newer occurrence of the same step is overdue as well. */
static bool superseded(const struct model *m, const struct m_occurrence *occurrence)
{
	for (int i = 0; i < m->n_pending; i++) {
		const struct m_occurrence *other = &m->pending[i];

		if (other->run == occurrence->run && other->step == occurrence->step &&
		    other->repeat > occurrence->repeat && other->deadline <= horizon(m))
			return true;
	}
	return false;
}

/** Of the overdue occurrences keep only the newest one of the late step. */
static void drop_superseded(struct model *m, const struct m_occurrence *late)
{
	int kept = 0, n = m->n_pending;
	bool drop[8192];

	if (n > (int)(sizeof(drop) / sizeof(*drop)))
		abort();
	for (int i = 0; i < n; i++)
		drop[i] = m->pending[i].run == late->run && m->pending[i].step == late->step &&
		          superseded(m, &m->pending[i]);
	for (int i = 0; i < n; i++) {
		if (drop[i])
			m->runs[late->run].skipped++;
		else
			m->pending[kept++] = m->pending[i];
	}
	m->n_pending = kept;
}

static void fire(struct model *m, const struct m_occurrence *occurrence)
{
	struct m_run *run = &m->runs[occurrence->run];
	const struct sc_step *step = &m->sc->defs[run->def].steps[occurrence->step];
	int depth = occurrence->deadline == run->since ? run->depth : 0;
	int reported = depth + 1 < m->sc->cascade_depth ? depth + 1 : m->sc->cascade_depth;
	char data[32] = "null";
	bool left = false;

	if (step->v >= 0)
		snprintf(data, sizeof(data), "{\"v\":%d}", step->v);
	sc_log_line(m->log, "%lld %s #%u %s", (long long)m->now, sc_types[step->type],
	            step->producer, data);
	model_push(m, (struct m_event){ .type = step->type,
	                                .v = step->v,
	                                .producer = step->producer,
	                                .depth = depth });
	run->emitted++;
	sc_log_line(m->log, "%lld emitted R%d p%d %d.%d %s #%u %s offset %lld late %lld",
	            (long long)m->now, run->label, model_playlist_of(m, run), occurrence->step,
	            occurrence->repeat, sc_types[step->type], step->producer, data,
	            (long long)occurrence->at,
	            (long long)((read_clock(m) - occurrence->deadline) / 1000));
	model_push(m,
	           (struct m_event){ .type = SC_EMITTED, .kind = M_LIFECYCLE, .depth = reported });
	for (int i = 0; i < m->n_pending; i++)
		left |= m->pending[i].run == run->number;
	if (!left) {
		bool which[M_RUNS] = { false };

		which[run->number] = true;
		model_end(m, which, "completed", "null", -1, depth + 1);
	}
}

static void advance(struct model *m, int64_t target, bool inclusive)
{
	m->target = inclusive ? target : target - 1; /* a step at `target` itself is not overdue */
	while (!m->overflow) {
		struct m_occurrence first;
		if (m->n_pending == 0)
			break;
		qsort(m->pending, (size_t)m->n_pending, sizeof(*m->pending), compare);
		first = m->pending[0];
		if (first.deadline > target || (!inclusive && first.deadline == target))
			break;
		if (first.deadline > m->now)
			m->now = first.deadline;
		if (m->sc->defs[m->runs[first.run].def].skip && superseded(m, &first)) {
			drop_superseded(m, &first);
			continue;
		}
		m->n_pending--;
		memmove(&m->pending[0], &m->pending[1], (size_t)m->n_pending * sizeof(first));
		m->held++;
		fire(m, &first);
		m->held--;
		drain(m);
	}
	m->now = target;
}

bool model_play(const struct scenario *scenario, struct sc_log *log)
{
	struct model *m = calloc(1, sizeof(*m));
	bool fits;

	if (!m)
		abort();
	m->sc = scenario;
	m->log = log;
	for (int i = 0; i < scenario->n_hooks; i++)
		m->hook_times[i] = scenario->hooks[i].times;
	for (int i = 0; i < scenario->n_top && !m->overflow; i++) {
		const struct sc_op *op = &scenario->ops[i];

		m->clock = op->time + op->lag;
		advance(m, op->time, !op->before);
		model_do(m, i);
		drain(m);
	}
	m->clock = scenario->end;
	advance(m, scenario->end, true);
	sc_log_line(log, "end");
	for (int i = 0; i < SC_LAST_ROUNDS * SC_PLAYLISTS; i++) {
		model_do(m, scenario->n_ops + i % SC_PLAYLISTS);
		drain(m);
	}
	fits = !m->overflow;
	free(m->pending);
	free(m);
	return fits;
}
