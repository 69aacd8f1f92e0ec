/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "playlist_fixture.h"

static const struct cue_step fine[] = { { .emit = "x" } };

static void expect_refused(struct cue_playlist_config config, const char *path, const char *part)
{
	struct cue_predicate_error error = { .path = "untouched", .text = "" };

	if (!config.name)
		config.name = "p";
	cr_assert_eq(cue_playlist_check(&config, &error), -EINVAL);
	cr_assert_str_eq(error.path, path);
	cr_assert_not_null(strstr(error.text, part), "%s", error.text);
	cr_assert_eq(cue_playlist_check(&config, NULL), -EINVAL);
}

static void expect_step_refused(struct cue_step step, const char *member, const char *part)
{
	const struct cue_step steps[] = { { .emit = "x" }, step };
	char path[32];

	snprintf(path, sizeof(path), "/steps/1/%s", member);
	expect_refused((struct cue_playlist_config){ .steps = steps, .n_steps = 2 }, path, part);
}

Test(playlist_check, names)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[257] = '\0';
	expect_refused((struct cue_playlist_config){ .name = "", .steps = fine, .n_steps = 1 },
	               "/name", "needs a name");
	expect_refused((struct cue_playlist_config){ .name = name, .steps = fine, .n_steps = 1 },
	               "/name", "256 bytes");
	expect_refused((struct cue_playlist_config){ .name = "a/b", .steps = fine, .n_steps = 1 },
	               "/name", "topic");
	expect_refused((struct cue_playlist_config){ .name = "a+", .steps = fine, .n_steps = 1 },
	               "/name", "topic");
	expect_refused((struct cue_playlist_config){ .name = "#", .steps = fine, .n_steps = 1 },
	               "/name", "topic");
	expect_refused((struct cue_playlist_config){ .name = "a\n", .steps = fine, .n_steps = 1 },
	               "/name", "topic");
	name[256] = '\0';
	cr_assert_eq(
	        cue_playlist_check(
	                &(struct cue_playlist_config){ .name = name, .steps = fine, .n_steps = 1 },
	                NULL),
	        0);
	cr_assert_eq(cue_playlist_check(&(struct cue_playlist_config){ .name = "\xc3\xbc 1",
	                                                               .steps = fine,
	                                                               .n_steps = 1 },
	                                NULL),
	             0);
}

Test(playlist_check, steps)
{
	expect_refused((struct cue_playlist_config){ .n_steps = 0 }, "/steps", "at least one");
	expect_step_refused((struct cue_step){ .emit = NULL }, "emit", "required");
	expect_step_refused((struct cue_step){ .emit = "a..b" }, "emit", "between dots");
	expect_step_refused((struct cue_step){ .emit = "mic.*" }, "emit", "not an event type");
	expect_step_refused((struct cue_step){ .emit = "gateway.gap" }, "emit", "reserved");
	expect_step_refused((struct cue_step){ .emit = "event.x" }, "emit", "reserved");
	expect_step_refused((struct cue_step){ .emit = "x", .repeat = 2 }, "interval", "required");
	expect_step_refused(
	        (struct cue_step){ .emit = "x", .repeat = 1000000001, .interval_ns = 1 }, "repeat",
	        "1000000000 at most");
	expect_step_refused((struct cue_step){ .emit = "x", .offset_ns = CUE_DURATION_MAX_NS + 1 },
	                    "offset", "3650");
	expect_step_refused(
	        (struct cue_step){ .emit = "x", .interval_ns = CUE_DURATION_MAX_NS + 1 },
	        "interval", "3650");
	expect_step_refused((struct cue_step){ .emit = "x",
	                                       .repeat = 3,
	                                       .interval_ns = CUE_DURATION_MAX_NS / 2,
	                                       .offset_ns = 1 },
	                    "interval", "last repeat");
	expect_step_refused((struct cue_step){ .emit = "x",
	                                       .repeat = 1000000000,
	                                       .interval_ns = CUE_DURATION_MAX_NS },
	                    "interval", "last repeat");
}

Test(playlist_check, the_largest_that_is_allowed)
{
	const struct cue_step steps[] = {
		{ .emit = "x", .repeat = 3, .interval_ns = CUE_DURATION_MAX_NS / 2 },
		{ .emit = "x", .repeat = 1000000000, .interval_ns = 1 },
		{ .emit = "x", .offset_ns = CUE_DURATION_MAX_NS },
		{ .emit = "x", .repeat = 1, .interval_ns = 0 },
	};
	struct cue_playlist_config config = { .name = "p", .steps = steps, .n_steps = 4 };

	cr_assert_eq(cue_playlist_check(&config, NULL), 0);
}

Test(playlist_check, the_number_of_steps)
{
	struct cue_step *steps = calloc(10001, sizeof(*steps));
	struct cue_playlist_config config = { .name = "p", .steps = steps, .n_steps = 10001 };

	for (size_t i = 0; i < 10001; i++)
		steps[i].emit = "x";
	expect_refused(config, "/steps", "10001 steps; 10000 at most");
	config.n_steps = 10000;
	cr_assert_eq(cue_playlist_check(&config, NULL), 0);
	free(steps);
}

Test(playlist_check, filters)
{
	cJSON *match = cJSON_Parse("{\"bpm\":{\"gt\":\"x\",\"is\":1}}");
	const struct cue_filter bad_type = { .type = "A" };
	const struct cue_filter two[] = { { .type = "a" }, { .type = "" } };
	const struct cue_filter bad_match[] = { { .type = "a" }, { .type = "b", .match = match } };
	struct cue_playlist_config config = { .steps = fine, .n_steps = 1 };

	config.triggers = &bad_type;
	config.n_triggers = 1;
	expect_refused(config, "/trigger", "not an event type");
	config.triggers = two;
	config.n_triggers = 2;
	expect_refused(config, "/trigger/1", "can't be empty");
	config.n_triggers = 0;
	config.interrupts = &bad_type;
	config.n_interrupts = 1;
	expect_refused(config, "/interrupts/0", "not an event type");
	config.interrupts = bad_match;
	config.n_interrupts = 2;
	expect_refused(config, "/interrupts/1/match/bpm/is", "");
	cJSON_Delete(match);
}

Test(playlist_check, policy)
{
	expect_refused((struct cue_playlist_config){ .completion = "input.x",
	                                             .steps = fine,
	                                             .n_steps = 1 },
	               "/completion", "reserved");
	expect_refused((struct cue_playlist_config){ .mode = (enum cue_playlist_mode)4,
	                                             .steps = fine,
	                                             .n_steps = 1 },
	               "/mode", "queued");
	expect_refused((struct cue_playlist_config){ .late = (enum cue_late)2,
	                                             .steps = fine,
	                                             .n_steps = 1 },
	               "/late", "burst");
	expect_refused((struct cue_playlist_config){ .on_restart = (enum cue_on_restart)3,
	                                             .steps = fine,
	                                             .n_steps = 1 },
	               "/on_restart", "abort");
	expect_refused((struct cue_playlist_config){ .interrupt_debounce_ns = UINT64_MAX,
	                                             .steps = fine,
	                                             .n_steps = 1 },
	               "/interrupt_debounce", "3650");
}
