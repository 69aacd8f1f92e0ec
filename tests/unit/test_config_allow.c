/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <stdio.h>
#include <string.h>

#include "config.h"

static const char *list[] = { "lamp.*", "go" };
static const char *commands[] = { "playlist", "state/get", "ping" };

Test(config_allow, without_a_limit_everything_is_allowed)
{
	struct config_allow allow = { 0 };

	cr_assert(config_allows_event(&allow, "a.b"));
	cr_assert(config_allows_command(&allow, "no/such"));
}

Test(config_allow, switched_off_nothing_is)
{
	struct config_allow allow = { .limited = true };

	cr_assert_not(config_allows_event(&allow, "a.b"));
	cr_assert_not(config_allows_command(&allow, "ping"));
	cr_assert_not(config_allows_command(&allow, ""));
}

Test(config_allow, only_the_events_listed)
{
	struct config_allow allow = { .limited = true, .patterns = list, .n = 2 };

	cr_assert(config_allows_event(&allow, "lamp.set"));
	cr_assert(config_allows_event(&allow, "go"));
	cr_assert_not(config_allows_event(&allow, "lamp"));
	cr_assert_not(config_allows_event(&allow, "go.on"));
	cr_assert_not(config_allows_event(&allow, "goon"));
}

Test(config_allow, a_noun_allows_its_verbs_and_nothing_else)
{
	struct config_allow allow = { .limited = true, .patterns = commands, .n = 3 };

	cr_assert(config_allows_command(&allow, "playlist/start"));
	cr_assert(config_allows_command(&allow, "playlist/define"));
	cr_assert(config_allows_command(&allow, "state/get"));
	cr_assert(config_allows_command(&allow, "ping"));
	cr_assert_not(config_allows_command(&allow, "playlists/start"));
	cr_assert_not(config_allows_command(&allow, "state/set"));
	cr_assert_not(config_allows_command(&allow, "state"));
	cr_assert_not(config_allows_command(&allow, "state/getall"));
	cr_assert_not(config_allows_command(&allow, "pin"));
	cr_assert_not(config_allows_command(&allow, "event/emit"));
}

static void load(const char *remote, struct config **ret_config)
{
	struct diag diag = { 0 };
	char text[512];

	snprintf(text, sizeof(text), "{\"version\":1,\"gateway\":{\"id\":\"t\"},\"mqtt\":{%s}}", remote);
	cr_assert_eq(config_load_text("t", text, strlen(text), &diag, ret_config), 0);
	diag_clear(&diag);
}

Test(config_allow, is_read_from_the_configuration)
{
	struct config *config = NULL;

	load("", &config);
	cr_assert_not(config->mqtt.remote.emit.limited);
	cr_assert_not(config->mqtt.remote.cmd.limited);
	cr_assert_eq(config->mqtt.window, 20);
	config = config_free(config);
	load("\"window\":3,\"remote\":{\"emit\":false,\"cmd\":[\"ping\",\"state/get\"]}", &config);
	cr_assert(config->mqtt.remote.emit.limited);
	cr_assert_eq(config->mqtt.remote.emit.n, 0);
	cr_assert(config->mqtt.remote.cmd.limited);
	cr_assert_eq(config->mqtt.remote.cmd.n, 2);
	cr_assert_str_eq(config->mqtt.remote.cmd.patterns[1], "state/get");
	cr_assert_eq(config->mqtt.window, 3);
	config_free(config);
}
