/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edges of one input from a trace file: its `input.set` entries, with times relative to
 * config->now_ns. No edge is returned before its time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <drivers/trace.h>

#include "drivers_internal.h"

#define REPLAY_FILE_MAX_BYTES (64ULL * 1024 * 1024)

struct replay {
	struct driver base;
	uint64_t (*clock_ns)(void *user);
	void *clock_user;
	size_t n_lines;
	bool levels[DRIVER_LINES_MAX]; /* after the last edge that was read */
	size_t n, next;
	struct driver_edge edges[];
};

static uint64_t monotonic_ns(void *user)
{
	struct timespec ts;

	(void)user;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int fail_load(char *error, int r, const struct driver_config *config,
                     const struct trace_error *at)
{
	if (r == -ENOMEM)
		return driver_fail(error, r, "input \"%s\": out of memory", config->input);
	if (at->line == 0)
		return driver_fail(error, r, "input \"%s\": trace file %s: %s", config->input,
		                   config->file, at->text);
	return driver_fail(error, r, "input \"%s\": %s:%u:%u: %s", config->input, config->file,
	                   at->line, at->column, at->text);
}

static bool is_ours(const struct trace_entry *entry, const struct driver_config *config)
{
	return entry->type == TRACE_INPUT_SET && strcmp(entry->name, config->input) == 0;
}

/** Copy the edges of this input, so that the trace can be freed. */
static int take_edges(const struct driver_config *config, const struct trace *trace,
                      struct replay **ret_replay, char *error)
{
	struct replay *replay;
	size_t n = 0;

	for (size_t i = 0; i < trace->n; i++)
		n += is_ours(&trace->entries[i], config);
	if (n == 0)
		return driver_fail(error, -EINVAL,
		                   "input \"%s\": trace file %s has no entry for it, such as: "
		                   "1.5 input.set {\"input\":\"%s\",\"value\":1}",
		                   config->input, config->file, config->input);
	replay = calloc(1, sizeof(*replay) + n * sizeof(*replay->edges));
	if (!replay)
		return driver_fail(error, -ENOMEM, "input \"%s\": out of memory", config->input);
	replay->base.ops = &driver_replay;
	replay->clock_ns = config->clock_ns ? config->clock_ns : monotonic_ns;
	replay->clock_user = config->clock_user;
	replay->n_lines = config->n_lines;
	for (size_t i = 0; i < trace->n; i++) {
		const struct trace_entry *entry = &trace->entries[i];

		if (!is_ours(entry, config))
			continue;
		if (entry->input_line >= config->n_lines) {
			free(replay);
			return driver_fail(
			        error, -EINVAL,
			        "input \"%s\": %s:%u: line %u, but the input has lines 0 to %zu",
			        config->input, config->file, entry->line, entry->input_line,
			        config->n_lines - 1);
		}
		replay->edges[replay->n++] = (struct driver_edge){
			.time_ns = config->now_ns + entry->time_ns,
			.line = entry->input_line,
			.level = entry->level,
		};
	}
	*ret_replay = replay;
	return 0;
}

static int replay_open(const struct driver_config *config, struct driver **ret_driver, char *error)
{
	struct trace_error at;
	struct replay *replay = NULL;
	struct trace *trace;
	int r;

	if (config->n_lines < 1 || config->n_lines > DRIVER_LINES_MAX)
		return driver_fail(error, -EINVAL,
		                   "input \"%s\": a replay input has 1 or %u lines, not %zu",
		                   config->input, DRIVER_LINES_MAX, config->n_lines);
	if (!config->file)
		return driver_fail(error, -EINVAL, "input \"%s\": driver replay needs \"file\"",
		                   config->input);
	r = trace_load(config->file, REPLAY_FILE_MAX_BYTES, &trace, &at);
	if (r < 0)
		return fail_load(error, r, config, &at);
	r = take_edges(config, trace, &replay, error);
	trace_free(trace);
	if (r == 0)
		*ret_driver = &replay->base;
	return r;
}

static int replay_fd(const struct driver *driver, unsigned index)
{
	(void)driver;
	(void)index;
	return -1;
}

static int replay_read(struct driver *driver, struct driver_edge *edges, size_t max_edges)
{
	struct replay *replay = (struct replay *)driver;
	uint64_t now_ns = replay->clock_ns(replay->clock_user);
	size_t n = 0;

	while (n < max_edges && replay->next < replay->n &&
	       replay->edges[replay->next].time_ns <= now_ns) {
		edges[n] = replay->edges[replay->next++];
		replay->levels[edges[n].line] = edges[n].level;
		n++;
	}
	return (int)n;
}

static int replay_get(struct driver *driver, unsigned line, bool *ret_level)
{
	const struct replay *replay = (const struct replay *)driver;

	if (line >= replay->n_lines)
		return -EINVAL;
	*ret_level = replay->levels[line];
	return 0;
}

static uint64_t replay_next_ns(const struct driver *driver)
{
	const struct replay *replay = (const struct replay *)driver;

	return replay->next < replay->n ? replay->edges[replay->next].time_ns : UINT64_MAX;
}

static void replay_close(struct driver *driver)
{
	free(driver);
}

const struct driver_ops driver_replay = {
	.name = "replay",
	.open = replay_open,
	.fd = replay_fd,
	.read = replay_read,
	.get = replay_get,
	.next_ns = replay_next_ns,
	.close = replay_close,
};
