/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge_fixture.h"

#define EMIT(name) ((struct inbox_message){ .topic = "cuebus/1/t/emit/" name })
#define CMD(name)  ((struct inbox_message){ .topic = "cuebus/1/t/cmd/" name })

Test(bridge_in, an_emit_becomes_an_event_with_its_data)
{
	struct fixture f;

	fixture_setup(&f, 100);
	fixture_receive(&f, EMIT("a/b"), "{\"x\": 1.50}");
	cr_assert_eq(fixture_next(&f), 1);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/a/b");
	cr_assert(fixture_has(&f, "\"event_type\":\"a.b\",\"producer_id\":0,"));
	cr_assert(fixture_has(&f, "\"data\":{\"x\":1.50},"));
	fixture_receive(&f, EMIT("a/b"), "");
	cr_assert_eq(fixture_next(&f), 2);
	cr_assert(fixture_has(&f, "\"data\":null,"));
	fixture_teardown(&f);
}

struct refusal {
	struct inbox_message message;
	const char *payload;
	const char *code;
};

Test(bridge_in, what_is_wrong_with_an_emit_is_told)
{
	const struct refusal refusals[] = {
		{ EMIT("event/x"), "1", "refused" },
		{ EMIT("gateway/gap"), "1", "refused" },
		{ EMIT("Upper"), "1", "invalid_request" },
		{ EMIT("a//b"), "1", "invalid_request" },
		{ EMIT(""), "1", "invalid_request" },
		{ { .topic = "cuebus/1/t/emit" }, "1", "invalid_request" },
		{ EMIT("a"), "{", "invalid_json" },
		{ EMIT("a"), "{\"x\":1,\"x\":2}", "invalid_json" },
		{ { .topic = "cuebus/1/t/emit/a", .retain = true }, "1", "refused" },
		{ { .topic = "cuebus/1/t/emit/a", .oversized = true, .payload_len = 1001 },
		  "",
		  "limit" },
		{ { .topic = "cuebus/1/t/emit/a", .has_expiry = true, .expiry_s = 0 },
		  "1",
		  "stale" },
	};
	char expected[64];
	struct fixture f;

	fixture_setup(&f, 100);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct inbox_message message = refusals[i].message;

		message.arrival_ns = f.now_ns;
		fixture_receive(&f, message, refusals[i].payload);
		cr_assert_gt(fixture_next(&f), 0);
		cr_assert_str_eq(f.topic, "cuebus/1/t/bus/gateway/refused");
		snprintf(expected, sizeof(expected), "\"code\":\"%s\"", refusals[i].code);
		cr_assert(fixture_has(&f, expected), "%zu: %s", i, f.text);
		snprintf(expected, sizeof(expected), "\"topic\":\"%s\"", message.topic);
		cr_assert(fixture_has(&f, expected), "%zu: %s", i, f.text);
		cr_assert(fixture_has(&f, "\"suppressed\":0"));
		cr_assert_eq(fixture_next(&f), 0, "nothing else came of it");
		fixture_wake(&f, SECOND);
	}
	fixture_teardown(&f);
}

Test(bridge_in, refusals_are_told_once_a_second_and_counted)
{
	struct bridge_stats stats;
	struct fixture f;

	fixture_setup(&f, 100);
	for (int i = 0; i < 100; i++)
		fixture_receive(&f, EMIT("Bad"), "1");
	fixture_receive(&f, EMIT("Last"), "1");
	cr_assert_eq(fixture_next(&f), 1);
	cr_assert_eq(fixture_next(&f), 0);
	fixture_wake(&f, SECOND - 1);
	cr_assert_eq(fixture_next(&f), 0);
	fixture_wake(&f, 1);
	cr_assert_eq(fixture_next(&f), 2);
	cr_assert(fixture_has(&f, "/emit/Last\""));
	cr_assert(fixture_has(&f, "\"suppressed\":99"));
	fixture_wake(&f, 10 * SECOND);
	cr_assert_eq(fixture_next(&f), 0);
	bridge_get_stats(f.bridge, &stats);
	cr_assert_eq(stats.refused, 101);
	fixture_receive(&f, EMIT("Bad"), "1");
	cr_assert_eq(fixture_next(&f), 3);
	cr_assert(fixture_has(&f, "\"suppressed\":0"));
	fixture_teardown(&f);
}

