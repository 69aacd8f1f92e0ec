/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/cuebus.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const types[CUE_GESTURE_TYPES_MAX + 1] = { "a.b", "c" };

static struct cue_gesture_config tap(enum cue_gesture_type type)
{
	return (struct cue_gesture_config){
		.name = "g",
		.type = type,
		.emit = "out",
		.source = { .type = "in" },
		.window_ns = 1,
		.count = 2,
		.required_sources = 2,
	};
}

static struct cue_gesture_config gated(enum cue_gesture_type type)
{
	return (struct cue_gesture_config){
		.name = "g",
		.type = type,
		.gate = types,
		.n_gate = 2,
		.mirror = types,
		.n_mirror = 1,
		.playlist = "p",
	};
}

static void accept(const struct cue_gesture_config *config)
{
	struct cue_predicate_error error = { "", "" };
	int r = cue_gesture_check(config, &error);

	cr_assert_eq(r, 0, "%s: %s", error.path, error.text);
}

static void refuse(const struct cue_gesture_config *config, const char *path, const char *text)
{
	struct cue_predicate_error error = { "untouched", "untouched" };

	cr_assert_eq(cue_gesture_check(config, &error), -EINVAL);
	cr_assert_str_eq(error.path, path);
	cr_assert_str_eq(error.text, text);
	cr_assert_eq(cue_gesture_check(config, NULL), -EINVAL);
}

Test(gesture_check, what_is_right)
{
	struct cue_gesture_config config;

	for (int type = CUE_GESTURE_DOUBLE_TAP; type <= CUE_GESTURE_SIMULTANEOUS; type++) {
		config = tap((enum cue_gesture_type)type);
		accept(&config);
		config.window_ns = CUE_DURATION_MAX_NS;
		config.cooldown_ns = CUE_DURATION_MAX_NS;
		config.count = CUE_GESTURE_COUNT_MAX;
		config.required_sources = CUE_GESTURE_SOURCES_MAX;
		accept(&config);
	}
	config = gated(CUE_GESTURE_GATED_MIRROR);
	accept(&config);
	config.emit = "out";
	accept(&config);
	config = gated(CUE_GESTURE_GATED_PLAYLIST);
	accept(&config);
}

Test(gesture_check, names)
{
	struct cue_gesture_config config = tap(CUE_GESTURE_DOUBLE_TAP);
	char name[CUE_GESTURE_NAME_MAX + 2];

	config.name = NULL;
	refuse(&config, "", "a gesture's name has 1 to 128 bytes");
	config.name = "";
	refuse(&config, "", "a gesture's name has 1 to 128 bytes");
	memset(name, 'n', sizeof(name));
	name[CUE_GESTURE_NAME_MAX + 1] = '\0';
	config.name = name;
	refuse(&config, "", "a gesture's name has 1 to 128 bytes");
	name[CUE_GESTURE_NAME_MAX] = '\0';
	accept(&config);
	config.name = "T\xC3\xBCr";
	accept(&config);
	config.name = "T\xFCr";
	refuse(&config, "", "a gesture's name must be UTF-8");
}

Test(gesture_check, emit)
{
	struct cue_gesture_config config = tap(CUE_GESTURE_DOUBLE_TAP);
	const char *const reserved[] = { "event.x", "gateway.x", "gesture.x", "input.x" };

	config.emit = NULL;
	refuse(&config, "/emit", "an event type is missing");
	config.emit = "Out";
	refuse(&config, "/emit",
	       "not an event type: only a-z, 0-9, '_' and '-' are allowed between the dots");
	for (size_t i = 0; i < 4; i++) {
		config.emit = reserved[i];
		refuse(&config, "/emit",
		       "a gesture can't emit a type that begins with event., gateway., gesture. "
		       "or input.: these are reserved");
	}
	config.emit = "events.x";
	accept(&config);
	config = gated(CUE_GESTURE_GATED_MIRROR);
	config.emit = "input.x";
	refuse(&config, "/emit",
	       "a gesture can't emit a type that begins with event., gateway., gesture. "
	       "or input.: these are reserved");
}

Test(gesture_check, sources)
{
	struct cue_gesture_config config = tap(CUE_GESTURE_SIMULTANEOUS);
	cJSON *match = cJSON_Parse("{\"bpm\":{\"gt\":true}}");

	config.source.type = NULL;
	refuse(&config, "/source", "an event type is missing");
	config.source.type = "mic.*";
	refuse(&config, "/source",
	       "not an event type: only a-z, 0-9, '_' and '-' are allowed between the dots");
	config.source.type = "event.playlist.created"; /* listening is allowed */
	accept(&config);
	config.source.match = match;
	refuse(&config, "/source/match/bpm/gt", "\"gt\" compares with a number or a string");
	cJSON_Delete(match);
}

