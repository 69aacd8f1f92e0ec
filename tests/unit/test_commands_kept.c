/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions made by command beside those of the configuration: names, rights, origin. */
#include "commands_fixture.h"
#include "config.h"

#include <unistd.h>

#define INPUTS                                                                                     \
	"\"inputs\":{\"estop\":{\"driver\":\"sim\",\"kind\":\"switch\","                           \
	"\"event\":\"estop.changed\"}}"
#define PLAYLISTS(name)                                                                            \
	"\"playlists\":{\"" name                                                                   \
	"\":{\"interrupts\":[\"stop\"],\"steps\":[{\"emit\":\"belt.move\","                        \
	"\"repeat\":10,\"interval\":\"1s\"}]}}"
#define GESTURES(name)                                                                             \
	"\"gestures\":{\"" name                                                                    \
	"\":{\"type\":\"double_tap\",\"source\":\"tap\",\"window\":\"1s\","                        \
	"\"emit\":\"tap.twice\"}}"
#define CONFIG(remote, more)                                                                       \
	"{\"version\":1,\"gateway\":{\"id\":\"t\"},\"mqtt\":{\"remote\":" remote "}," INPUTS more  \
	"}"

#define DEFINE(name, definition) "{\"name\":\"" name "\",\"definition\":" definition "}"
#define STEPS(type)              "{\"steps\":[{\"emit\":\"" type "\"}]}"
#define TAP(emit)                                                                                  \
	"{\"type\":\"double_tap\",\"source\":\"tap\",\"window\":\"1s\",\"emit\":\"" emit "\"}"
#define MIRROR(type, more)                                                                         \
	"{\"type\":\"gated_mirror\",\"gate\":\"open\",\"mirror\":[\"lamp.level\",\"" type          \
	"\"]" more "}"

#define ADMIN "{\"cmd\":\"admin\"}"

static const char both[] = CONFIG(ADMIN, "," PLAYLISTS("belt") "," GESTURES("double"));

static bool is_ok(const char *reply)
{
	return strncmp(reply, "{\"ok\":true,", 11) == 0;
}

Test(commands_kept, a_name_of_the_configuration_is_not_taken)
{
	struct rig rig;

	rig_open_with(&rig, both, NULL);
	expect_error(&rig, "playlist/define", DEFINE("belt", STEPS("belt.move")), "refused",
	             "/name");
	expect_error(&rig, "gesture/define", DEFINE("double", TAP("tap.twice")), "refused",
	             "/name");
	expect_error(&rig, "playlist/remove", "{\"playlist\":\"belt\"}", "refused", "/playlist");
	expect_error(&rig, "gesture/remove", "{\"gesture\":\"double\"}", "refused", "/gesture");
	/* Its interrupt still works. */
	cr_assert(is_ok(run(&rig, "playlist/start", "{\"playlist\":\"belt\"}")));
	engine_wake(rig.engine, rig.now_ns);
	run(&rig, "event/emit", "{\"event_type\":\"stop\"}");
	engine_wake(rig.engine, rig.now_ns);
	cr_assert_not_null(strstr(run(&rig, "playlist/runs", ""), "\"runs\":[]"));
	/* Playlists and gestures have names of their own. */
	cr_assert(is_ok(run(&rig, "playlist/define", DEFINE("double", STEPS("a")))));
	cr_assert(is_ok(run(&rig, "gesture/define", DEFINE("belt", TAP("b")))));
	rig_close(&rig);
}

Test(commands_kept, origin_tells_where_a_definition_is_from)
{
	struct rig rig;
	const char *list;

	rig_open_with(&rig, both, NULL);
	run(&rig, "playlist/define", DEFINE("made", STEPS("a")));
	run(&rig, "gesture/define", DEFINE("mine", TAP("b")));
	list = run(&rig, "playlist/list", "");
	cr_assert_not_null(strstr(list, "{\"name\":\"belt\""));
	cr_assert_not_null(strstr(strstr(list, "\"name\":\"belt\""), "\"origin\":\"config\""));
	cr_assert_not_null(strstr(strstr(list, "\"name\":\"made\""), "\"origin\":\"command\""));
	list = run(&rig, "gesture/list", "");
	cr_assert_not_null(
	        strstr(list, "\"type\":\"double_tap\",\"origin\":\"config\"},{\"name\":\"mine\""));
	cr_assert_not_null(strstr(strstr(list, "\"name\":\"mine\""), "\"origin\":\"command\""));
	rig_close(&rig);
}