Test(bridge_in, an_expiry_counts_from_the_arrival)
{
	struct inbox_message message = { .topic = "cuebus/1/t/emit/a",
		                         .has_expiry = true,
		                         .expiry_s = 2 };
	struct fixture f;

	fixture_setup(&f, 100);
	message.arrival_ns = f.now_ns;
	fixture_wake(&f, 2 * SECOND - 1);
	fixture_receive(&f, message, "1");
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/a");
	fixture_wake(&f, 1);
	fixture_receive(&f, message, "1");
	fixture_next(&f);
	cr_assert(fixture_has(&f, "\"code\":\"stale\""));
	fixture_teardown(&f);
}

Test(bridge_in, a_reply_comes_after_the_events_of_its_command)
{
	struct fixture f;

	fixture_setup(&f, 100);
	fixture_receive(&f, CMD("playlist/start"), "{\"playlist\":\"blink\",\"request_id\":7}");
	cr_assert_eq(fixture_next(&f), 1);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/event/playlist/created");
	cr_assert_eq(fixture_next(&f), 0, "a reply has no seq");
	cr_assert_str_eq(f.topic, "cuebus/1/t/reply/playlist/start");
	cr_assert(fixture_has(&f, "{\"ok\":true,\"request_id\":7,"));
	fixture_teardown(&f);
}

/** Seventy mirrors of seventy: more than is dispatched before a reply is sent. */
static char *many_mirrors(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	cr_assert_not_null(out);
	fputs("{\"version\":1,\"gateway\":{\"id\":\"t\"},"
	      "\"mqtt\":{\"qos\":{\"a\":\"off\",\"b\":\"off\"}},\"gestures\":{",
	      out);
	for (int i = 0; i < 140; i++)
		fprintf(out,
		        "%s\"m%d\":{\"type\":\"gated_mirror\",\"gate\":[\"g\"],\"initial\":true,"
		        "\"mirror\":[\"%s\"],\"emit\":\"%s\"}",
		        i ? "," : "", i, i < 70 ? "seed" : "a", i < 70 ? "a" : "b");
	fputs("}}", out);
	fclose(out);
	return text;
}

Test(bridge_in, a_reply_waits_for_what_is_not_dispatched_yet)
{
	char *config = many_mirrors();
	struct cue_bus_stats stats;
	struct fixture f;

	fixture_setup_with(&f, config, 100);
	engine_be_fair(f.engine);
	fixture_receive(&f, CMD("event/emit"), "{\"event_type\":\"seed\",\"request_id\":7}");
	cr_assert(cue_bus_has_waiting(engine_bus(f.engine)));
	cr_assert_eq(fixture_next(&f), 1);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/seed");
	bridge_tick(f.bridge);
	cr_assert_eq(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "", "not yet");
	cr_assert_eq(cue_bus_dispatch(engine_bus(f.engine), NULL), 0);
	cue_bus_get_stats(engine_bus(f.engine), &stats);
	cr_assert_eq(stats.events, 1U + 70U + 70U * 70U);
	bridge_tick(f.bridge);
	cr_assert_eq(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "cuebus/1/t/reply/event/emit");
	cr_assert(fixture_has(&f, "{\"ok\":true,\"request_id\":7,"));
	bridge_tick(f.bridge);
	cr_assert_eq(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "", "once");
	fixture_teardown(&f);
	free(config);
}

Test(bridge_in, replies_go_where_they_were_asked_for_or_are_refused)
{
	struct inbox_message message = CMD("ping");
	struct outbox_message reply;
	char deep[500];
	struct fixture f;

	fixture_setup(&f, 100);
	message.correlation = "\0id";
	message.correlation_len = 3;
	message.response_topic = "apps/me";
	fixture_receive(&f, message, "{}");
	cr_assert_eq(outbox_take_reply(f.outbox, &reply), 0);
	cr_assert_str_eq(reply.topic, "apps/me");
	cr_assert_eq(reply.correlation_len, 3);
	cr_assert_eq(memcmp(reply.correlation, "\0id", 3), 0);
	cr_assert_eq(reply.qos, 1);
	cr_assert_not(reply.retain);
	message.correlation = "other";
	message.correlation_len = 5;
	message.response_topic = "evil/me";
	fixture_receive(&f, message, "{}");
	cr_assert_eq(outbox_take_reply(f.outbox, &reply), 0);
	cr_assert_str_eq(reply.topic, "cuebus/1/t/reply/ping");
	cr_assert_not_null(memmem(reply.payload, reply.payload_len, "\"code\":\"refused\"", 16));
	/* 202 levels: the broker would close the connection, at each attempt. */
	snprintf(deep, sizeof(deep), "cuebus/1/t/reply/");
	for (unsigned i = 0; i < 198; i++)
		strcat(deep, "a/");
	strcat(deep, "a");
	message.response_topic = deep;
	fixture_receive(&f, message, "{}");
	cr_assert_eq(outbox_take_reply(f.outbox, &reply), 0);
	cr_assert_str_eq(reply.topic, "cuebus/1/t/reply/ping");
	cr_assert_not_null(memmem(reply.payload, reply.payload_len, "256 bytes", 9));
	message.response_topic = "cuebus/1/t/reply/#";
	fixture_receive(&f, message, "{}");
	cr_assert_eq(outbox_take_reply(f.outbox, &reply), 0);
	cr_assert_str_eq(reply.topic, "cuebus/1/t/reply/ping");
	fixture_teardown(&f);
}

