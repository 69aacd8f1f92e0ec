/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest number of events that the steps of one run have in any one second.
 *
 * A step's share of the second that begins t after the start is a trapezoid over t: it rises while
 * the second reaches into the step's repeats, stays at the most of them that fit into a second, and
 * falls while they run out. Steps of one event a second or less jump instead. The sum over all
 * steps changes its slope only where one of them does, so its maximum is at one of these places:
 * O(n log n), no matter how often a step repeats. Where several steps rise and fall at once the sum
 * may be off by one for each of them.
 */
#include "playlist_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define EVENTS_PER_SECOND    10000U
#define SHORTEST_INTERVAL_NS (100 * CUE_NS_PER_US)

#define SECOND_NS ((int64_t)CUE_NS_PER_S)
/** Tolerance: sums of slopes are not exact. */
#define ROUNDING 1e-3

/** A place where a step's share changes. */
struct bend {
	int64_t at_ns;
	double jump;
	double slope; /* change of it, for each ns */
	uint32_t step;
};

/** When a step emits; of a definition or of its configuration. */
struct times {
	uint64_t offset_ns, interval_ns;
	uint32_t repeat;
};

static struct times times_of(const struct cue_step *step)
{
	return (struct times){ step->offset_ns, step->interval_ns,
		               step->repeat ? step->repeat : 1 };
}

/** The most events of one step in one second. */
static uint64_t peak(struct times step)
{
	uint64_t fit;

	if (step.repeat == 1 || step.interval_ns >= CUE_NS_PER_S)
		return 1;
	fit = (CUE_NS_PER_S + step.interval_ns - 1) / step.interval_ns;
	return fit < step.repeat ? fit : step.repeat;
}

static size_t add_bends(struct times step, uint32_t i, struct bend *bends)
{
	double most = (double)peak(step);
	int64_t first_ns = (int64_t)step.offset_ns;
	int64_t last_ns = first_ns + (int64_t)(step.repeat - 1) * (int64_t)step.interval_ns;
	int64_t begin_ns = first_ns - SECOND_NS + 1, end_ns = last_ns + 1;
	int64_t ramp_ns = (int64_t)(peak(step) * step.interval_ns);
	double slope;

	if (peak(step) == 1) {
		bends[0] = (struct bend){ .at_ns = begin_ns, .jump = 1, .step = i };
		bends[1] = (struct bend){ .at_ns = end_ns, .jump = -1, .step = i };
		return 2;
	}
	if (ramp_ns > SECOND_NS)
		ramp_ns = SECOND_NS;
	slope = most / (double)ramp_ns;
	end_ns += (int64_t)step.interval_ns;
	bends[0] = (struct bend){ .at_ns = begin_ns, .slope = slope, .step = i };
	bends[1] = (struct bend){ .at_ns = begin_ns + ramp_ns, .slope = -slope, .step = i };
	bends[2] = (struct bend){ .at_ns = end_ns - ramp_ns, .slope = -slope, .step = i };
	bends[3] = (struct bend){ .at_ns = end_ns, .slope = slope, .step = i };
	return 4;
}

/** By time; at equal times ends come before beginnings. */
static int by_time(const void *a, const void *b)
{
	const struct bend *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->jump != y->jump)
		return x->jump < y->jump ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

/**
 * @param ret_step of the steps in the fullest second, the one that begins last.
 * @return the most events in any second.
 */
static double fullest(const struct bend *bends, size_t n, uint32_t *ret_step)
{
	double value = 0, slope = 0, most = 0;
	uint32_t newest = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			value += slope * (double)(bends[i].at_ns - bends[i - 1].at_ns);
		if (value > most + ROUNDING) {
			most = value;
			*ret_step = newest;
		}
		if (bends[i].jump > 0 || bends[i].slope > 0)
			newest = bends[i].step;
		value += bends[i].jump;
		slope += bends[i].slope;
		if (value > most + ROUNDING) {
			most = value;
			*ret_step = newest;
		}
	}
	return most;
}