struct denied {
	const char *remote, *command, *request;
	const char *path; /* NULL: it is allowed */
};

static const struct denied cases[] = {
	/* mqtt.remote.emit */
	{ "{\"cmd\":true,\"emit\":[\"go.go\"]}", "playlist/define", DEFINE("p", STEPS("motor.set")),
	  "/definition/steps/0/emit" },
	{ "{\"cmd\":true,\"emit\":[\"go.go\"]}", "playlist/define",
	  DEFINE("p", "{\"steps\":[{\"emit\":\"go.go\"},{\"emit\":\"motor.set\"}]}"),
	  "/definition/steps/1/emit" },
	{ "{\"cmd\":true,\"emit\":[\"go.go\"]}", "playlist/define",
	  DEFINE("p", "{\"completion\":\"motor.set\",\"steps\":[{\"emit\":\"go.go\"}]}"),
	  "/definition/completion" },
	{ "{\"cmd\":true,\"emit\":[\"go.go\"]}", "playlist/define", DEFINE("p", STEPS("go.go")),
	  NULL },
	{ "{\"cmd\":true,\"emit\":[\"go.*\"]}", "playlist/define", DEFINE("p", STEPS("go.go")),
	  NULL },
	{ "{\"cmd\":true,\"emit\":false}", "playlist/define", DEFINE("p", STEPS("go.go")),
	  "/definition/steps/0/emit" },
	{ "{\"cmd\":true,\"emit\":[\"go.go\"]}", "gesture/define", DEFINE("g", TAP("motor.set")),
	  "/definition/emit" },
	{ "{\"cmd\":true,\"emit\":[\"lamp.level\"]}", "gesture/define",
	  DEFINE("g", MIRROR("motor.set", "")), "/definition/mirror/1" },
	{ "{\"cmd\":true,\"emit\":[\"lamp.level\"]}", "gesture/define",
	  DEFINE("g", MIRROR("motor.set", ",\"emit\":\"lamp.level\"")), NULL },
	{ "{\"cmd\":true,\"emit\":[\"lamp.level\"]}", "gesture/define",
	  DEFINE("g", MIRROR("lamp.level", ",\"emit\":\"motor.set\"")), "/definition/emit" },
	/* mqtt.remote.inputs */
	{ ADMIN, "playlist/define", DEFINE("p", STEPS("estop.changed")),
	  "/definition/steps/0/emit" },
	{ ADMIN, "gesture/define", DEFINE("g", TAP("estop.changed")), "/definition/emit" },
	{ ADMIN, "gesture/define", DEFINE("g", MIRROR("estop.changed", "")),
	  "/definition/mirror/1" },
	{ "{\"cmd\":true,\"inputs\":true}", "playlist/define", DEFINE("p", STEPS("estop.changed")),
	  NULL },
	/* mqtt.remote.cmd: a gated playlist does what a command does. */
	{ "{\"cmd\":[\"gesture\"]}", "gesture/define",
	  DEFINE("g", "{\"type\":\"gated_playlist\",\"gate\":\"a\",\"playlist\":\"belt\"}"),
	  "/definition/playlist" },
	{ "{\"cmd\":[\"gesture\",\"playlist/start\"]}", "gesture/define",
	  DEFINE("g", "{\"type\":\"gated_playlist\",\"gate\":\"a\",\"playlist\":\"belt\"}"), NULL },
	{ "{\"cmd\":[\"gesture\",\"playlist/start\"]}", "gesture/define",
	  DEFINE("g", "{\"type\":\"gated_playlist\",\"gate\":\"a\",\"playlist\":\"belt\","
	              "\"cancel_active_runs\":true}"),
	  "/definition/cancel_active_runs" },
	{ "{\"cmd\":[\"gesture\",\"use\"]}", "gesture/define",
	  DEFINE("g", "{\"type\":\"gated_playlist\",\"gate\":\"a\",\"playlist\":\"belt\","
	              "\"cancel_active_runs\":true}"),
	  NULL },
};

