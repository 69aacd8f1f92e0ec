/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const sc_types[SC_TYPES] = {
	"t.0",
	"t.1",
	"t.2",
	"t.3",
	"t.4",
	"t.5",
	"event.playlist.created",
	"event.playlist.emitted",
	"event.playlist.stopped",
	"event.playlist.rejected",
	"event.playlist.paused",
	"event.playlist.resumed",
	"event.playlist.seeked",
	"event.playlist.tempo_changed",
};

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t sc_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int below(uint64_t *state, int n)
{
	return (int)(sc_random(state) % (uint64_t)n);
}

static bool one_in(uint64_t *state, int n)
{
	return below(state, n) == 0;
}

/* Few distinct values, so that deadlines collide often. */
static int64_t duration(uint64_t *state)
{
	static const int64_t some[] = { 0, 0, 10, 10, 20, 30, 50 };

	if (one_in(state, 12))
		return 1 + below(state, 40 * (int)SC_MS);
	return some[below(state, 7)] * SC_MS;
}

static struct sc_filter make_filter(uint64_t *s)
{
	struct sc_filter filter = { .type = below(s, SC_PLAIN_TYPES), .v = below(s, 4) };

	if (one_in(s, 10))
		filter.type = SC_CREATED + below(s, SC_TYPES - SC_CREATED);
	else if (one_in(s, 2))
		filter.compare = one_in(s, 2) ? SC_EQUAL : SC_AT_LEAST;
	return filter;
}

static struct sc_step make_step(uint64_t *s)
{
	struct sc_step step = {
		.type = below(s, SC_PLAIN_TYPES),
		.v = below(s, 5) - 1,
		.producer = (unsigned)below(s, SC_PRODUCERS),
		.offset = duration(s),
		.repeat = one_in(s, 2) ? 1 : 2 + below(s, one_in(s, 6) ? 12 : 4),
	};

	step.interval = duration(s);
	if (step.repeat > 1 && step.interval == 0)
		step.interval = 10 * SC_MS;
	return step;
}

static int make_tempo(uint64_t *s)
{
	static const int tempos[] = { 1000000, 1000000, 2000000,   500000,
		                      333333,  3141593, 100000000, 10000 };

	return tempos[below(s, (int)(sizeof(tempos) / sizeof(*tempos)))];
}

/** Each of another type: the definition is a map of types. */
static void make_steerings(uint64_t *s, struct sc_def *def)
{
	int type = below(s, SC_TYPES);

	def->n_steerings = one_in(s, 3) ? 1 + below(s, SC_STEERINGS) : 0;
	for (int i = 0; i < def->n_steerings; i++)
		def->steerings[i] = (struct sc_steering){
			.type = (type + i) % SC_TYPES,
			.kind = SC_PAUSE + below(s, SC_TEMPO - SC_PAUSE + 1),
			.seek = duration(s),
			.tempo = make_tempo(s),
			.pointed = one_in(s, 3),
		};
}

static struct sc_def make_def(uint64_t *s, int playlist, bool late)
{
	struct sc_def def = {
		.playlist = playlist,
		.n_triggers = below(s, SC_FILTERS + 1),
		.n_interrupts = below(s, SC_FILTERS + 1),
		.completion = one_in(s, 3) ? below(s, SC_PLAIN_TYPES) : -1,
		.metadata = one_in(s, 2),
		.mode = (enum sc_mode)below(s, 4),
		.max_runs = 1 + below(s, 4),
		.skip = late ? !one_in(s, 3) : one_in(s, 8),
		.debounce = one_in(s, 3) ? duration(s) : 0,
		.n_steps = 1 + below(s, SC_STEPS),
	};

	for (int i = 0; i < SC_FILTERS; i++) {
		def.triggers[i] = make_filter(s);
		def.interrupts[i] = make_filter(s);
	}
	for (int i = 0; i < SC_STEPS; i++)
		def.steps[i] = make_step(s);
	make_steerings(s, &def);
	return def;
}

