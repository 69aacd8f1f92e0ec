/* SPDX-License-Identifier: Apache-2.0 */
#include "command_names.h"

static const char *const texts[COMMAND_NAMES] = {
	[COMMAND_NAME_PLAYLIST_START] = "playlist/start",
	[COMMAND_NAME_PLAYLIST_STOP] = "playlist/stop",
	[COMMAND_NAME_PLAYLIST_PAUSE] = "playlist/pause",
	[COMMAND_NAME_PLAYLIST_RESUME] = "playlist/resume",
	[COMMAND_NAME_PLAYLIST_SEEK] = "playlist/seek",
	[COMMAND_NAME_PLAYLIST_TEMPO] = "playlist/tempo",
	[COMMAND_NAME_PLAYLIST_LIST] = "playlist/list",
	[COMMAND_NAME_PLAYLIST_RUNS] = "playlist/runs",
	[COMMAND_NAME_PLAYLIST_DEFINE] = "playlist/define",
	[COMMAND_NAME_PLAYLIST_REMOVE] = "playlist/remove",
	[COMMAND_NAME_GESTURE_DEFINE] = "gesture/define",
	[COMMAND_NAME_GESTURE_REMOVE] = "gesture/remove",
	[COMMAND_NAME_GESTURE_LIST] = "gesture/list",
	[COMMAND_NAME_EVENT_EMIT] = "event/emit",
	[COMMAND_NAME_STATE_GET] = "state/get",
	[COMMAND_NAME_INPUT_SET] = "input/set",
	[COMMAND_NAME_INPUT_POSITION] = "input/position",
	[COMMAND_NAME_CONFIG_CHECK] = "config/check",
	[COMMAND_NAME_CONFIG_RELOAD] = "config/reload",
	[COMMAND_NAME_CONFIG_GET] = "config/get",
	[COMMAND_NAME_PING] = "ping",
};

const char *command_name_text(enum command_name name)
{
	return texts[name];
}
