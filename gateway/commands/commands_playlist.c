/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands_internal.h"

static void write_id(struct cue_writer *w, const struct cue_id *id)
{
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(id, text);
	cue_writer_string(w, text);
}

int command_playlist_start(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error)
{
	struct cue_playlists *playlists = engine_playlists(commands->config.engine);
	const struct request_value *name = &fields->values[0], *data = &fields->values[1];
	struct cue_playlist_start start = {
		.name = name->string,
		.cause = CUE_CAUSE_COMMAND,
		.request_id = fields->request_id,
	};
	const char *over = NULL;
	struct cue_id run;
	int r = 0;

	/* `created` quotes it. */
	if (data->present)
		over = commands_take_bytes(commands, data->raw_len, request->now_ns);
	if (over)
		return command_fail(error, COMMAND_LIMIT, "", "%s", over);
	if (data->present) {
		start.trigger_type = "cmd.playlist.start";
		r = cue_payload_new(data->raw, data->raw_len, CUE_JSON_DEPTH_MAX,
		                    &start.trigger_data, NULL);
	}
	if (r >= 0)
		r = cue_playlist_start(playlists, &start, &run);
	cue_payload_unref(start.trigger_data);
	if (r < 0)
		return command_fail_errno(error, r, "/playlist", "playlist", name->string,
		                          "limits.active_runs is reached");
	cue_writer_object_begin(result);
	cue_writer_key(result, "run");
	write_id(result, &run);
	cue_writer_object_end(result);
	return 0;
}

static void write_stopped(void *user, const struct cue_id *run)
{
	write_id(user, run);
}

static int stop(struct cue_playlists *playlists, const struct request *fields,
                struct cue_writer *result, struct command_error *error)
{
	const struct request_value *run = &fields->values[0], *name = &fields->values[1];
	struct cue_id id;
	int r;

	if (!run->present) {
		r = cue_playlist_stop(playlists, name->present ? name->string : NULL, "command",
		                      write_stopped, result);
		return r < 0 ? command_fail_errno(error, r, "/playlist", "playlist", name->string,
		                                  NULL)
		             : 0;
	}
	if (cue_id_parse(run->string, &id) < 0)
		return command_fail(error, COMMAND_INVALID_REQUEST, "/run",
		                    "run: must be the 32 hex digits of a run's id");
	r = cue_run_stop(playlists, &id, "command");
	if (r < 0)
		return command_fail_errno(error, r, "/run", "active run", run->string, NULL);
	write_id(result, &id);
	return 0;
}

int command_playlist_stop(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error)
{
	int given =
	        fields->values[0].present + fields->values[1].present + fields->values[2].present;
	int r;

	(void)request;
	if (given != 1)
		return command_fail(error, COMMAND_INVALID_REQUEST, "",
		                    "exactly one of run, playlist and all must be given");
	cue_writer_object_begin(result);
	cue_writer_key(result, "stopped");
	cue_writer_array_begin(result);
	r = stop(engine_playlists(commands->config.engine), fields, result, error);
	cue_writer_array_end(result);
	cue_writer_object_end(result);
	return r;
}

static int write_run_id(void *user, const struct cue_run_info *info)
{
	write_id(user, &info->run);
	return 0;
}

struct list_context {
	struct cue_playlists *playlists;
	const struct config *config;
	struct cue_writer *w;
};

static int write_playlist(void *user, const struct cue_playlist_info *info)
{
	const struct list_context *context = user;
	struct cue_writer *w = context->w;

	cue_writer_object_begin(w);
	cue_writer_key(w, "name");
	cue_writer_string(w, info->name);
	cue_writer_key(w, "definition_id");
	write_id(w, &info->definition_id);
	cue_writer_key(w, "origin");
	cue_writer_string(w, config_origin(config_has_playlist(context->config, info->name)));
	cue_writer_key(w, "active");
	cue_writer_array_begin(w);
	if (info->active > 0)
		(void)cue_run_foreach(context->playlists, info->name, write_run_id, w);
	cue_writer_array_end(w);
	cue_writer_object_end(w);
	return 0;
}

int command_playlist_list(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error)
{
	struct list_context context = {
		.playlists = engine_playlists(commands->config.engine),
		.config = engine_get_config(commands->config.engine),
		.w = result,
	};

	(void)request, (void)fields, (void)error;
	cue_writer_object_begin(result);
	cue_writer_key(result, "playlists");
	cue_writer_array_begin(result);
	(void)cue_playlist_foreach(context.playlists, write_playlist, &context);
	cue_writer_array_end(result);
	cue_writer_object_end(result);
	return 0;
}

