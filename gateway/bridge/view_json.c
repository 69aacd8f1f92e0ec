/* SPDX-License-Identifier: Apache-2.0 */
#include "view_json.h"

#include <errno.h>
#include <string.h>

static void write_timestamp(struct cue_writer *w, struct engine *engine, uint64_t time_ns)
{
	char text[CUE_TIMESTAMP_SIZE];

	cue_format_timestamp((int64_t)(time_ns + (uint64_t)cue_bus_wall_offset(engine_bus(engine))),
	                     text);
	cue_writer_string(w, text);
}

/* ---- info ---- */

static int write_input_name(void *user, const struct engine_input_info *info)
{
	cue_writer_string(user, info->name);
	return 0;
}

static int write_output_name(void *user, const struct engine_output_info *info)
{
	cue_writer_string(user, info->name);
	return 0;
}

static int write_gesture_name(void *user, const struct cue_gesture_info *info)
{
	cue_writer_string(user, info->name);
	return 0;
}

static int write_playlist_name(void *user, const struct cue_playlist_info *info)
{
	cue_writer_string(user, info->name);
	return 0;
}

static void write_capabilities(struct cue_writer *w, const struct config *config)
{
	static const char *const always[] = { "playlists", "gestures", "commands",
		                              "emit",      "define",   "reload",
		                              "gpio",      "sim",      "replay" };

	cue_writer_array_begin(w);
	cue_writer_string(w, config->mqtt.protocol == 5 ? "mqtt5" : "mqtt3.1.1");
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++) {
		/* Omit a driver that this build does not have. */
		if (i < 6 || driver_find(always[i]))
			cue_writer_string(w, always[i]);
	}
	cue_writer_array_end(w);
}

void view_write_info(struct cue_writer *w, const struct view_info *info)
{
	const struct config *config = engine_get_config(info->engine);

	cue_writer_object_begin(w);
	cue_writer_key(w, "version");
	cue_writer_string(w, info->version);
	cue_writer_key(w, "boot_id");
	cue_writer_string(w, info->boot_id);
	cue_writer_key(w, "started_at");
	write_timestamp(w, info->engine, info->start_ns);
	cue_writer_key(w, "config_hash");
	cue_writer_string(w, config->hash);
	cue_writer_key(w, "capabilities");
	write_capabilities(w, config);
	cue_writer_key(w, "inputs");
	cue_writer_array_begin(w);
	(void)engine_input_foreach(info->engine, write_input_name, w);
	cue_writer_array_end(w);
	cue_writer_key(w, "outputs");
	cue_writer_array_begin(w);
	(void)engine_output_foreach(info->engine, write_output_name, w);
	cue_writer_array_end(w);
	cue_writer_key(w, "gestures");
	cue_writer_array_begin(w);
	(void)cue_gesture_foreach(engine_gestures(info->engine), write_gesture_name, w);
	cue_writer_array_end(w);
	cue_writer_key(w, "playlists");
	cue_writer_array_begin(w);
	(void)cue_playlist_foreach(engine_playlists(info->engine), write_playlist_name, w);
	cue_writer_array_end(w);
	cue_writer_object_end(w);
}

/* ---- input ---- */

/** Context of a look-up of an input or output by its name. */
struct line_context {
	struct cue_writer *w;
	struct engine *engine;
	const char *name;
};

static const char *kind_name(enum decoder_kind kind)
{
	switch (kind) {
	case DECODER_BUTTON:
		return "button";
	case DECODER_SWITCH:
		return "switch";
	case DECODER_ROTARY:
		return "rotary";
	case DECODER_COUNTER:
		return "counter";
	}
	return "button"; /* not reached: the switch is exhaustive */
}