Test(bridge_in, commands_that_must_not_run_are_refused)
{
	struct inbox_message retained = CMD("playlist/start"), stale = retained, large = retained;
	struct fixture f;

	fixture_setup(&f, 100);
	retained.retain = true;
	fixture_receive(&f, retained, "{\"playlist\":\"blink\",\"request_id\":1}");
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "cuebus/1/t/reply/playlist/start");
	cr_assert(fixture_has(&f, "\"request_id\":1,\"error\":{\"code\":\"refused\""));
	stale.has_expiry = true;
	stale.expiry_s = 1;
	stale.arrival_ns = f.now_ns;
	fixture_wake(&f, SECOND);
	fixture_receive(&f, stale, "{\"playlist\":\"blink\",\"request_id\":2}");
	fixture_next(&f);
	cr_assert(fixture_has(&f, "\"request_id\":2,\"error\":{\"code\":\"stale\""));
	large.oversized = true;
	large.payload_len = 5000;
	fixture_receive(&f, large, "");
	fixture_next(&f);
	cr_assert(fixture_has(&f, "\"error\":{\"code\":\"limit\""));
	cr_assert_eq(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "");
	fixture_teardown(&f);
}

Test(bridge_in, odd_topics_do_no_harm)
{
	static char deep[3000];
	struct inbox_message message = { .topic = deep };
	struct bridge_stats stats;
	struct fixture f;

	fixture_setup(&f, 100);
	fixture_receive(&f, (struct inbox_message){ .topic = "cuebus/1/t/cmd" }, "{}");
	fixture_receive(&f, (struct inbox_message){ .topic = "" }, "{}");
	fixture_receive(&f, CMD(""), "{}");
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "cuebus/1/t/reply/");
	fixture_receive(&f, CMD("ping/+"), "{}"); /* not a topic that a reply could be sent to */
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "");
	snprintf(deep, sizeof(deep), "cuebus/1/t/cmd/");
	memset(deep + strlen(deep), 'x', 2000);
	fixture_receive(&f, message, "{}"); /* no room for the reply's topic */
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "");
	/* A reply with a wildcard in its topic would end each new connection. */
	fixture_receive(&f, CMD("#"), "{}");
	fixture_receive(&f, CMD("playlist/+"), "{}");
	cr_assert_eq(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "");
	memcpy(deep, "cuebus/1/t/emit/", 16);
	fixture_receive(&f, message, "{}");
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/gateway/refused");
	bridge_get_stats(f.bridge, &stats);
	cr_assert_eq(stats.refused, 3);
	fixture_teardown(&f);
}

static const char limited[] =
        "{ \"version\": 1, \"gateway\": { \"id\": \"t\" },"
        "  \"mqtt\": { \"remote\": { \"emit\": [\"lamp.*\"], \"cmd\": [\"ping\", \"event/emit\"] } "
        "} }";

