/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays golden traces. Each is run with several time steps, two start times and several budgets
 * of the bus, and all must give the expected bytes: the events do not depend on the portions of
 * time and work, or on the clock's value.
 */
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "simulate.h"
#include "trace_case.h"
#include "trace_subscriber.h"

#define EVENTS_MAX 100000U

struct mode {
	uint64_t step_ns; /**< 0: from deadline to deadline */
	uint64_t start_ns;
	const char *name;
	uint32_t budget; /**< 0: no bound */
};

#define START 987654321123456789ULL

static const struct mode modes[] = {
	{ 0, 0, "from deadline to deadline, start 0", 0 },
	{ CUE_NS_PER_MS, 0, "step 1 ms, start 0", 0 },
	{ 7 * CUE_NS_PER_MS, 0, "step 7 ms, start 0", 0 },
	{ 50 * CUE_NS_PER_MS, 0, "step 50 ms, start 0", 0 },
	{ CUE_NS_PER_S, 0, "step 1 s, start 0", 0 },
	{ 0, START, "from deadline to deadline, start 987654321.123456789 s", 0 },
	{ CUE_NS_PER_MS, START, "step 1 ms, start 987654321.123456789 s", 0 },
	{ 7 * CUE_NS_PER_MS, START, "step 7 ms, start 987654321.123456789 s", 0 },
	{ 50 * CUE_NS_PER_MS, START, "step 50 ms, start 987654321.123456789 s", 0 },
	{ CUE_NS_PER_S, START, "step 1 s, start 987654321.123456789 s", 0 },
	{ 0, 0, "from deadline to deadline, start 0, budget 1", 1 },
	{ 0, 0, "from deadline to deadline, start 0, budget 7", 7 },
	{ CUE_NS_PER_S, START, "step 1 s, start 987654321.123456789 s, budget 1", 1 },
	{ CUE_NS_PER_S, START, "step 1 s, start 987654321.123456789 s, budget 7", 7 },
};

#define N_MODES (sizeof(modes) / sizeof(modes[0]))

struct replay {
	const struct trace_case *c;
	const struct mode *mode;
	struct config *config;
	struct config *applied[8]; /**< by @apply; the last is in force */
	size_t n_applied;
	unsigned n_restored;
	struct simulation *simulation;
	struct trace_subscribers *subscribers;
	FILE *out;
	uint64_t at_ns;    /**< of the grid */
	uint64_t clock_ns; /**< 0: not late */
};

static uint64_t late_clock(void *user)
{
	return ((struct replay *)user)->clock_ns;
}

static void on_event(void *user, const struct cue_event *event, const char *line, size_t len)
{
	struct replay *replay = user;

	(void)event;
	fwrite(line, 1, len, replay->out);
	fputc('\n', replay->out);
}

static void on_reply(void *user, const char *command, const char *json, size_t len)
{
	struct replay *replay = user;

	fprintf(replay->out, "# reply %s ", command);
	fwrite(json, 1, len, replay->out);
	fputc('\n', replay->out);
}

/* ---- time ---- */

/** Step up to, not including, @p limit_ns. */
static int step_to(struct replay *replay, uint64_t limit_ns)
{
	uint64_t step_ns = replay->mode->step_ns;
	int r = 0;

	while (r >= 0) {
		uint64_t next_ns = simulation_next(replay->simulation);

		if (next_ns == CUE_TIME_NONE)
			return 0;
		if (step_ns > 0) {
			/* With nothing before the limit the grid may go on from behind it. */
			while (replay->at_ns < next_ns && replay->at_ns < limit_ns)
				replay->at_ns += step_ns;
			next_ns = replay->at_ns;
		}
		if (next_ns >= limit_ns)
			return 0;
		r = simulation_advance(replay->simulation, next_ns);
		if (simulation_events(replay->simulation) > EVENTS_MAX) {
			fprintf(stderr, "%s: more than %u events\n", replay->c->path, EVENTS_MAX);
			return -E2BIG;
		}
	}
	return r;
}

/** The process sleeps: nothing is handled until the end, then everything at once, late. */
static int stall(struct replay *replay, uint64_t from_ns, const char *args)
{
	uint64_t for_ns;
	int r = trace_seconds(args, &for_ns);

	if (r < 0)
		return r;
	replay->clock_ns = replay->mode->start_ns + from_ns + for_ns;
	r = simulation_advance(replay->simulation, from_ns + for_ns);
	replay->clock_ns = 0;
	return r;
}

/* ---- directives ---- */

/** Define from a text that is overwritten and freed afterwards: the definition must be a copy. */
static int define(struct replay *replay, const char *args)
{
	struct cue_playlists *playlists = engine_playlists(simulation_engine(replay->simulation));
	const char *space = strchr(args, ' ');
	struct config_playlist *playlist;
	struct diag diag = { 0 };
	char *name, *json;
	int r;

	if (!space)
		return -EINVAL;
	name = strndup(args, (size_t)(space - args));
	json = strdup(space + 1);
	r = name && json ? config_playlist_parse(name, json, strlen(json), &diag, &playlist)
	                 : -ENOMEM;
	if (r >= 0) {
		r = cue_playlist_define(playlists, &playlist->def, NULL, NULL);
		memset(json, 'x', strlen(json));
		config_playlist_free(playlist);
	} else {
		diag_print(&diag, stderr);
	}
	diag_clear(&diag);
	free(name);
	free(json);
	return r;
}

