/* SPDX-License-Identifier: Apache-2.0 */
/* One definition made by command: read, held against what it may do, put in force. */
#include <errno.h>
#include <stdio.h>

#include "commands_internal.h"
#include "config.h"

static const char if_full[] = "limits.definitions or limits.event_types is reached";

/** One definition, and where to put it. */
struct definition {
	struct commands *commands;
	const char *name;
	bool define; /* false: only check it */
	struct cue_id *ret_id;
	struct command_error *error;
};

static int read_playlist(const struct definition *d, struct cue_payload *definition,
                         struct config_playlist **ret_playlist)
{
	struct diag diag = { 0 };
	size_t len;
	const char *json = cue_payload_bytes(definition, &len);
	int r = config_playlist_parse(d->name, json, len, &diag, ret_playlist);

	if (r == -EINVAL)
		command_fail_diag(d->error, &diag, "/definition");
	diag_clear(&diag);
	return r;
}

static int read_gesture(const struct definition *d, struct cue_payload *definition,
                        struct config_gesture **ret_gesture)
{
	struct diag diag = { 0 };
	size_t len;
	const char *json = cue_payload_bytes(definition, &len);
	int r = config_gesture_parse(d->name, json, len, &diag, ret_gesture);

	if (r == -EINVAL)
		command_fail_diag(d->error, &diag, "/definition");
	diag_clear(&diag);
	return r;
}

static int explain(const struct definition *d, int r, const char *what,
                   const struct cue_predicate_error *wrong)
{
	char path[sizeof(wrong->path) + 16];

	if (r == -EINVAL) {
		snprintf(path, sizeof(path), "/definition%s", wrong->path);
		return command_fail(d->error, COMMAND_INVALID_REQUEST, path, "%s", wrong->text);
	}
	return command_fail_errno(d->error, r, "/name", what, d->name, if_full);
}

static int take_playlist(const struct definition *d, struct cue_payload *definition)
{
	const struct config *config = engine_get_config(d->commands->config.engine);
	struct cue_predicate_error wrong = { 0 };
	struct config_playlist *playlist;
	int r = read_playlist(d, definition, &playlist);

	if (r < 0)
		return r;
	r = definition_rights_playlist(config, &playlist->def, d->error);
	if (r >= 0) {
		r = cue_playlist_check_rate(&playlist->def, &config->limits.playlist, &wrong);
		if (r < 0)
			r = explain(d, r, "playlist", &wrong);
	}
	if (r >= 0 && d->define) {
		r = cue_playlist_define(engine_playlists(d->commands->config.engine),
		                        &playlist->def, d->ret_id, &wrong);
		if (r < 0)
			r = explain(d, r, "playlist", &wrong);
	}
	config_playlist_free(playlist);
	return r;
}

static int take_gesture(const struct definition *d, struct cue_payload *definition)
{
	const struct config *config = engine_get_config(d->commands->config.engine);
	struct cue_predicate_error wrong = { 0 };
	struct config_gesture *gesture;
	int r = read_gesture(d, definition, &gesture);

	if (r < 0)
		return r;
	r = definition_rights_gesture(config, &gesture->def, d->error);
	if (r >= 0 && d->define) {
		r = cue_gesture_define(engine_gestures(d->commands->config.engine), &gesture->def,
		                       d->ret_id, &wrong);
		if (r < 0)
			r = explain(d, r, "gesture", &wrong);
	}
	config_gesture_free(gesture);
	return r;
}

int commands_apply_definition(struct commands *commands, const struct named_definition *named,
                              struct cue_id *ret_id, struct command_error *error)
{
	struct definition d = { commands, named->name, true, ret_id, error };

	return named->kind == DEFINITION_PLAYLIST ? take_playlist(&d, named->definition)
	                                          : take_gesture(&d, named->definition);
}

int commands_check_definition(struct commands *commands, const struct named_definition *named,
                              struct command_error *error)
{
	struct definition d = { commands, named->name, false, NULL, error };

	return named->kind == DEFINITION_PLAYLIST ? take_playlist(&d, named->definition)
	                                          : take_gesture(&d, named->definition);
}

bool commands_is_configured(const struct commands *commands, enum definition_kind kind,
                            const char *name)
{
	const struct config *config = engine_get_config(commands->config.engine);

	return kind == DEFINITION_PLAYLIST ? config_has_playlist(config, name)
	                                   : config_has_gesture(config, name);
}