Test(bridge_in, only_the_events_allowed_are_emitted)
{
	struct fixture f;

	fixture_setup_with(&f, limited, 100);
	fixture_receive(&f, EMIT("lamp/set"), "1");
	cr_assert_gt(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/lamp/set");
	fixture_receive(&f, EMIT("door/open"), "1");
	cr_assert_gt(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/gateway/refused");
	cr_assert(fixture_has(&f, "\"code\":\"refused\""));
	cr_assert(fixture_has(&f, "mqtt.remote.emit"));
	/* Nor by way of a command. */
	fixture_receive(&f, CMD("event/emit"), "{\"event_type\":\"door.open\"}");
	cr_assert_eq(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "cuebus/1/t/reply/event/emit");
	cr_assert(fixture_has(&f, "\"code\":\"refused\""));
	cr_assert(fixture_has(&f, "mqtt.remote.emit"));
	fixture_receive(&f, CMD("event/emit"), "{\"event_type\":\"lamp.set\"}");
	cr_assert_gt(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/lamp/set");
	fixture_teardown(&f);
}

Test(bridge_in, only_the_commands_allowed_are_run)
{
	static const char *const refused[] = { "cuebus/1/t/cmd/playlist/list",
		                               "cuebus/1/t/cmd/config/get" };
	static const char *const unknown[] = { "cuebus/1/t/cmd/no/such", "cuebus/1/t/cmd/pingx",
		                               "cuebus/1/t/cmd/use" };
	struct fixture f;

	fixture_setup_with(&f, limited, 100);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		fixture_receive(&f, (struct inbox_message){ .topic = refused[i] },
		                "{\"request_id\":1}");
		fixture_next(&f);
		cr_assert(fixture_has(
		                  &f,
		                  "{\"ok\":false,\"request_id\":1,\"error\":{\"code\":\"refused\""),
		          "%s", f.text);
	}
	/* The refusal names the key and what to write there. */
	cr_assert(fixture_has(&f, "mqtt.remote.cmd"));
	cr_assert(fixture_has(&f, "\\\"cmd\\\":[\\\"use\\\",\\\"config/get\\\"]"), "%s", f.text);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		fixture_receive(&f, (struct inbox_message){ .topic = unknown[i] }, "{}");
		fixture_next(&f);
		cr_assert(fixture_has(&f, "\"code\":\"unknown_command\""), "%s", f.text);
	}
	fixture_receive(&f, CMD("ping"), "{}");
	fixture_next(&f);
	cr_assert(fixture_has(&f, "{\"ok\":true"));
	fixture_teardown(&f);
}

static const char safety[] =
        "{ \"version\": 1, \"gateway\": { \"id\": \"t\" }, %s"
        "  \"inputs\": { \"estop\": { \"driver\": \"sim\", \"kind\": \"switch\", \"event\": "
        "\"estop.changed\" } } }";

Test(bridge_in, nobody_outside_forges_the_event_of_an_input)
{
	struct fixture f;
	char text[400];

	snprintf(text, sizeof(text), safety, "");
	fixture_setup_with(&f, text, 100);
	while (fixture_next(&f) > 0) /* its level at the start */
		;
	fixture_receive(&f, EMIT("estop/changed"), "{\"state\":false}");
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/gateway/refused");
	cr_assert(fixture_has(&f, "\"code\":\"refused\""));
	cr_assert(fixture_has(&f, "mqtt.remote.inputs"));
	fixture_receive(&f, CMD("event/emit"),
	                "{\"event_type\":\"estop.changed\",\"data\":{\"state\":false}}");
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "cuebus/1/t/reply/event/emit");
	cr_assert(fixture_has(&f, "\"code\":\"refused\""));
	cr_assert(fixture_has(&f, "mqtt.remote.inputs"));
	cr_assert_eq(fixture_next(&f), 0);
	fixture_teardown(&f);
	snprintf(text, sizeof(text), safety, "\"mqtt\": { \"remote\": { \"inputs\": true } },");
	fixture_setup_with(&f, text, 100);
	while (fixture_next(&f) > 0)
		;
	fixture_receive(&f, EMIT("estop/changed"), "{\"state\":false}");
	fixture_next(&f);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/estop/changed");
	fixture_teardown(&f);
}

Test(bridge_in, by_default_commands_of_use_are_run_and_no_others)
{
	static const char plain[] = "{ \"version\": 1, \"gateway\": { \"id\": \"t\" } }";
	static const char *const others[] = { "playlist/define", "playlist/remove",
		                              "gesture/define",  "gesture/remove",
		                              "config/get",      "config/check",
		                              "config/reload",   "input/set" };
	struct fixture f;
	char topic[100];

	fixture_setup_with(&f, plain, 100);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		const char *body = strstr(others[i], "define")
		                           ? "{\"name\":\"x\",\"definition\":{}}"
		                   : strstr(others[i], "playlist/") ? "{\"playlist\":\"x\"}"
		                   : strstr(others[i], "gesture/")  ? "{\"gesture\":\"x\"}"
		                   : strstr(others[i], "input/") ? "{\"input\":\"x\",\"value\":1}"
		                                                 : "{}";

		snprintf(topic, sizeof(topic), "cuebus/1/t/cmd/%s", others[i]);
		fixture_receive(&f, (struct inbox_message){ .topic = topic }, body);
		fixture_next(&f);
		cr_assert(fixture_has(&f, "\"code\":\"refused\""), "%s %s", others[i], f.text);
	}
	fixture_receive(&f, CMD("playlist/list"), "{}");
	fixture_next(&f);
	cr_assert(fixture_has(&f, "{\"ok\":true"));
	fixture_teardown(&f);
}