Test(gesture_check, numbers_and_durations)
{
	struct cue_gesture_config config = tap(CUE_GESTURE_MULTI_TAP);

	config.window_ns = 0;
	refuse(&config, "/window", "\"window\" is missing or 0: give a duration above 0");
	config.window_ns = CUE_DURATION_MAX_NS + 1;
	refuse(&config, "/window", "\"window\" is too long: 3650 days at most");
	config = tap(CUE_GESTURE_MULTI_TAP);
	config.cooldown_ns = CUE_DURATION_MAX_NS + 1;
	refuse(&config, "/cooldown", "\"cooldown\" is too long: 3650 days at most");
	config = tap(CUE_GESTURE_MULTI_TAP);
	config.count = 1;
	refuse(&config, "/count", "\"count\" is 1: give a number from 2 to 16");
	config.count = 17;
	refuse(&config, "/count", "\"count\" is 17: give a number from 2 to 16");
	config.type = CUE_GESTURE_DOUBLE_TAP;
	accept(&config);
	config = tap(CUE_GESTURE_SIMULTANEOUS);
	config.required_sources = 1;
	refuse(&config, "/required_sources",
	       "\"required_sources\" is 1: give a number from 2 to 64");
	config.required_sources = 65;
	refuse(&config, "/required_sources",
	       "\"required_sources\" is 65: give a number from 2 to 64");
}

Test(gesture_check, sequences)
{
	struct cue_filter steps[CUE_GESTURE_STEPS_MAX + 1];
	struct cue_gesture_config config = {
		.name = "g", .type = CUE_GESTURE_SEQUENCE, .emit = "out", .steps = steps
	};
	cJSON *match = cJSON_Parse("{\"a/b\":{\"in\":[]}}");

	for (size_t i = 0; i <= CUE_GESTURE_STEPS_MAX; i++)
		steps[i] = (struct cue_filter){ .type = "in" };
	refuse(&config, "/steps", "\"steps\" has 0 entries: give 1 to 64");
	config.n_steps = CUE_GESTURE_STEPS_MAX + 1;
	refuse(&config, "/steps", "\"steps\" has 65 entries: give 1 to 64");
	config.n_steps = CUE_GESTURE_STEPS_MAX;
	accept(&config);
	config.n_steps = 3;
	config.timeout_ns = CUE_DURATION_MAX_NS + 1;
	refuse(&config, "/timeout", "\"timeout\" is too long: 3650 days at most");
	config.timeout_ns = CUE_DURATION_MAX_NS;
	accept(&config);
	steps[1].match = match;
	refuse(&config, "/steps/1/match/a~1b/in", "\"in\" needs a list of at least one value");
	steps[1] = (struct cue_filter){ .type = "a..b" };
	refuse(&config, "/steps/1", "not an event type: a segment between dots can't be empty");
	cJSON_Delete(match);
}

Test(gesture_check, gates)
{
	struct cue_gesture_config config = gated(CUE_GESTURE_GATED_PLAYLIST);
	cJSON *right = cJSON_Parse("{\"state\":\"a\"}");
	cJSON *wrong = cJSON_Parse("{\"all\":[{\"state\":\"a\"},{\"stat\":\"b\"}]}");
	struct cue_predicate_error error;

	config.n_gate = 0;
	refuse(&config, "/gate", "\"gate\" has 0 entries: give 1 to 64");
	config.when = right;
	refuse(&config, "/gate", "\"gate\" has 0 entries: give 1 to 64");
	config.n_gate = CUE_GESTURE_TYPES_MAX + 1;
	refuse(&config, "/gate", "\"gate\" has 65 entries: give 1 to 64");
	config.n_gate = 3; /* the third one is NULL */
	refuse(&config, "/gate/2", "an event type is missing");
	config.n_gate = 2;
	accept(&config);
	config.when = wrong;
	cr_assert_eq(cue_gesture_check(&config, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/when/all/1");
	cr_assert_gt(strlen(error.text), 0);
	config = gated(CUE_GESTURE_GATED_MIRROR);
	config.n_gate = 0;
	refuse(&config, "/gate", "a mirror needs \"gate\" or \"when\" to tell when it is open");
	config.when = right; /* alone it will do */
	accept(&config);
	cJSON_Delete(right);
	cJSON_Delete(wrong);
}

Test(gesture_check, mirrors)
{
	const char *const reserved[] = { "in", "event.playlist.created" };
	struct cue_gesture_config config = gated(CUE_GESTURE_GATED_MIRROR);

	config.n_mirror = 0;
	refuse(&config, "/mirror", "\"mirror\" has 0 entries: give 1 to 64");
	config.n_mirror = CUE_GESTURE_TYPES_MAX + 1;
	refuse(&config, "/mirror", "\"mirror\" has 65 entries: give 1 to 64");
	config.mirror = reserved;
	config.n_mirror = 2;
	refuse(&config, "/mirror/1",
	       "a reserved type can't be emitted again as it is: give \"emit\"");
	config.emit = "out";
	accept(&config);
}

Test(gesture_check, playlists)
{
	struct cue_gesture_config config = gated(CUE_GESTURE_GATED_PLAYLIST);

	config.playlist = NULL;
	refuse(&config, "/playlist", "the name of the playlist to start is missing");
	config.playlist = "";
	refuse(&config, "/playlist", "the name of the playlist to start is missing");
}

Test(gesture_check, types)
{
	struct cue_gesture_config config = tap(CUE_GESTURE_DOUBLE_TAP);
	int unknown = CUE_GESTURE_CYCLE + 1;

	memcpy(&config.type, &unknown, sizeof(config.type));
	refuse(&config, "/type", "not a type of gesture");
}