__attribute__((format(printf, 4, 5))) static int
refuse(struct cue_predicate_error *error, uint32_t step, const char *key, const char *format, ...)
{
	va_list args;

	if (!error)
		return -EINVAL;
	snprintf(error->path, sizeof(error->path), "/steps/%" PRIu32 "/%s", step, key);
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

static int refuse_rate(struct cue_predicate_error *error, const struct cue_playlist_config *config,
                       uint32_t step, double events, uint32_t limit)
{
	return refuse(error, step, config->steps[step].repeat > 1 ? "interval" : "emit",
	              "with this step %.0f events fall into one second of a run; "
	              "limits.events_per_second allows %" PRIu32,
	              events, limit);
}

static int check_sum(const struct cue_playlist_config *config, uint32_t limit,
                     struct cue_predicate_error *error)
{
	struct bend *bends = calloc(4 * config->n_steps, sizeof(*bends));
	uint32_t step = 0;
	double most;
	size_t n = 0;

	if (!bends)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_steps; i++)
		n += add_bends(times_of(&config->steps[i]), (uint32_t)i, bends + n);
	qsort(bends, n, sizeof(*bends), by_time);
	most = fullest(bends, n, &step);
	free(bends);
	return most > (double)limit + 0.5 ? refuse_rate(error, config, step, most, limit) : 0;
}

struct cue_playlist_limits cue_playlist_limits_complete(const struct cue_playlist_limits *limits)
{
	struct cue_playlist_limits l = *limits;

	if (l.events_per_second == 0)
		l.events_per_second = EVENTS_PER_SECOND;
	if (l.shortest_interval_ns == 0)
		l.shortest_interval_ns = SHORTEST_INTERVAL_NS;
	return l;
}

int cue_playlist_check_rate(const struct cue_playlist_config *config,
                            const struct cue_playlist_limits *limits,
                            struct cue_predicate_error *ret_error)
{
	struct cue_playlist_limits l = cue_playlist_limits_complete(limits);
	uint64_t sum = 0;

	for (size_t i = 0; i < config->n_steps; i++) {
		struct times step = times_of(&config->steps[i]);

		if (step.repeat > 1 && step.interval_ns < l.shortest_interval_ns)
			return refuse(ret_error, (uint32_t)i, "interval",
			              "an interval of %g us is under limits.shortest_interval, "
			              "%g us",
			              (double)step.interval_ns / 1e3,
			              (double)l.shortest_interval_ns / 1e3);
		if (peak(step) > l.events_per_second)
			return refuse_rate(ret_error, config, (uint32_t)i, (double)peak(step),
			                   l.events_per_second);
		sum += peak(step);
	}
	/* Usual case: even all events together are within the limit. */
	return sum <= l.events_per_second ? 0 : check_sum(config, l.events_per_second, ret_error);
}

/** The most events of a definition in one second, or a little more. @return 0; -ENOMEM. */
static int compute_peak(struct playlist_def *def)
{
	struct bend *bends = calloc(4 * (size_t)def->n_steps, sizeof(*bends));
	uint32_t step = 0;
	size_t n = 0;

	if (!bends)
		return -ENOMEM;
	for (uint32_t i = 0; i < def->n_steps; i++) {
		const struct playlist_step *s = &def->steps[i];

		n += add_bends((struct times){ s->offset_ns, s->interval_ns, s->repeat }, i,
		               bends + n);
	}
	qsort(bends, n, sizeof(*bends), by_time);
	def->peak = fullest(bends, n, &step);
	free(bends);
	return 0;
}

int cue_playlist_check_tempo(const struct cue_playlists *set, struct playlist_def *def,
                             uint32_t tempo)
{
	const struct cue_playlist_limits *limits = &set->limits;
	uint64_t all = cue_run_steps_rank(def, UINT64_MAX);
	/* So many seconds of the definition fall into one. */
	uint32_t seconds = (tempo + CUE_TEMPO_AS_WRITTEN - 1) / CUE_TEMPO_AS_WRITTEN;
	int r = 0;

	if (tempo <= CUE_TEMPO_AS_WRITTEN)
		return 0;
	if (def->shortest_interval_ns > 0 &&
	    (double)def->shortest_interval_ns * CUE_TEMPO_AS_WRITTEN <
	            (double)limits->shortest_interval_ns * tempo)
		return -EDOM;
	if (all <= limits->events_per_second)
		return 0;
	if (def->peak == 0)
		r = compute_peak(def);
	if (r < 0)
		return r;
	return def->peak * seconds > (double)limits->events_per_second + 0.5 ? -EDOM : 0;
}