static int load(const struct trace_case *c, const char *path, struct config **ret_config)
{
	struct diag diag = { 0 };
	int r = config_load(path, &diag, ret_config);

	if (r < 0) {
		fprintf(stderr, "%s: configuration %s\n", c->path, path);
		diag_print(&diag, stderr);
	}
	diag_clear(&diag);
	return r;
}

/** Reload as on SIGHUP; a refusal is part of the output. */
static int apply(struct replay *replay, const char *args)
{
	char *path = trace_case_sibling(replay->c, args);
	char error[512] = "";
	struct config *config;
	int r;

	if (!path || replay->n_applied == sizeof(replay->applied) / sizeof(replay->applied[0])) {
		free(path);
		return -ENOSPC;
	}
	r = load(replay->c, path, &config);
	free(path);
	if (r < 0)
		return r;
	replay->applied[replay->n_applied++] = config;
	if (engine_apply(simulation_engine(replay->simulation), config, error) < 0)
		fprintf(replay->out, "@ apply refused: %s\n", error);
	return 0;
}

static const struct cue_playlist_config *find_playlist(const struct config *config,
                                                       const char *name)
{
	for (size_t i = 0; i < config->n_playlists; i++) {
		if (strcmp(config->playlists[i].def.name, name) == 0)
			return &config->playlists[i].def;
	}
	return NULL;
}

/** "NAME ELAPSED [PASSED]": restore a run that a crash interrupted, as the journal does at
 * start. */
static int restore(struct replay *replay, const char *args)
{
	struct cue_playlist_restore run = { .passed_ns = CUE_TIME_NONE };
	char name[64], elapsed[32], passed[32], id[32];
	int n = sscanf(args, "%63s %31s %31s", name, elapsed, passed);
	int r;

	if (n < 2)
		return -EINVAL;
	run.definition = find_playlist(replay->config, name);
	if (!run.definition)
		return -ENOENT;
	r = trace_seconds(elapsed, &run.elapsed_ns);
	if (r >= 0 && n == 3)
		r = trace_seconds(passed, &run.passed_ns);
	if (r < 0)
		return r;
	snprintf(id, sizeof(id), "%u", ++replay->n_restored);
	cue_id_derive("restored", id, &run.run);
	return cue_playlist_restore(engine_playlists(simulation_engine(replay->simulation)), &run,
	                            NULL);
}

/** "NAME COUNT": restore the value of a counter or rotary, as the journal does. */
static int restore_input(struct replay *replay, const char *args)
{
	struct engine *engine = simulation_engine(replay->simulation);
	char name[64];
	long long value;

	if (sscanf(args, "%63s %lld", name, &value) != 2)
		return -EINVAL;
	if (engine_input_restore(engine, name, DECODER_COUNTER, value) == 0)
		return 0;
	return engine_input_restore(engine, name, DECODER_ROTARY, value);
}

static int carry_out(struct replay *replay, const struct directive *d)
{
	uint64_t time_ns = d->time_ns == DIRECTIVE_FIRST ? 0 : d->time_ns;
	int r = -EINVAL;

	if (strcmp(d->verb, "subscribe") == 0)
		r = trace_subscribers_add(replay->subscribers, d->args);
	else if (strcmp(d->verb, "cancel") == 0)
		r = trace_subscribers_cancel(replay->subscribers, d->args);
	else if (strcmp(d->verb, "stall") == 0)
		r = stall(replay, time_ns, d->args);
	else if (strcmp(d->verb, "define") == 0)
		r = define(replay, d->args);
	else if (strcmp(d->verb, "apply") == 0)
		r = apply(replay, d->args);
	else if (strcmp(d->verb, "restore-input") == 0)
		r = restore_input(replay, d->args);
	else if (strcmp(d->verb, "restore") == 0)
		r = restore(replay, d->args);
	if (r >= 0)
		r = simulation_settle(replay->simulation);
	if (r < 0)
		fprintf(stderr, "%s:%u: @%s: %s\n", replay->c->path, d->line, d->verb,
		        strerrordesc_np(-r));
	return r;
}

/* ---- one replay ---- */

static int run(struct replay *replay)
{
	const struct trace_case *c = replay->c;
	size_t i = 0;
	int r = 0;

	for (; r >= 0 && i < c->n_directives && c->directives[i].time_ns == DIRECTIVE_FIRST; i++)
		r = carry_out(replay, &c->directives[i]);
	if (r >= 0)
		r = simulation_start(replay->simulation);
	for (; r >= 0 && i < c->n_directives; i++) {
		r = step_to(replay, c->directives[i].time_ns);
		if (r >= 0)
			r = simulation_advance_before(replay->simulation, c->directives[i].time_ns);
		if (r >= 0)
			r = carry_out(replay, &c->directives[i]);
	}
	if (r >= 0)
		r = step_to(replay, c->until_ns);
	if (r >= 0 && c->until_ns != CUE_TIME_NONE)
		r = simulation_advance(replay->simulation, c->until_ns);
	return r;
}

