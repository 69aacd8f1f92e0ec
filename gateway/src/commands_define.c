/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions made by command lie over those of the configuration: defining a
 * name that the configuration has takes its place, removing it brings the
 * configuration's back. What only the configuration has can't be removed by a
 * command, because the next start would bring it back without a word. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands_internal.h"

static const char if_full[] = "limits.definitions or limits.event_types is reached";

static int define_playlist(struct commands *commands, const char *name,
                           struct cue_payload *definition, struct cue_id *ret_id,
                           struct command_error *error)
{
	struct cue_predicate_error wrong = { 0 };
	struct config_playlist *playlist;
	struct diag diag = { 0 };
	size_t len;
	const char *json = cue_payload_bytes(definition, &len);
	int r = config_playlist_parse(name, json, len, &diag, &playlist);

	if (r == -EINVAL)
		command_fail_diag(error, &diag, "/definition");
	diag_clear(&diag);
	if (r < 0)
		return r;
	r = cue_playlist_define(engine_playlists(commands->config.engine), &playlist->def, ret_id,
	                        &wrong);
	config_playlist_free(playlist);
	if (r == -EINVAL)
		return command_fail(error, COMMAND_INVALID_REQUEST, "/definition", "%s", wrong.text);
	return r < 0 ? command_fail_errno(error, r, "/name", "playlist", name, if_full) : 0;
}

static int define_gesture(struct commands *commands, const char *name,
                          struct cue_payload *definition, struct cue_id *ret_id,
                          struct command_error *error)
{
	struct cue_predicate_error wrong = { 0 };
	struct config_gesture *gesture;
	struct diag diag = { 0 };
	size_t len;
	const char *json = cue_payload_bytes(definition, &len);
	int r = config_gesture_parse(name, json, len, &diag, &gesture);

	if (r == -EINVAL)
		command_fail_diag(error, &diag, "/definition");
	diag_clear(&diag);
	if (r < 0)
		return r;
	r = cue_gesture_define(engine_gestures(commands->config.engine), &gesture->def, ret_id,
	                       &wrong);
	config_gesture_free(gesture);
	if (r == -EINVAL)
		return command_fail(error, COMMAND_INVALID_REQUEST, "/definition", "%s", wrong.text);
	return r < 0 ? command_fail_errno(error, r, "/name", "gesture", name, if_full) : 0;
}

static int apply(struct commands *commands, enum definition_kind kind, const char *name,
                 struct cue_payload *definition, struct cue_id *ret_id, struct command_error *error)
{
	return kind == DEFINITION_PLAYLIST
	               ? define_playlist(commands, name, definition, ret_id, error)
	               : define_gesture(commands, name, definition, ret_id, error);
}

int commands_apply_kept(struct commands *commands, enum definition_kind kind, const char *name,
                        struct cue_payload *definition, struct command_error *error)
{
	struct cue_id id;

	return apply(commands, kind, name, definition, &id, error);
}

static void tell(struct commands *commands, enum definition_kind kind, const char *name)
{
	if (commands->config.definition_changed)
		commands->config.definition_changed(commands->config.user,
		                                    kind == DEFINITION_PLAYLIST, name);
}

static int define(struct commands *commands, enum definition_kind kind,
                  const struct request *fields, struct cue_writer *result,
                  struct command_error *error)
{
	const char *name = fields->values[0].string;
	const struct request_value *value = &fields->values[1];
	struct cue_payload *definition = NULL;
	char text[CUE_ID_TEXT_SIZE];
	struct cue_id id;
	int r;

	/* The payload that it is a part of was held against the limit. */
	r = cue_payload_new(value->raw, value->raw_len, CUE_JSON_DEPTH_MAX, &definition, NULL);
	if (r >= 0)
		r = apply(commands, kind, name, definition, &id, error);
	if (r >= 0)
		r = definition_store_put(commands->store, kind, name, definition);
	cue_payload_unref(definition);
	if (r < 0)
		return r;
	tell(commands, kind, name);
	cue_id_format(&id, text);
	cue_writer_object_begin(result);
	cue_writer_key(result, "definition_id");
	cue_writer_string(result, text);
	cue_writer_object_end(result);
	return 0;
}