static const char few_bytes[] =
        "{ \"version\": 1, \"gateway\": { \"id\": \"t\" },"
        "  \"mqtt\": { \"remote\": { \"cmd\": \"admin\" }, \"qos\": { \"quiet.*\": \"off\" } },"
        "  \"limits\": { \"emit_bytes_per_second\": 65536, \"payload_bytes\": 200000 } }";

/** A JSON string of @p bytes, quotes included. */
static void fill_string(char *text, size_t bytes)
{
	memset(text, 'x', bytes);
	text[0] = text[bytes - 1] = '"';
	text[bytes] = '\0';
}

/** An emit of @p bytes that is not published. @return whether it was taken. */
static bool emits_quietly(struct fixture *f, size_t bytes)
{
	static char text[200001];
	struct bridge_stats before, after;

	fill_string(text, bytes);
	bridge_get_stats(f->bridge, &before);
	fixture_receive(f, EMIT("quiet/a"), text);
	bridge_get_stats(f->bridge, &after);
	return after.refused == before.refused;
}

Test(bridge_in, the_bytes_of_emits_are_limited_those_of_commands_with_them)
{
	struct commands_stats stats;
	struct fixture f;
	char text[4097];

	fixture_setup_with(&f, few_bytes, 100);
	for (int i = 0; i < 16; i++)
		cr_assert(emits_quietly(&f, 4096), "%d", i);
	fill_string(text, 4096);
	fixture_receive(&f, EMIT("a"), text);
	cr_assert_gt(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/gateway/refused");
	cr_assert(fixture_has(&f, "\"code\":\"limit\""), "%s", f.text);
	cr_assert(fixture_has(&f, "limits.emit_bytes_per_second"), "%s", f.text);
	fixture_receive(&f, CMD("event/emit"), "{\"event_type\":\"a\",\"data\":1}");
	cr_assert_eq(fixture_next(&f), 0);
	cr_assert(fixture_has(&f, "\"error\":{\"code\":\"limit\""), "%s", f.text);
	cr_assert(fixture_has(&f, "limits.emit_bytes_per_second"), "%s", f.text);
	commands_get_stats(f.commands, &stats);
	cr_assert_eq(stats.emit_bytes_limited, 2U);
	cr_assert_eq(stats.emits_limited, 0U);
	fixture_receive(&f, EMIT("a"), "");
	cr_assert_gt(fixture_next(&f), 0);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/a", "without a payload");
	fixture_wake(&f, SECOND / 8);
	cr_assert(emits_quietly(&f, 4096));
	cr_assert(emits_quietly(&f, 4096));
	cr_assert_not(emits_quietly(&f, 4096));
	fixture_teardown(&f);
}

Test(bridge_in, a_payload_larger_than_a_seconds_bytes_passes_after_a_quiet_second)
{
	struct inbox_message oversized = EMIT("a");
	struct fixture f;

	fixture_setup_with(&f, few_bytes, 100);
	cr_assert(emits_quietly(&f, 2));
	cr_assert_not(emits_quietly(&f, 3 * 65536));
	fixture_wake(&f, SECOND);
	fixture_next(&f);
	cr_assert(emits_quietly(&f, 3 * 65536), "it would be refused for ever");
	cr_assert_not(emits_quietly(&f, 2));
	fixture_wake(&f, 2 * SECOND); /* and is paid off */
	cr_assert_not(emits_quietly(&f, 2));
	/* Nothing of an oversized one was kept: its size is the error. */
	fixture_wake(&f, 2 * SECOND);
	while (fixture_next(&f))
		;
	oversized.oversized = true;
	oversized.payload_len = 1000000;
	fixture_receive(&f, oversized, "");
	cr_assert_gt(fixture_next(&f), 0);
	cr_assert(fixture_has(&f, "limits.payload_bytes"), "%s", f.text);
	cr_assert(emits_quietly(&f, 65536));
	fixture_teardown(&f);
}