Test(commands_kept, a_definition_does_no_more_than_its_sender_could)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig rig;
		char text[1000];

		snprintf(
		        text, sizeof(text),
		        "{\"version\":1,\"gateway\":{\"id\":\"t\"},\"mqtt\":{\"remote\":%s}," INPUTS
		        "," PLAYLISTS("belt") "}",
		        cases[i].remote);
		rig_open_with(&rig, text, NULL);
		if (cases[i].path)
			expect_error(&rig, cases[i].command, cases[i].request, "refused",
			             cases[i].path);
		else
			cr_assert(is_ok(run(&rig, cases[i].command, cases[i].request)), "%s",
			          rig.reply);
		rig_close(&rig);
	}
}

/* ---- over restarts and reloads ---- */

static void drop(const char *dir)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

/** Definitions made while the configuration had none of these names. */
static void keep(const char *dir)
{
	struct rig rig;

	rig_open_with(&rig, CONFIG(ADMIN, ""), dir);
	cr_assert(is_ok(run(&rig, "playlist/define", DEFINE("belt", STEPS("other.step")))));
	cr_assert(is_ok(run(&rig, "gesture/define", DEFINE("double", TAP("other.tap")))));
	cr_assert_eq(commands_flush(rig.commands), 0);
	rig_close(&rig);
}

Test(commands_kept, a_later_configuration_wins_and_says_so)
{
	char dir[] = "/tmp/cuebus-kept-XXXXXX";
	struct rig rig;

	cr_assert_not_null(mkdtemp(dir));
	keep(dir);
	rig_open_with(&rig, both, dir);
	cr_assert_not_null(strstr(rig.notices,
	                          "playlist 'belt', defined by command, is not in force: "
	                          "the configuration has one of that name"));
	cr_assert_not_null(strstr(rig.notices, "gesture 'double', defined by command"));
	run(&rig, "playlist/start", "{\"playlist\":\"belt\"}");
	engine_wake(rig.engine, rig.now_ns);
	cr_assert_not_null(
	        strstr(run(&rig, "state/get", "{\"event_type\":\"belt.move\"}"), "belt.move"));
	cr_assert_not_null(strstr(run(&rig, "state/get", "{\"event_type\":\"other.step\"}"), "[]"));
	cr_assert_not_null(strstr(run(&rig, "playlist/list", ""), "\"origin\":\"config\""));
	/* The kept one can be dropped; the configuration's stays, and can't. */
	cr_assert(is_ok(run(&rig, "playlist/remove", "{\"playlist\":\"belt\"}")));
	cr_assert_not_null(strstr(run(&rig, "playlist/list", ""), "\"name\":\"belt\""));
	expect_error(&rig, "playlist/remove", "{\"playlist\":\"belt\"}", "refused", "/playlist");
	cr_assert_eq(commands_flush(rig.commands), 0);
	rig_close(&rig);
	/* The gesture is kept still and comes back when its name is free. */
	rig_open_with(&rig, CONFIG(ADMIN, ""), dir);
	cr_assert_str_eq(rig.notices, "");
	cr_assert_not_null(strstr(run(&rig, "gesture/list", ""), "\"name\":\"double\""));
	cr_assert_not_null(strstr(run(&rig, "playlist/list", ""), "\"playlists\":[]"));
	rig_close(&rig);
	drop(dir);
}

Test(commands_kept, what_a_later_configuration_forbids_is_not_put_in_force)
{
	static const char strict[] = CONFIG("{\"cmd\":true,\"emit\":[\"other.tap\"]}", "");
	char dir[] = "/tmp/cuebus-kept-XXXXXX";
	struct rig rig;

	cr_assert_not_null(mkdtemp(dir));
	keep(dir);
	rig_open_with(&rig, strict, dir);
	cr_assert_not_null(
	        strstr(rig.notices, "playlist 'belt', defined by command, is not in force"));
	cr_assert_not_null(strstr(rig.notices, "mqtt.remote.emit"));
	cr_assert_null(strstr(rig.notices, "double"));
	expect_error(&rig, "playlist/start", "{\"playlist\":\"belt\"}", "not_found", "/playlist");
	cr_assert_not_null(strstr(run(&rig, "gesture/list", ""), "\"name\":\"double\""));
	rig_close(&rig);
	drop(dir);
}

