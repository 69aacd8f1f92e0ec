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

static const char *const used[] = { "playlist/start",
	                            "playlist/stop",
	                            "playlist/pause",
	                            "playlist/resume",
	                            "playlist/seek",
	                            "playlist/tempo",
	                            "playlist/list",
	                            "playlist/runs",
	                            "gesture/list",
	                            "event/emit",
	                            "state/get",
	                            "input/position",
	                            "ping" };
static const char *const administrated[] = { "playlist/define", "playlist/remove", "gesture/define",
	                                     "gesture/remove",  "config/get",      "config/check",
	                                     "config/reload",   "input/set" };

#define LEN(array) (sizeof(array) / sizeof(*(array)))

Test(config_allow, use_is_a_group_without_definitions_configuration_and_inputs)
{
	const char *use[] = { "use" };
	struct config_allow allow = { .limited = true, .patterns = use, .n = 1 };

	for (size_t i = 0; i < LEN(used); i++)
		cr_assert(config_allows_command(&allow, used[i]), "%s", used[i]);
	for (size_t i = 0; i < LEN(administrated); i++)
		cr_assert_not(config_allows_command(&allow, administrated[i]), "%s",
		              administrated[i]);
	cr_assert_not(config_allows_command(&allow, "use"));
	cr_assert_not(config_allows_command(&allow, "playlist"));
}

Test(config_allow, groups_stand_in_a_list_beside_commands)
{
	const char *both[] = { "use", "input/set" }, *admin[] = { "admin" };
	struct config_allow allow = { .limited = true, .patterns = both, .n = 2 };

	cr_assert(config_allows_command(&allow, "input/set"));
	cr_assert(config_allows_command(&allow, "ping"));
	cr_assert_not(config_allows_command(&allow, "config/get"));
	allow = (struct config_allow){ .limited = true, .patterns = admin, .n = 1 };
	for (size_t i = 0; i < LEN(administrated); i++)
		cr_assert(config_allows_command(&allow, administrated[i]), "%s", administrated[i]);
}

static void load(const char *remote, struct config **ret_config)
{
	struct diag diag = { 0 };
	char text[512];

	snprintf(text, sizeof(text), "{\"version\":1,\"gateway\":{\"id\":\"t\"},\"mqtt\":{%s}}",
	         remote);
	cr_assert_eq(config_load_text("t", text, strlen(text), &diag, ret_config), 0);
	diag_clear(&diag);
}

Test(config_allow, is_read_from_the_configuration)
{
	struct config *config = NULL;

	load("", &config);
	cr_assert_not(config->mqtt.remote.emit.limited);
	cr_assert(config->mqtt.remote.cmd.limited);
	cr_assert_eq(config->mqtt.remote.cmd.n, 1);
	cr_assert_str_eq(config->mqtt.remote.cmd.patterns[0], "use");
	cr_assert_not(config->mqtt.remote.inputs);
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

Test(config_allow, true_and_admin_are_all_and_false_is_nothing)
{
	static const struct {
		const char *cmd;
		bool config_get, ping;
	} cases[] = { { "true", true, true },     { "\"admin\"", true, true },
		      { "\"use\"", false, true }, { "false", false, false },
		      { "[]", false, false },     { "[\"config\"]", true, false } };

	for (size_t i = 0; i < LEN(cases); i++) {
		struct config *config = NULL;
		char remote[100];

		snprintf(remote, sizeof(remote), "\"remote\":{\"cmd\":%s}", cases[i].cmd);
		load(remote, &config);
		cr_assert_eq(config_allows_command(&config->mqtt.remote.cmd, "config/get"),
		             cases[i].config_get);
		cr_assert_eq(config_allows_command(&config->mqtt.remote.cmd, "ping"),
		             cases[i].ping);
		config_free(config);
	}
}

static struct config *load_with_inputs(const char *remote)
{
	struct diag diag = { 0 };
	struct config *config = NULL;
	char text[600];

	snprintf(text, sizeof(text),
	         "{\"version\":1,\"gateway\":{\"id\":\"t\"},\"mqtt\":{\"remote\":%s},"
	         "\"inputs\":{\"estop\":{\"driver\":\"sim\",\"kind\":\"switch\","
	         "\"event\":\"estop.changed\"},"
	         "\"bell\":{\"driver\":\"sim\",\"kind\":\"button\",\"event\":\"bell.press\","
	         "\"release_event\":\"bell.release\"}}}",
	         remote);
	cr_assert_eq(config_load_text("t", text, strlen(text), &diag, &config), 0);
	diag_clear(&diag);
	return config;
}

Test(config_allow, types_of_local_inputs_are_not_emitted_from_outside)
{
	static const struct {
		const char *remote, *type, *fault; /* a part of it, or NULL */
	} cases[] = {
		{ "{}", "estop.changed", "mqtt.remote.inputs" },
		{ "{}", "bell.release", "mqtt.remote.inputs" },
		{ "{}", "bell.ringing", NULL },
		{ "{}", "bell.*", "mqtt.remote.inputs" },
		{ "{}", "lamp.*", NULL },
		{ "{}", "input.x", "reserved" },
		{ "{}", "event.*", "reserved" },
		{ "{\"inputs\":true}", "estop.changed", NULL },
		{ "{\"inputs\":true}", "bell.*", NULL },
		{ "{\"inputs\":true}", "gateway.gap", "reserved" },
		{ "{\"inputs\":true,\"emit\":[\"lamp.set\"]}", "estop.changed",
		  "mqtt.remote.emit" },
		{ "{\"emit\":[\"lamp.set\"]}", "lamp.*", "mqtt.remote.emit" },
		{ "{\"emit\":[\"lamp.*\"]}", "lamp.*", NULL },
		{ "{\"emit\":[\"lamp.*\"]}", "lamp.left.*", NULL },
		{ "{\"emit\":[\"lamp.left.*\"]}", "lamp.*", "mqtt.remote.emit" },
		{ "{\"emit\":[\"estop.changed\"]}", "estop.changed", "mqtt.remote.inputs" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct config *config = load_with_inputs(cases[i].remote);
		const char *fault = config_remote_type_fault(config, cases[i].type);

		cr_assert_eq(fault == NULL, cases[i].fault == NULL, "%s %s", cases[i].remote,
		             cases[i].type);
		if (fault)
			cr_assert_not_null(strstr(fault, cases[i].fault), "%s", fault);
		config_free(config);
	}
}