/* A reply with more runs would take megabytes. */
#define RUNS_MAX 1000U

/** A page of the runs, which are visited in the order of their creation. */
struct runs_context {
	struct cue_writer *w;
	int64_t wall_offset_ns;
	struct cue_id after; /* the page begins after this run … */
	bool begun;          /* … which was visited, or is not set */
	uint32_t limit, n;
	uint64_t total;
	struct cue_id last; /* of the page */
	bool more;
};

static const char *state_name(enum cue_run_state state)
{
	switch (state) {
	case CUE_RUN_RUNNING:
		return "running";
	case CUE_RUN_QUEUED:
		return "queued";
	case CUE_RUN_PAUSED:
		return "paused";
	}
	return "running"; /* not reached: the switch is exhaustive */
}

static void write_run(struct runs_context *context, const struct cue_run_info *info)
{
	struct cue_writer *w = context->w;
	char timestamp[CUE_TIMESTAMP_SIZE];

	cue_format_timestamp((int64_t)info->start_ns + context->wall_offset_ns, timestamp);
	cue_writer_object_begin(w);
	cue_writer_key(w, "run");
	write_id(w, &info->run);
	cue_writer_key(w, "playlist");
	cue_writer_string(w, info->playlist);
	cue_writer_key(w, "state");
	cue_writer_string(w, state_name(info->state));
	cue_writer_key(w, "offset");
	cue_writer_seconds(w, info->offset_ns);
	if (info->tempo != CUE_TEMPO_AS_WRITTEN) {
		cue_writer_key(w, "tempo");
		cue_writer_seconds(w,
		                   (uint64_t)info->tempo * (CUE_NS_PER_S / CUE_TEMPO_AS_WRITTEN));
	}
	cue_writer_key(w, "started_at");
	cue_writer_string(w, timestamp);
	cue_writer_object_end(w);
}

static int visit_run(void *user, const struct cue_run_info *info)
{
	struct runs_context *context = user;

	context->total++;
	if (!context->begun) {
		context->begun = memcmp(&info->run, &context->after, sizeof(info->run)) == 0;
	} else if (context->n == context->limit) {
		context->more = true;
	} else {
		write_run(context, info);
		context->n++;
		context->last = info->run;
	}
	return 0;
}

/** Read the parameters of a page. @return 0; the result of command_fail(). */
static int read_page(struct cue_playlists *playlists, const struct request *fields,
                     struct runs_context *ret_context, struct command_error *error)
{
	const struct request_value *name = &fields->values[0], *limit = &fields->values[1],
	                           *after = &fields->values[2];
	struct cue_playlist_info info;

	if (name->present && cue_playlist_get(playlists, name->string, &info) < 0)
		return command_fail_errno(error, -ENOENT, "/playlist", "playlist", name->string,
		                          NULL);
	if (limit->present && (limit->number == 0 || limit->number > RUNS_MAX))
		return command_fail(error, COMMAND_INVALID_REQUEST, "/limit",
		                    "limit: must be a whole number from 1 to %u", RUNS_MAX);
	if (after->present && cue_id_parse(after->string, &ret_context->after) < 0)
		return command_fail(error, COMMAND_INVALID_REQUEST, "/after",
		                    "after: must be the 32 hex digits of a run's id");
	ret_context->limit = limit->present ? limit->number : RUNS_MAX;
	ret_context->begun = !after->present;
	return 0;
}

int command_playlist_runs(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error)
{
	struct cue_playlists *playlists = engine_playlists(commands->config.engine);
	const struct request_value *name = &fields->values[0], *after = &fields->values[2];
	struct runs_context context = {
		.w = result,
		.wall_offset_ns = cue_bus_wall_offset(engine_bus(commands->config.engine)),
	};
	int r = read_page(playlists, fields, &context, error);

	(void)request;
	if (r < 0)
		return r;
	cue_writer_object_begin(result);
	cue_writer_key(result, "runs");
	cue_writer_array_begin(result);
	(void)cue_run_foreach(playlists, name->present ? name->string : NULL, visit_run, &context);
	cue_writer_array_end(result);
	/* The run has ended since the previous page, so its place in the order is unknown. */
	if (!context.begun)
		return command_fail_errno(error, -ENOENT, "/after", "active run", after->string,
		                          NULL);
	cue_writer_key(result, "total");
	cue_writer_u64(result, context.total);
	cue_writer_key(result, "next");
	if (context.more)
		write_id(result, &context.last);
	else
		cue_writer_null(result);
	cue_writer_object_end(result);
	return 0;
}
