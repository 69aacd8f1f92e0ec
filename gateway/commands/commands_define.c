/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions made by command exist beside those of the configuration: no command redefines or
 * removes a name of the configuration, and no definition does more than its sender may do
 * (definition_rights.c). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands_internal.h"

static void tell(struct commands *commands, enum definition_kind kind, const char *name)
{
	if (commands->config.definition_changed)
		commands->config.definition_changed(commands->config.user,
		                                    kind == DEFINITION_PLAYLIST, name);
}

/** Check before defining: a definition that can't be stored is refused as a whole. */
static int check_room(struct commands *commands, const struct named_definition *named,
                      struct command_error *error)
{
	const struct config *config = engine_get_config(commands->config.engine);
	size_t len;

	(void)cue_payload_bytes(named->definition, &len);
	if (definition_store_check(commands->store, named->kind, named->name, len) >= 0)
		return 0;
	return command_fail(error, COMMAND_LIMIT, "/definition",
	                    "%s '%s': definitions made by command would take more than %llu bytes "
	                    "(limits.kept_definition_bytes)",
	                    definition_kind_name(named->kind), named->name,
	                    (unsigned long long)config->limits.kept_definition_bytes);
}

static int define(struct commands *commands, enum definition_kind kind,
                  const struct request *fields, struct cue_writer *result,
                  struct command_error *error)
{
	const char *name = fields->values[0].string;
	const struct request_value *value = &fields->values[1];
	struct named_definition named = { kind, name, NULL };
	char text[CUE_ID_TEXT_SIZE];
	struct cue_id id;
	int r;

	if (commands_is_configured(commands, kind, name))
		return command_fail(error, COMMAND_REFUSED, "/name",
		                    "the configuration has a %s '%s': change it there, or take "
		                    "another name",
		                    definition_kind_name(kind), name);
	/* The limits of the whole payload were checked before. */
	r = cue_payload_new(value->raw, value->raw_len, CUE_JSON_DEPTH_MAX, &named.definition,
	                    NULL);
	if (r >= 0)
		r = check_room(commands, &named, error);
	if (r >= 0)
		r = commands_apply_definition(commands, &named, &id, error);
	if (r >= 0)
		r = commands_kept_set(commands, kind, name, named.definition);
	if (r >= 0)
		r = definition_store_put(commands->store, kind, name, named.definition);
	cue_payload_unref(named.definition);
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

int command_playlist_define(struct commands *commands, const struct command_request *request,
                            const struct request *fields, struct cue_writer *result,
                            struct command_error *error)
{
	(void)request;
	return define(commands, DEFINITION_PLAYLIST, fields, result, error);
}

int command_gesture_define(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error)
{
	(void)request;
	return define(commands, DEFINITION_GESTURE, fields, result, error);
}

/** Remove a definition from the bus if it is in force: otherwise the bus has the configuration's
 * under this name. */
static int remove_from_bus(struct commands *commands, enum definition_kind kind, const char *name)
{
	int r;

	if (!commands_kept_unset(commands, kind, name))
		return 0;
	r = kind == DEFINITION_PLAYLIST
	            ? cue_playlist_remove(engine_playlists(commands->config.engine), name, NULL)
	            : cue_gesture_remove(engine_gestures(commands->config.engine), name);
	return r == -ENOENT ? 0 : r;
}

static int remove_definition(struct commands *commands, enum definition_kind kind,
                             const struct request *fields, struct cue_writer *result,
                             struct command_error *error)
{
	const char *name = fields->values[0].string;
	const char *field = kind == DEFINITION_PLAYLIST ? "/playlist" : "/gesture";
	bool kept = definition_store_has(commands->store, kind, name);
	int r;

	if (!kept && commands_is_configured(commands, kind, name))
		return command_fail(error, COMMAND_REFUSED, field,
		                    "%s '%s' is defined in the configuration; remove it there and "
		                    "reload",
		                    definition_kind_name(kind), name);
	if (!kept)
		return command_fail_errno(error, -ENOENT, field, definition_kind_name(kind), name,
		                          NULL);
	r = remove_from_bus(commands, kind, name);
	if (r >= 0)
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

int command_playlist_remove(struct commands *commands, const struct command_request *request,
                            const struct request *fields, struct cue_writer *result,
                            struct command_error *error)
{
	(void)request;
	return remove_definition(commands, DEFINITION_PLAYLIST, fields, result, error);
}

int command_gesture_remove(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error)
{
	(void)request;
	return remove_definition(commands, DEFINITION_GESTURE, fields, result, error);
}

struct list_context {
	const struct config *config;
	struct cue_writer *w;
};

static int write_gesture(void *user, const struct cue_gesture_info *info)
{
	const struct list_context *context = user;
	struct cue_writer *w = context->w;
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(&info->id, text);
	cue_writer_object_begin(w);
	cue_writer_key(w, "name");
	cue_writer_string(w, info->name);
	cue_writer_key(w, "id");
	cue_writer_string(w, text);
	cue_writer_key(w, "type");
	cue_writer_string(w, cue_gesture_type_name(info->type));
	cue_writer_key(w, "origin");
	cue_writer_string(w, config_origin(config_has_gesture(context->config, info->name)));
	cue_writer_object_end(w);
	return 0;
}

int command_gesture_list(struct commands *commands, const struct command_request *request,
                         const struct request *fields, struct cue_writer *result,
                         struct command_error *error)
{
	struct list_context context = { engine_get_config(commands->config.engine), result };

	(void)request, (void)fields, (void)error;
	cue_writer_object_begin(result);
	cue_writer_key(result, "gestures");
	cue_writer_array_begin(result);
	(void)cue_gesture_foreach(engine_gestures(commands->config.engine), write_gesture,
	                          &context);
	cue_writer_array_end(result);
	cue_writer_object_end(result);
	return 0;
}
