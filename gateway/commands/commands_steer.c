/* SPDX-License-Identifier: Apache-2.0 */
/* playlist/pause, resume, seek, tempo: a hand on runs that play. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands_internal.h"
#include "duration.h"

/** The fields: `all` of pause and resume, `offset` of seek, `factor` of tempo. */
enum { FIELD_RUN, FIELD_PLAYLIST, FIELD_THIRD };

/** Where a command writes to. */
struct answer {
	uint64_t now_ns;
	const char *key; /* of the list of runs in the result */
	struct cue_writer *result;
	struct command_error *error;
};

static void write_steered(void *user, const struct cue_id *run)
{
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(run, text);
	cue_writer_string(user, text);
}

static int fail_steer(struct command_error *error, int r, const struct request *fields)
{
	const struct request_value *run = &fields->values[FIELD_RUN];
	const char *path = run->present ? "/run" : "/playlist";
	const char *name = run->present ? run->string : fields->values[FIELD_PLAYLIST].string;

	switch (r) {
	case -EAGAIN:
		return command_fail(error, COMMAND_REFUSED, path,
		                    "run '%s' waits for its turn and has no position yet", name);
	case -ERANGE:
		return command_fail(error, COMMAND_REFUSED, "/offset",
		                    "offset: lies after the last step of the playlist");
	case -EDOM:
		return command_fail(error, COMMAND_LIMIT, "/factor",
		                    "factor: so fast, a run could exceed limits.events_per_second "
		                    "or limits.shortest_interval");
	default:
		return command_fail_errno(error, r, path, run->present ? "active run" : "playlist",
		                          name ? name : "", NULL);
	}
}

static int steer_run(struct cue_playlists *playlists, const char *run, const struct cue_steer *what,
                     const struct answer *answer)
{
	struct cue_id id;
	int r;

	if (cue_id_parse(run, &id) < 0)
		return command_fail(answer->error, COMMAND_INVALID_REQUEST, "/run",
		                    "run: must be the 32 hex digits of a run's id");
	r = cue_run_steer(playlists, &id, what);
	if (r == 1)
		write_steered(answer->result, &id);
	return r;
}

/** Runs that the command is about, waiting ones included. */
static size_t count_runs(struct cue_playlists *playlists, const struct request *fields)
{
	const struct request_value *name = &fields->values[FIELD_PLAYLIST];
	struct cue_playlist_info info = { 0 };
	struct cue_playlists_stats stats;

	if (fields->values[FIELD_RUN].present)
		return 1;
	if (name->present)
		return cue_playlist_get(playlists, name->string, &info) < 0 ? 0 : info.active;
	cue_playlists_get_stats(playlists, &stats);
	return stats.active_runs;
}

static int steer(struct commands *commands, const struct request *fields,
                 const struct cue_steer *what, const struct answer *answer)
{
	struct cue_playlists *playlists = engine_playlists(commands->config.engine);
	const struct request_value *run = &fields->values[FIELD_RUN];
	const struct request_value *name = &fields->values[FIELD_PLAYLIST];
	const char *over =
	        commands_take_steering(commands, count_runs(playlists, fields), answer->now_ns);
	int r;

	if (over)
		return command_fail(answer->error, COMMAND_LIMIT, "", "%s", over);
	cue_writer_object_begin(answer->result);
	cue_writer_key(answer->result, answer->key);
	cue_writer_array_begin(answer->result);
	r = run->present ? steer_run(playlists, run->string, what, answer)
	                 : cue_playlist_steer(playlists, name->present ? name->string : NULL, what,
	                                      write_steered, answer->result);
	cue_writer_array_end(answer->result);
	cue_writer_object_end(answer->result);
	if (r < 0 && !*answer->error->message)
		return fail_steer(answer->error, r, fields);
	return r < 0 ? r : 0;
}

static int pause_or_resume(struct commands *commands, const struct request *fields,
                           enum cue_steer_action action, const struct answer *answer)
{
	int given = fields->values[FIELD_RUN].present + fields->values[FIELD_PLAYLIST].present +
	            fields->values[FIELD_THIRD].present;

	if (given != 1)
		return command_fail(answer->error, COMMAND_INVALID_REQUEST, "",
		                    "exactly one of run, playlist and all must be given");
	return steer(commands, fields, &(struct cue_steer){ .action = action }, answer);
}

int command_playlist_pause(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error)
{
	return pause_or_resume(commands, fields, CUE_STEER_PAUSE,
	                       &(struct answer){ request->now_ns, "paused", result, error });
}

int command_playlist_resume(struct commands *commands, const struct command_request *request,
                            const struct request *fields, struct cue_writer *result,
                            struct command_error *error)
{
	return pause_or_resume(commands, fields, CUE_STEER_RESUME,
	                       &(struct answer){ request->now_ns, "resumed", result, error });
}

static int check_target(const struct request *fields, struct command_error *error)
{
	if (fields->values[FIELD_RUN].present + fields->values[FIELD_PLAYLIST].present == 1)
		return 0;
	return command_fail(error, COMMAND_INVALID_REQUEST, "",
	                    "exactly one of run and playlist must be given");
}

/** A number as the client wrote it. @return false: the value is not a number. */
static bool get_number(const struct request_value *value, double *ret_number)
{
	if (!strchr("-0123456789", value->raw[0]))
		return false;
	*ret_number = strtod(value->raw, NULL);
	return true;
}

/** Seconds, as the lifecycle events have them, or a duration, as the configuration has it. */
static int get_offset(const struct request_value *value, uint64_t *ret_ns,
                      struct command_error *error)
{
	const uint64_t most_s = CUE_DURATION_MAX_NS / CUE_NS_PER_S;
	const char *reason = "must be a number of seconds, or a duration like \"2.5s\"";
	double seconds;

	if (get_number(value, &seconds)) {
		if (seconds < 0 || seconds > (double)most_s)
			return command_fail(error, COMMAND_INVALID_REQUEST, "/offset",
			                    "offset: must be 0 s to 3650 days");
		*ret_ns = (uint64_t)(seconds * (double)CUE_NS_PER_S + 0.5);
		return 0;
	}
	if (value->raw[0] == '"' &&
	    duration_parse(value->raw + 1, value->raw_len - 2, ret_ns, &reason) >= 0)
		return 0;
	return command_fail(error, COMMAND_INVALID_REQUEST, "/offset", "offset: %s", reason);
}

int command_playlist_seek(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error)
{
	struct cue_steer what = { .action = CUE_STEER_SEEK };
	int r = check_target(fields, error);

	if (r >= 0)
		r = get_offset(&fields->values[FIELD_THIRD], &what.offset_ns, error);
	if (r < 0)
		return r;
	return steer(commands, fields, &what,
	             &(struct answer){ request->now_ns, "seeked", result, error });
}

int command_playlist_tempo(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error)
{
	struct cue_steer what = { .action = CUE_STEER_TEMPO };
	double factor = 0;
	int r = check_target(fields, error);

	if (r < 0)
		return r;
	if (!get_number(&fields->values[FIELD_THIRD], &factor) ||
	    !(factor >= 0.01 && factor <= 100))
		return command_fail(error, COMMAND_INVALID_REQUEST, "/factor",
		                    "factor: must be a number from 0.01 to 100");
	what.tempo = (uint32_t)(factor * CUE_TEMPO_AS_WRITTEN + 0.5);
	return steer(commands, fields, &what,
	             &(struct answer){ request->now_ns, "changed", result, error });
}
