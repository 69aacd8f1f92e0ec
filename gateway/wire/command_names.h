/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file command_names.h
 * @brief The commands of `P/cmd/…` by name: what the configuration may list, and what is carried
 * out.
 */
#ifndef CUEBUS_COMMAND_NAMES_H
#define CUEBUS_COMMAND_NAMES_H

enum command_name {
	COMMAND_NAME_PLAYLIST_START,
	COMMAND_NAME_PLAYLIST_STOP,
	COMMAND_NAME_PLAYLIST_LIST,
	COMMAND_NAME_PLAYLIST_RUNS,
	COMMAND_NAME_PLAYLIST_DEFINE,
	COMMAND_NAME_PLAYLIST_REMOVE,
	COMMAND_NAME_GESTURE_DEFINE,
	COMMAND_NAME_GESTURE_REMOVE,
	COMMAND_NAME_GESTURE_LIST,
	COMMAND_NAME_EVENT_EMIT,
	COMMAND_NAME_STATE_GET,
	COMMAND_NAME_INPUT_SET,
	COMMAND_NAME_CONFIG_CHECK,
	COMMAND_NAME_CONFIG_RELOAD,
	COMMAND_NAME_CONFIG_GET,
	COMMAND_NAME_PING,
	COMMAND_NAMES, /**< how many */
};

/** The topic below `P/cmd/`, as "playlist/start"; static. Any thread. */
const char *command_name_text(enum command_name name);

#endif
