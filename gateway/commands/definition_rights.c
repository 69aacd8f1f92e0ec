/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rights of a definition made by command: no more than its sender has with P/emit and the
 * commands that mqtt.remote.cmd allows.
 *
 *   what it does                      | needs
 *   a step, a completion, a gesture   | the event type may come from outside
 *     or a mirror emits a type        |
 *   a mirror without `emit` emits     | each type that it mirrors may
 *     what it mirrors                 |
 *   a gated playlist starts one       | playlist/start
 *     and stops its runs before       | playlist/stop too
 */
#include <errno.h>
#include <stdio.h>

#include "commands_internal.h"

static int check_type(const struct config *config, const char *type, const char *path,
                      struct command_error *error)
{
	const char *fault = config_remote_type_fault(config, type);

	if (!fault)
		return 0;
	command_fail(error, COMMAND_REFUSED, path,
	             "a definition made by command can't emit '%s': it %s", type, fault);
	return -EPERM;
}

static int check_command(const struct config *config, const char *name, const char *path,
                         struct command_error *error)
{
	if (config_allows_command(&config->mqtt.remote.cmd, name))
		return 0;
	command_fail(
	        error, COMMAND_REFUSED, path,
	        "a definition made by command can't do what mqtt.remote.cmd does not allow: %s",
	        name);
	return -EPERM;
}

int definition_rights_playlist(const struct config *config, const struct cue_playlist_config *def,
                               struct command_error *error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < def->n_steps; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/definition/steps/%zu/emit", i);
		r = check_type(config, def->steps[i].emit, path, error);
	}
	if (r >= 0 && def->completion)
		r = check_type(config, def->completion, "/definition/completion", error);
	return r;
}

static int check_mirrored(const struct config *config, const struct cue_gesture_config *def,
                          struct command_error *error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < def->n_mirror; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/definition/mirror/%zu", i);
		r = check_type(config, def->mirror[i], path, error);
	}
	return r;
}

static int check_clicks(const struct config *config, const struct cue_gesture_config *def,
                        struct command_error *error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < CUE_CLICKS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/definition/emit/%s",
		         cue_click_name((enum cue_click)i));
		if (def->clicks[i])
			r = check_type(config, def->clicks[i], path, error);
	}
	return r;
}

static int check_gated_playlist(const struct config *config, const struct cue_gesture_config *def,
                                struct command_error *error)
{
	int r = check_command(config, "playlist/start", "/definition/playlist", error);

	return r < 0 || !def->cancel_active_runs
	               ? r
	               : check_command(config, "playlist/stop", "/definition/cancel_active_runs",
	                               error);
}

int definition_rights_gesture(const struct config *config, const struct cue_gesture_config *def,
                              struct command_error *error)
{
	switch (def->type) {
	case CUE_GESTURE_CLICK:
		return check_clicks(config, def, error);
	case CUE_GESTURE_CYCLE:
	case CUE_GESTURE_DOUBLE_TAP:
	case CUE_GESTURE_MULTI_TAP:
	case CUE_GESTURE_SIMULTANEOUS:
	case CUE_GESTURE_SEQUENCE:
		return check_type(config, def->emit, "/definition/emit", error);
	case CUE_GESTURE_GATED_MIRROR:
		return def->emit ? check_type(config, def->emit, "/definition/emit", error)
		                 : check_mirrored(config, def, error);
	case CUE_GESTURE_GATED_PLAYLIST:
		return check_gated_playlist(config, def, error);
	}
	return -EPERM; /* not reached: the switch is exhaustive */
}