static struct sc_op make_op(uint64_t *s, const struct scenario *sc)
{
	static const enum sc_op_kind kinds[] = {
		SC_EMIT,  SC_EMIT,   SC_EMIT,     SC_EMIT,     SC_EMIT,   SC_START,  SC_START,
		SC_START, SC_STOP,   SC_STOP_ALL, SC_STOP_RUN, SC_DEFINE, SC_DEFINE, SC_REMOVE,
		SC_PAUSE, SC_RESUME, SC_RESUME,   SC_SEEK,     SC_TEMPO,
	};
	struct sc_op op = {
		.kind = kinds[below(s, (int)(sizeof(kinds) / sizeof(*kinds)))],
		.playlist = below(s, SC_PLAYLISTS),
		.def = below(s, sc->n_defs),
		.type = below(s, SC_PLAIN_TYPES),
		.v = below(s, 5) - 1,
		.producer = (unsigned)below(s, SC_PRODUCERS),
		.pick = (unsigned)below(s, 100),
		.join = -1,
		.gesture = one_in(s, 3),
		.before = one_in(s, 2),
	};

	op.all = !one_in(s, 4);
	op.seek = duration(s) + (one_in(s, 2) ? duration(s) : 0);
	op.tempo = make_tempo(s);
	if (one_in(s, 3))
		op.join = sc->n_top + below(s, sc->n_ops - sc->n_top);
	if (sc->late)
		op.lag = one_in(s, 3) ? -duration(s) : duration(s);
	return op;
}

void scenario_make(uint64_t seed, struct scenario *ret)
{
	struct scenario *sc = ret;
	uint64_t state = seed;
	uint64_t *s = &state;
	int64_t time = 0;

	memset(sc, 0, sizeof(*sc));
	sc->seed = seed;
	sc->late = one_in(s, 4);
	sc->n_defs = SC_PLAYLISTS + below(s, SC_DEFS - SC_PLAYLISTS + 1);
	sc->n_top = 6 + below(s, 26);
	sc->n_ops = sc->n_top + 8;
	sc->n_hooks = below(s, SC_HOOKS + 1);
	sc->cascade_depth = 3 + below(s, 6);
	sc->active_runs = one_in(s, 4) ? 2 + below(s, 3) : 12;
	for (int i = 0; i < sc->n_defs; i++)
		sc->defs[i] = make_def(s, i < SC_PLAYLISTS ? i : below(s, SC_PLAYLISTS), sc->late);
	for (int i = 0; i < sc->n_ops; i++)
		sc->ops[i] = make_op(s, sc);
	/* Most playlists are there from the beginning. */
	for (int i = 0; i < SC_PLAYLISTS - 1; i++)
		sc->ops[i] = (struct sc_op){ .kind = SC_DEFINE, .def = i, .join = -1 };
	for (int i = SC_PLAYLISTS - 1; i < sc->n_top; i++) {
		time += duration(s);
		sc->ops[i].time = time;
	}
	for (int i = 0; i < sc->n_hooks; i++)
		sc->hooks[i] = (struct sc_hook){
			.type = one_in(s, 3) ? below(s, SC_TYPES) : below(s, SC_PLAIN_TYPES),
			.level = below(s, 3),
			.op = sc->n_top + below(s, sc->n_ops - sc->n_top),
			.times = 1 + below(s, 3),
		};
	sc->end = time + (one_in(s, 2) ? 1000 : 30) * SC_MS;
	for (int i = 0; i < SC_PLAYLISTS; i++)
		sc->ops[sc->n_ops + i] =
		        (struct sc_op){ .kind = SC_REMOVE, .playlist = i, .join = -1 };
}

/* ---- for the report of a failure ---- */

static void print_filters(const char *name, const struct sc_filter *filters, int n, FILE *file)
{
	static const char *const compare[] = { "", " v==", " v>=" };

	for (int i = 0; i < n; i++) {
		fprintf(file, " %s=[%s%s", name, sc_types[filters[i].type],
		        compare[filters[i].compare]);
		fprintf(file, filters[i].compare ? "%d]" : "]", filters[i].v);
	}
}