/** Apply another configuration to a running engine. */
static void reload(struct rig *rig, const char *text)
{
	struct config *before = rig->config, *config = NULL;
	struct diag diag = { 0 };
	char error[512] = "";

	cr_assert_eq(config_load_text("t", text, strlen(text), &diag, &config), 0);
	diag_clear(&diag);
	cr_assert_eq(engine_apply(rig->engine, config, error), 0, "%s", error);
	rig->notices[0] = '\0';
	cr_assert_eq(commands_reapply(rig->commands), 0);
	rig->config = config;
	config_free(before);
}

static void tap(struct rig *rig)
{
	run(rig, "event/emit", "{\"event_type\":\"tap\"}");
	engine_wake(rig->engine, rig->now_ns);
}

static bool has_state(struct rig *rig, const char *type)
{
	char request[100];

	snprintf(request, sizeof(request), "{\"event_type\":\"%s\"}", type);
	return !strstr(run(rig, "state/get", request), "\"entries\":[]");
}

Test(commands_kept, a_reload_leaves_what_is_unchanged_alone)
{
	struct rig rig;

	rig_open_with(&rig, CONFIG(ADMIN, ""), NULL);
	run(&rig, "gesture/define", DEFINE("double", TAP("other.tap")));
	tap(&rig);
	reload(&rig, CONFIG(ADMIN, "," PLAYLISTS("belt")));
	cr_assert_str_eq(rig.notices, "");
	/* The earlier tap still counts. */
	tap(&rig);
	cr_assert(has_state(&rig, "other.tap"));
	rig_close(&rig);
}

Test(commands_kept, a_reload_gives_names_and_takes_rights)
{
	struct rig rig;

	rig_open_with(&rig, CONFIG(ADMIN, ""), NULL);
	run(&rig, "playlist/define", DEFINE("belt", STEPS("other.step")));
	run(&rig, "playlist/define",
	    DEFINE("slow", "{\"steps\":[{\"emit\":\"other.slow\",\"offset\":\"9s\"}]}"));
	run(&rig, "playlist/start", "{\"playlist\":\"slow\"}");
	engine_wake(rig.engine, rig.now_ns);
	reload(&rig, both);
	cr_assert_not_null(strstr(rig.notices, "playlist 'belt', defined by command"));
	cr_assert_null(strstr(rig.notices, "slow"));
	cr_assert_not_null(
	        strstr(run(&rig, "playlist/runs", "{\"playlist\":\"slow\"}"), "running"));
	/* Back again: the kept one is in force again, with its own step. */
	reload(&rig, CONFIG(ADMIN, ""));
	cr_assert_str_eq(rig.notices, "");
	run(&rig, "playlist/start", "{\"playlist\":\"belt\"}");
	engine_wake(rig.engine, rig.now_ns);
	cr_assert(has_state(&rig, "other.step"));
	/* Forbidden now: taken out of force with its runs. */
	reload(&rig, CONFIG("{\"cmd\":true,\"emit\":[\"other.step\"]}", ""));
	cr_assert_not_null(strstr(rig.notices, "playlist 'slow', defined by command"));
	cr_assert_not_null(strstr(run(&rig, "playlist/runs", ""), "\"runs\":[]"));
	expect_error(&rig, "playlist/start", "{\"playlist\":\"slow\"}", "not_found", "/playlist");
	cr_assert(is_ok(run(&rig, "playlist/start", "{\"playlist\":\"belt\"}")));
	rig_close(&rig);
}

/** After a configuration that could not be applied whole and was rolled back. */
Test(commands_kept, what_a_roll_back_removed_comes_back)
{
	struct rig rig;

	rig_open_with(&rig, CONFIG(ADMIN, ""), NULL);
	run(&rig, "playlist/define", DEFINE("belt", STEPS("other.step")));
	run(&rig, "gesture/define", DEFINE("double", TAP("other.tap")));
	cr_assert_eq(cue_playlist_remove(engine_playlists(rig.engine), "belt", NULL), 0);
	cr_assert_eq(cue_gesture_remove(engine_gestures(rig.engine), "double"), 0);
	cr_assert_eq(commands_reapply(rig.commands), 0);
	cr_assert_str_eq(rig.notices, "");
	cr_assert_not_null(strstr(run(&rig, "gesture/list", ""), "\"name\":\"double\""));
	cr_assert(is_ok(run(&rig, "playlist/start", "{\"playlist\":\"belt\"}")));
	rig_close(&rig);
}
