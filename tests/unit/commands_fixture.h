/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file commands_fixture.h
 * @brief Commands on an engine of their own, without a network.
 */
#ifndef COMMANDS_FIXTURE_H
#define COMMANDS_FIXTURE_H

#include "cue_criterion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "config.h"

struct rig {
	struct config *config;
	struct engine *engine;
	struct commands *commands;
	uint64_t now_ns;
	unsigned char next_random;
	char changed[64];
	char *reply;
	char notices[4096]; /* notices about kept definitions, a line each */
};

static inline int rig_random(void *user, void *buf, size_t len)
{
	struct rig *rig = user;

	memset(buf, rig->next_random++, len);
	return 0;
}

static inline void on_changed(void *user, bool is_playlist, const char *name)
{
	struct rig *rig = user;

	snprintf(rig->changed, sizeof(rig->changed), "%s %s", is_playlist ? "playlist" : "gesture",
	         name);
}

static inline void on_notice(void *user, const char *text)
{
	struct rig *rig = user;

	snprintf(rig->notices + strlen(rig->notices), sizeof(rig->notices) - strlen(rig->notices),
	         "%s\n", text);
}

/** @param text the configuration. */
static inline void rig_open_with(struct rig *rig, const char *text, const char *state_dir)
{
	struct diag diag = { 0 };
	char error[512] = "";

	*rig = (struct rig){ .now_ns = 1000, .next_random = 1 };
	if (config_load_text("t", text, strlen(text), &diag, &rig->config) < 0)
		diag_print(&diag, stderr);
	cr_assert_not_null(rig->config);
	diag_clear(&diag);
	cr_assert_eq(engine_new(&(struct engine_config){ .config = rig->config,
	                                                 .start_ns = rig->now_ns,
	                                                 .random = rig_random,
	                                                 .user = rig,
	                                                 .virtual_devices = true },
	                        &rig->engine),
	             0);
	cr_assert_eq(engine_open_inputs(rig->engine, error), 0);
	cr_assert_eq(commands_new(&(struct commands_config){ .engine = rig->engine,
	                                                     .boot_id = "cafe0001",
	                                                     .start_ns = rig->now_ns,
	                                                     .state_dir = state_dir,
	                                                     .definition_changed = on_changed,
	                                                     .notice = on_notice,
	                                                     .user = rig },
	                          &rig->commands),
	             0);
}

static inline void rig_close(struct rig *rig)
{
	free(rig->reply);
	commands_free(rig->commands);
	engine_free(rig->engine);
	config_free(rig->config);
}

static inline const char *run_with(struct rig *rig, const char *name, const char *payload,
                                   const char *correlation)
{
	size_t len;

	free(rig->reply);
	rig->reply = NULL;
	engine_wake(rig->engine, rig->now_ns);
	cr_assert_eq(commands_run(rig->commands,
	                          &(struct command_request){
	                                  .name = name,
	                                  .payload = payload,
	                                  .payload_len = strlen(payload),
	                                  .correlation = correlation,
	                                  .correlation_len = correlation ? strlen(correlation) : 0,
	                                  .now_ns = rig->now_ns },
	                          &rig->reply, &len),
	             0);
	cr_assert_eq(strlen(rig->reply), len);
	return rig->reply;
}

static inline const char *run(struct rig *rig, const char *name, const char *payload)
{
	return run_with(rig, name, payload, NULL);
}

static inline void expect_error(struct rig *rig, const char *name, const char *payload,
                                const char *code, const char *path)
{
	char part[128];
	const char *reply = run(rig, name, payload);

	snprintf(part, sizeof(part), "\"error\":{\"code\":\"%s\"", code);
	if (!strstr(reply, part) || strncmp(reply, "{\"ok\":false,", 12) != 0)
		fprintf(stderr, "%s %s -> %s\n", name, payload, reply);
	cr_assert_not_null(strstr(reply, part));
	if (path) {
		snprintf(part, sizeof(part), "\"path\":\"%s\"", path);
		cr_assert_not_null(strstr(reply, part));
	}
}

#endif