/** @return 1 if it was the wanted one. */
static int write_input(void *user, const struct engine_input_info *info)
{
	const struct line_context *context = user;
	struct cue_writer *w = context->w;

	if (strcmp(info->name, context->name) != 0)
		return 0;
	cue_writer_object_begin(w);
	cue_writer_key(w, "name");
	cue_writer_string(w, info->name);
	cue_writer_key(w, "kind");
	cue_writer_string(w, kind_name(info->kind));
	cue_writer_key(w, "driver");
	cue_writer_string(w, info->driver);
	cue_writer_key(w, "producer_id");
	cue_writer_u64(w, info->producer_id);
	cue_writer_key(w, "value");
	cue_writer_payload(w, info->value);
	cue_writer_key(w, "timestamp");
	if (info->value)
		write_timestamp(w, context->engine, info->time_ns);
	else
		cue_writer_null(w);
	cue_writer_object_end(w);
	return 1;
}

int view_write_input(struct cue_writer *w, struct engine *engine, const char *name)
{
	struct line_context context = { w, engine, name };

	return engine_input_foreach(engine, write_input, &context) == 1 ? 0 : -ENOENT;
}

/* ---- output ---- */

static const char *why_name(enum engine_output_why why)
{
	switch (why) {
	case ENGINE_OUTPUT_START:
		return "start";
	case ENGINE_OUTPUT_EVENT:
		return "event";
	case ENGINE_OUTPUT_SAFE:
		return "safe";
	case ENGINE_OUTPUT_FAILED:
		return "failed";
	}
	return "failed"; /* not reached: the switch is exhaustive */
}

/** @return 1 if it was the wanted one. */
static int write_output(void *user, const struct engine_output_info *info)
{
	const struct line_context *context = user;
	struct cue_writer *w = context->w;

	if (strcmp(info->name, context->name) != 0)
		return 0;
	cue_writer_object_begin(w);
	cue_writer_key(w, "name");
	cue_writer_string(w, info->name);
	cue_writer_key(w, "driver");
	cue_writer_string(w, info->driver);
	cue_writer_key(w, "level");
	if (info->failed)
		cue_writer_null(w);
	else
		cue_writer_u64(w, info->level);
	cue_writer_key(w, "why");
	cue_writer_string(w, why_name(info->why));
	cue_writer_key(w, "timestamp");
	write_timestamp(w, context->engine, info->time_ns);
	cue_writer_object_end(w);
	return 1;
}

int view_write_output(struct cue_writer *w, struct engine *engine, const char *name)
{
	struct line_context context = { w, engine, name };

	return engine_output_foreach(engine, write_output, &context) == 1 ? 0 : -ENOENT;
}

/* ---- playlist ---- */

/** Maximum number of runs in a view, the newest: a hundred thousand would make a message that no
 * broker accepts, and block the loop. */
#define VIEW_RUNS_MAX 100U

static int write_run_id(void *user, const struct cue_run_info *info)
{
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(&info->run, text);
	cue_writer_string(user, text);
	return 0;
}

int view_write_playlist(struct cue_writer *w, struct engine *engine, const char *name)
{
	struct cue_playlists *playlists = engine_playlists(engine);
	struct cue_playlist_info info;
	char id[CUE_ID_TEXT_SIZE];

	if (cue_playlist_get(playlists, name, &info) < 0)
		return -ENOENT;
	cue_id_format(&info.definition_id, id);
	cue_writer_object_begin(w);
	cue_writer_key(w, "playlist_name");
	cue_writer_string(w, info.name);
	cue_writer_key(w, "definition_id");
	cue_writer_string(w, id);
	cue_writer_key(w, "origin");
	cue_writer_string(w, config_origin(config_has_playlist(engine_get_config(engine), name)));
	cue_writer_key(w, "definition");
	cue_writer_payload(w, info.definition);
	cue_writer_key(w, "active");
	cue_writer_array_begin(w);
	if (info.active > 0)
		(void)cue_run_foreach_newest(playlists, name, VIEW_RUNS_MAX, write_run_id, w);
	cue_writer_array_end(w);
	cue_writer_key(w, "active_runs");
	cue_writer_u64(w, info.active);
	cue_writer_object_end(w);
	return 0;
}
