/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "config_model.h"
#include "event_pattern.h"

/* The group `use`: no command that changes a definition, shows the configuration or simulates an
 * input. Commands of later versions are listed so that a configuration may name them. */
static const char *const use_commands[] = {
	"playlist/start", "playlist/stop",
	"playlist/pause", "playlist/resume",
	"playlist/seek",  "playlist/tempo",
	"playlist/list",  "playlist/runs",
	"gesture/list",   "event/emit",
	"state/get",      "input/position",
	"ping",           NULL,
};

const char *const *config_use_commands(void)
{
	return use_commands;
}

static bool is_use(const char *name)
{
	for (size_t i = 0; use_commands[i]; i++) {
		if (strcmp(use_commands[i], name) == 0)
			return true;
	}
	return false;
}

/** Whether @p type, a type or a prefix ending in ".*", covers @p input_type. */
static bool overlaps(const char *type, const char *input_type)
{
	return input_type && event_pattern_match(type, input_type) > 0;
}

static bool is_input_type(const struct config *config, const char *type)
{
	for (size_t i = 0; i < config->n_inputs; i++) {
		if (overlaps(type, config->inputs[i].event) ||
		    overlaps(type, config->inputs[i].release_event))
			return true;
	}
	return false;
}

const char *config_remote_type_fault(const struct config *config, const char *type)
{
	const struct config_remote *remote = &config->mqtt.remote;

	if (cue_type_is_reserved(type))
		return "is the gateway's own (event., gateway., gesture. and input. are reserved)";
	if (!config_allows_event(&remote->emit, type))
		return "is not in mqtt.remote.emit";
	if (!remote->inputs && is_input_type(config, type))
		return "belongs to a local input and mqtt.remote.inputs is false";
	return NULL;
}

bool config_allows_event(const struct config_allow *allow, const char *event_type)
{
	for (size_t i = 0; i < allow->n; i++) {
		if (event_pattern_match(allow->patterns[i], event_type) > 0)
			return true;
	}
	return !allow->limited;
}

bool config_allows_command(const struct config_allow *allow, const char *name)
{
	for (size_t i = 0; i < allow->n; i++) {
		const char *pattern = allow->patterns[i];
		size_t len = strlen(pattern);

		if (strcmp(pattern, CONFIG_ALLOW_ADMIN) == 0)
			return true;
		if (strcmp(pattern, CONFIG_ALLOW_USE) == 0) {
			if (is_use(name))
				return true;
			continue;
		}
		if (strncmp(name, pattern, len) == 0 && (name[len] == '\0' || name[len] == '/'))
			return true;
	}
	return !allow->limited;
}