int command_playlist_define(COMMAND_ARGS)
{
	(void)request;
	return define(commands, DEFINITION_PLAYLIST, fields, result, error);
}

int command_gesture_define(COMMAND_ARGS)
{
	(void)request;
	return define(commands, DEFINITION_GESTURE, fields, result, error);
}

/** The configuration's definition of that name, or NULL. */
static struct cue_payload *configured(const struct commands *commands, enum definition_kind kind,
                                      const char *name)
{
	const struct config *config = engine_get_config(commands->config.engine);

	if (kind == DEFINITION_PLAYLIST) {
		for (size_t i = 0; i < config->n_playlists; i++) {
			if (strcmp(config->playlists[i].def.name, name) == 0)
				return config->playlists[i].json;
		}
		return NULL;
	}
	for (size_t i = 0; i < config->n_gestures; i++) {
		if (strcmp(config->gestures[i].def.name, name) == 0)
			return config->gestures[i].json;
	}
	return NULL;
}

static int remove_definition(struct commands *commands, enum definition_kind kind,
                             const char *field, const struct request *fields,
                             struct cue_writer *result, struct command_error *error)
{
	const char *what = kind == DEFINITION_PLAYLIST ? "playlist" : "gesture";
	const char *name = fields->values[0].string;
	struct cue_payload *original = configured(commands, kind, name);
	bool kept = definition_store_has(commands->store, kind, name);
	struct cue_id id;
	int r;

	if (!kept && original)
		return command_fail(error, COMMAND_REFUSED, field,
		                    "%s '%s' is defined in the configuration; remove it there and "
		                    "reload",
		                    what, name);
	if (!kept)
		return command_fail_errno(error, -ENOENT, field, what, name, NULL);
	if (original)
		r = apply(commands, kind, name, original, &id, error);
	else if (kind == DEFINITION_PLAYLIST)
		r = cue_playlist_remove(engine_playlists(commands->config.engine), name, NULL);
	else
		r = cue_gesture_remove(engine_gestures(commands->config.engine), name);
	if (r >= 0 || r == -ENOENT)
		r = definition_store_remove(commands->store, kind, name);
	if (r < 0)
		return r;
	tell(commands, kind, name);
	cue_writer_object_begin(result);
	cue_writer_key(result, "removed");
	cue_writer_string(result, name);
	cue_writer_object_end(result);
	return 0;
}

int command_playlist_remove(COMMAND_ARGS)
{
	(void)request;
	return remove_definition(commands, DEFINITION_PLAYLIST, "/playlist", fields, result, error);
}

int command_gesture_remove(COMMAND_ARGS)
{
	(void)request;
	return remove_definition(commands, DEFINITION_GESTURE, "/gesture", fields, result, error);
}

static int write_gesture(void *user, const struct cue_gesture_info *info)
{
	struct cue_writer *w = user;
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(&info->id, text);
	cue_writer_object_begin(w);
	cue_writer_key(w, "name");
	cue_writer_string(w, info->name);
	cue_writer_key(w, "id");
	cue_writer_string(w, text);
	cue_writer_key(w, "type");
	cue_writer_string(w, cue_gesture_type_name(info->type));
	cue_writer_object_end(w);
	return 0;
}

int command_gesture_list(COMMAND_ARGS)
{
	(void)request, (void)fields, (void)error;
	cue_writer_object_begin(result);
	cue_writer_key(result, "gestures");
	cue_writer_array_begin(result);
	(void)cue_gesture_foreach(engine_gestures(commands->config.engine), write_gesture, result);
	cue_writer_array_end(result);
	cue_writer_object_end(result);
	return 0;
}