static int set_up(struct replay *replay)
{
	struct simulation_config sc = {
		.trace = replay->c->trace,
		.start_ns = replay->mode->start_ns,
		.budget = replay->mode->budget,
		.clock_ns = late_clock,
		.event = on_event,
		.reply = on_reply,
		.user = replay,
	};
	char error[SIMULATION_ERROR_SIZE];
	unsigned line;
	int r;

	r = load(replay->c, replay->c->config_path, &replay->config);
	if (r < 0)
		return r;
	sc.config = replay->config;
	r = simulation_new(&sc, &replay->simulation, error, &line);
	if (r < 0) {
		fprintf(stderr, "%s:%u: %s\n", replay->c->path, line, error);
		return r;
	}
	return trace_subscribers_new(engine_bus(simulation_engine(replay->simulation)), replay->out,
	                             &replay->subscribers);
}

/** @param ret_text malloc()ed output. */
static int replay_case(const struct trace_case *c, const struct mode *mode, char **ret_text)
{
	struct replay replay = { .c = c, .mode = mode };
	char *text = NULL;
	size_t len;
	int r;

	replay.out = open_memstream(&text, &len);
	if (!replay.out)
		return -ENOMEM;
	r = set_up(&replay);
	if (r >= 0)
		r = run(&replay);
	trace_subscribers_free(replay.subscribers);
	simulation_free(replay.simulation);
	for (size_t i = 0; i < replay.n_applied; i++)
		config_free(replay.applied[i]);
	config_free(replay.config);
	fclose(replay.out);
	if (r < 0) {
		fprintf(stderr, "%s: %s: %s\n", c->path, mode->name, strerrordesc_np(-r));
		free(text);
		return r;
	}
	*ret_text = text;
	return 0;
}

/* ---- comparing ---- */

static bool write_temporary(const char *text, char path[32])
{
	ssize_t len = (ssize_t)strlen(text);
	int fd;

	snprintf(path, 32, "/tmp/cuebus-trace-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return false;
	if (write(fd, text, (size_t)len) != len) {
		close(fd);
		return false;
	}
	return close(fd) == 0;
}

static void print_diff(const char *expected, const char *actual)
{
	char a[32] = "", b[32] = "";
	char *argv[] = { (char[]){ "diff" },
		         (char[]){ "-u" },
		         (char[]){ "--label" },
		         (char[]){ "expected" },
		         (char[]){ "--label" },
		         (char[]){ "actual" },
		         a,
		         b,
		         NULL };
	pid_t pid;

	fflush(stdout);
	if (!write_temporary(expected, a) || !write_temporary(actual, b) ||
	    posix_spawnp(&pid, "diff", NULL, NULL, argv, environ) != 0)
		printf("--- expected\n%s+++ actual\n%s", expected, actual);
	else
		waitpid(pid, NULL, 0);
	if (a[0])
		unlink(a);
	if (b[0])
		unlink(b);
}

static bool check_mode(const struct trace_case *c, const struct mode *mode, const char *expected)
{
	char *actual;
	bool same;

	if (replay_case(c, mode, &actual) < 0)
		return false;
	same = strcmp(expected, actual) == 0;
	if (!same) {
		printf("%s: %s: the output differs\n", c->path, mode->name);
		print_diff(expected, actual);
	}
	free(actual);
	return same;
}

static bool run_case(const char *path, bool update)
{
	char *first = NULL;
	struct trace_case c;
	bool ok = true;

	if (trace_case_read(path, &c) < 0)
		return false;
	if (update)
		ok = replay_case(&c, &modes[0], &first) >= 0;
	/* The first difference is enough: the others show the same. */
	for (size_t i = 0; ok && i < N_MODES; i++)
		ok = check_mode(&c, &modes[i], update ? first : c.expected);
	if (ok && update)
		ok = trace_case_update(&c, first, strlen(first)) >= 0;
	if (ok && !update && c.expected_len == 0) {
		/* A trace that expects nothing is more likely unfinished than meant. */
		printf("%s: nothing is expected after the blank line\n", path);
		ok = false;
	}
	printf("%s %s (%zu modes)\n", ok ? "ok" : "FAILED", path, N_MODES);
	free(first);
	trace_case_clear(&c);
	return ok;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
	int failed = 0;

	if (argc < (update ? 3 : 2)) {
		fprintf(stderr, "Usage: run_traces [--update] FILE.trace...\n");
		return 64;
	}
	for (int i = update ? 2 : 1; i < argc; i++)
		failed += run_case(argv[i], update) ? 0 : 1;
	return failed ? 1 : 0;
}