static void print_op(const struct scenario *sc, int i, FILE *file)
{
	static const char *const kinds[] = { "emit",     "start",  "stop",   "stop-all",
		                             "stop-run", "define", "remove", "pause",
		                             "resume",   "seek",   "tempo" };
	const struct sc_op *op = &sc->ops[i];

	fprintf(file, "  op %d: ", i);
	if (i < sc->n_top)
		fprintf(file, "at %lld%s (clock %+lld) ", (long long)op->time,
		        op->before ? " before timers" : "", (long long)op->lag);
	fprintf(file, "%s", kinds[op->kind]);
	if (op->kind == SC_EMIT)
		fprintf(file, " %s #%u v=%d", sc_types[op->type], op->producer, op->v);
	else if (op->kind == SC_DEFINE)
		fprintf(file, " def %d", op->def);
	else if (op->kind == SC_STOP_RUN)
		fprintf(file, " pick %u", op->pick);
	else if (op->kind == SC_SEEK)
		fprintf(file, " p%d to %lld", op->playlist, (long long)op->seek);
	else if (op->kind == SC_TEMPO)
		fprintf(file, " p%d %d", op->playlist, op->tempo);
	else if (op->kind != SC_STOP_ALL)
		fprintf(file, " p%d join %d", op->playlist, op->join);
	fprintf(file, "\n");
}

static void print_def(const struct sc_def *def, int i, FILE *file)
{
	static const char *const modes[] = { "parallel", "single", "restart", "queued" };

	fprintf(file, "  def %d: p%d %s max=%d%s debounce=%lld completion=%s", i, def->playlist,
	        modes[def->mode], def->max_runs, def->skip ? " skip" : "", (long long)def->debounce,
	        def->completion < 0 ? "-" : sc_types[def->completion]);
	print_filters("trigger", def->triggers, def->n_triggers, file);
	print_filters("interrupt", def->interrupts, def->n_interrupts, file);
	for (int k = 0; k < def->n_steerings; k++)
		fprintf(file, " on=[%s %d seek %lld tempo %d%s]", sc_types[def->steerings[k].type],
		        def->steerings[k].kind, (long long)def->steerings[k].seek,
		        def->steerings[k].tempo, def->steerings[k].pointed ? " v" : "");
	fprintf(file, "\n");
	for (int k = 0; k < def->n_steps; k++) {
		const struct sc_step *step = &def->steps[k];

		fprintf(file, "    step %d: %s #%u v=%d at %lld, %d times every %lld\n", k,
		        sc_types[step->type], step->producer, step->v, (long long)step->offset,
		        step->repeat, (long long)step->interval);
	}
}

void scenario_print(const struct scenario *sc, FILE *file)
{
	fprintf(file, "scenario: cascade depth %d, active runs %d%s, end %lld\n", sc->cascade_depth,
	        sc->active_runs, sc->late ? ", with a clock" : "", (long long)sc->end);
	for (int i = 0; i < sc->n_defs; i++)
		print_def(&sc->defs[i], i, file);
	for (int i = 0; i < sc->n_ops; i++)
		print_op(sc, i, file);
	for (int i = 0; i < sc->n_hooks; i++)
		fprintf(file, "  hook: %s, level %d: op %d, %d times\n",
		        sc_types[sc->hooks[i].type], sc->hooks[i].level, sc->hooks[i].op,
		        sc->hooks[i].times);
}

void sc_log_line(struct sc_log *log, const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		abort();
	line[n++] = '\n';
	if (log->len + (size_t)n + 1 > log->cap) {
		log->cap = 2 * log->cap + 4096;
		log->text = realloc(log->text, log->cap);
		if (!log->text)
			abort();
	}
	memcpy(log->text + log->len, line, (size_t)n);
	log->len += (size_t)n;
	log->text[log->len] = '\0';
	log->lines++;
}

void sc_log_clear(struct sc_log *log)
{
	free(log->text);
	*log = (struct sc_log){ 0 };
}
