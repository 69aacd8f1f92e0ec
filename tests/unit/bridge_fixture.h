/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bridge_fixture.h
 * @brief An engine with bridge, views and queues, without a network.
 */
#ifndef BRIDGE_FIXTURE_H
#define BRIDGE_FIXTURE_H

#include "cue_criterion.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "config.h"
#include "views.h"

#define SECOND CUE_NS_PER_S

static const char fixture_config[] =
        "{ \"version\": 1, \"gateway\": { \"id\": \"t\" },"
        "  \"mqtt\": { \"remote\": { \"cmd\": \"admin\" }, \"reply_prefixes\": [\"apps\"], "
        "\"qos\": { \"quiet.*\": \"off\", \"fast\": 0 } },"
        "  \"inputs\": { \"pad\": { \"driver\": \"sim\", \"kind\": \"button\", \"event\": "
        "\"button.press\" } },"
        "  \"playlists\": { \"blink\": { \"trigger\": \"go\", \"steps\": [ { \"emit\": "
        "\"lamp.set\","
        "                   \"repeat\": 10, \"interval\": \"1s\" } ] } },"
        "  \"limits\": { \"payload_bytes\": 1000 } }";

struct fixture {
	struct config *config;
	struct topics *topics;
	struct outbox *outbox;
	struct retained *retained;
	struct log *log;
	struct engine *engine;
	struct commands *commands;
	struct bridge *bridge;
	struct views *views;
	uint64_t now_ns;
	unsigned char next_random;
	char topic[TOPIC_SIZE]; /* of the last message taken */
	char text[8192];
};

static inline int fixture_random(void *user, void *buf, size_t len)
{
	struct fixture *f = user;

	memset(buf, f->next_random++, len);
	return 0;
}

static inline void fixture_input_changed(void *user, const char *name)
{
	struct fixture *f = user;

	if (f->views)
		views_mark_input(f->views, name);
}

static inline void fixture_output_changed(void *user, const char *name)
{
	struct fixture *f = user;

	if (f->views)
		views_mark_output(f->views, name);
}

static inline void fixture_playlist_changed(void *user, const char *name)
{
	struct fixture *f = user;

	if (f->views)
		views_mark_playlist(f->views, name);
}

static inline void fixture_engine(struct fixture *f)
{
	struct engine_config engine = {
		.config = f->config,
		.start_ns = f->now_ns,
		.random = fixture_random,
		.input_changed = fixture_input_changed,
		.output_changed = fixture_output_changed,
		.playlist_changed = fixture_playlist_changed,
		.user = f,
		.virtual_devices = true,
	};
	struct commands_config commands = { .boot_id = "cafe0001", .start_ns = f->now_ns };
	char error[512] = "";

	cr_assert_eq(engine_new(&engine, &f->engine), 0);
	commands.engine = f->engine;
	cr_assert_eq(commands_new(&commands, &f->commands), 0);
	cr_assert_eq(engine_open_inputs(f->engine, error), 0);
}

/** @param text the configuration. */
static inline void fixture_setup_with(struct fixture *f, const char *text, uint64_t outbox_events)
{
	struct log_config log = { .fd = STDERR_FILENO }; /* level 0: quiet */
	struct diag diag = { 0 };
	struct bridge_config bridge;
	struct views_config views;

	*f = (struct fixture){ .now_ns = SECOND, .next_random = 1 };
	(void)config_load_text("t", text, strlen(text), &diag, &f->config);
	diag_clear(&diag);
	cr_assert_not_null(f->config);
	cr_assert_eq(topics_new("cuebus", "t", &f->topics), 0);
	cr_assert_eq(outbox_new(&(struct outbox_config){ .max_events = outbox_events,
	                                                 .max_bytes = 1000000 },
	                        &f->outbox),
	             0);
	cr_assert_eq(retained_new(NULL, NULL, &f->retained), 0);
	cr_assert_eq(log_new(&log, &f->log), 0);
	fixture_engine(f);
	bridge = (struct bridge_config){ f->engine, f->commands, f->topics,
		                         f->outbox, f->log,      "cafe0001" };
	views = (struct views_config){ f->engine,  f->topics, f->retained, f->log,
		                       "cafe0001", "0",       f->now_ns };
	cr_assert_eq(bridge_new(&bridge, &f->bridge), 0);
	cr_assert_eq(views_new(&views, &f->views), 0);
}

static inline void fixture_setup(struct fixture *f, uint64_t outbox_events)
{
	fixture_setup_with(f, fixture_config, outbox_events);
}

static inline void fixture_teardown(struct fixture *f)
{
	bridge_free(f->bridge);
	f->views = views_free(f->views);
	commands_free(f->commands);
	engine_free(f->engine);
	log_free(f->log);
	retained_free(f->retained);
	outbox_free(f->outbox);
	topics_free(f->topics);
	config_free(f->config);
}

/** The next message of the outbox, acknowledged at once. @return its seq; the text is in f. */
static inline uint64_t fixture_next(struct fixture *f)
{
	struct outbox_message m;

	f->topic[0] = f->text[0] = '\0';
	if (outbox_take(f->outbox, &m) < 0 && outbox_take_reply(f->outbox, &m) < 0)
		return 0;
	cr_assert_lt(m.payload_len, sizeof(f->text));
	snprintf(f->topic, sizeof(f->topic), "%s", m.topic);
	memcpy(f->text, m.payload, m.payload_len);
	f->text[m.payload_len] = '\0';
	cr_assert_eq(outbox_release(f->outbox, m.id), 0);
	return m.seq;
}

static inline void fixture_wake(struct fixture *f, uint64_t after_ns)
{
	f->now_ns += after_ns;
	engine_wake(f->engine, f->now_ns);
	bridge_tick(f->bridge);
}

static inline void fixture_receive(struct fixture *f, struct inbox_message message,
                                   const char *payload)
{
	message.payload = payload;
	if (!message.oversized)
		message.payload_len = strlen(payload);
	bridge_receive(f->bridge, &message, f->now_ns);
}

static inline bool fixture_has(const struct fixture *f, const char *part)
{
	return strstr(f->text, part) != NULL;
}

#endif
