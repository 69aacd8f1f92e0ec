/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_names.h"
#include "commands_fixture.h"
#include "disk_fixture.h"

static const char config_text[] =
        "{ \"version\": 1, \"gateway\": { \"id\": \"t\" },"
        "  \"mqtt\": { \"remote\": { \"cmd\": \"admin\" } },"
        "  \"inputs\": { \"pad\": { \"driver\": \"sim\", \"kind\": \"button\", \"event\": "
        "\"button.press\" } },"
        "  \"gestures\": { \"double\": { \"type\": \"double_tap\", \"source\": \"button.press\","
        "                  \"window\": \"500ms\", \"emit\": \"button.double_tap\" } },"
        "  \"playlists\": { \"blink\": { \"mode\": \"single\", \"steps\": [ { \"emit\": "
        "\"lamp.set\", \"repeat\": 10,"
        "                  \"interval\": \"1s\" } ] } },"
        "  \"limits\": { \"commands_per_second\": 50, \"payload_bytes\": 1000,"
        "                  \"definitions\": 7, \"kept_definition_bytes\": 4096 } }";

static void rig_open(struct rig *rig, const char *state_dir)
{
	rig_open_with(rig, config_text, state_dir);
}

Test(commands, start_list_runs_and_stop)
{
	struct rig rig;

	rig_open(&rig, NULL);
	cr_assert_not_null(
	        strstr(run(&rig, "playlist/start", "{\"playlist\":\"blink\",\"request_id\":7}"),
	               "{\"ok\":true,\"request_id\":7,\"result\":{\"run\":\""));
	expect_error(&rig, "playlist/start", "{\"playlist\":\"blink\"}", "busy", "/playlist");
	rig.now_ns += 2500000000ULL;
	cr_assert_not_null(strstr(run(&rig, "playlist/runs", ""),
	                          "\"playlist\":\"blink\",\"state\":\"running\",\"offset\":2.5,"));
	cr_assert_not_null(strstr(run(&rig, "playlist/list", "{}"),
	                          "{\"playlists\":[{\"name\":\"blink\",\"definition_id\":\""));
	cr_assert_not_null(
	        strstr(run(&rig, "playlist/stop", "{\"all\":true}"), "{\"stopped\":[\""));
	cr_assert_not_null(strstr(run(&rig, "playlist/stop", "{\"playlist\":\"blink\"}"),
	                          "\"result\":{\"stopped\":[]}"));
	cr_assert_not_null(strstr(run(&rig, "playlist/runs", "{}"),
	                          "{\"runs\":[],\"total\":0,\"next\":null}"));
	rig_close(&rig);
}

/** The `next` of a reply, "" at the end; how many runs it has. */
static size_t read_page(const char *reply, char next[CUE_ID_TEXT_SIZE])
{
	const char *at = strstr(reply, "\"next\":\"");
	size_t n = 0;

	next[0] = '\0';
	if (at)
		snprintf(next, CUE_ID_TEXT_SIZE, "%s", at + 8);
	for (at = reply; (at = strstr(at, "\"state\":")); at++)
		n++;
	return n;
}

Test(commands, runs_come_page_by_page)
{
	char next[CUE_ID_TEXT_SIZE], asked[128];
	struct rig rig;
	size_t pages = 0, n = 0;

	rig_open(&rig, NULL);
	cr_assert_not_null(
	        strstr(run(&rig, "playlist/define",
	                   "{\"name\":\"many\",\"definition\":{\"max_runs\":7,\"steps\":[{\"emit\":"
	                   "\"a.b\",\"offset\":\"1h\"}]}}"),
	               "\"ok\":true"));
	for (unsigned i = 0; i < 7; i++)
		cr_assert_not_null(strstr(run(&rig, "playlist/start", "{\"playlist\":\"many\"}"),
		                          "\"ok\":true"));
	cr_assert_not_null(
	        strstr(run(&rig, "playlist/start", "{\"playlist\":\"blink\"}"), "\"ok\":true"));
	strcpy(asked, "{\"playlist\":\"many\",\"limit\":3}");
	do {
		const char *reply = run(&rig, "playlist/runs", asked);

		cr_assert_not_null(strstr(reply, "\"total\":7,"));
		n += read_page(reply, next);
		pages++;
		snprintf(asked, sizeof(asked),
		         "{\"playlist\":\"many\",\"limit\":3,\"after\":\"%s\"}", next);
	} while (*next);
	cr_assert_eq(n, 7);
	cr_assert_eq(pages, 3);
	cr_assert_eq(read_page(run(&rig, "playlist/runs", "{\"limit\":8}"), next), 8);
	cr_assert_str_eq(next, "", "none is left");
	cr_assert_eq(read_page(run(&rig, "playlist/runs", "{\"limit\":7}"), next), 7);
	snprintf(asked, sizeof(asked), "{\"after\":\"%s\"}", next);
	cr_assert_eq(read_page(run(&rig, "playlist/runs", asked), next), 1);
	/* A run of another playlist is not in this list. */
	snprintf(asked + strlen(asked) - 1, 32, ",\"playlist\":\"blink\"}");
	expect_error(&rig, "playlist/runs", asked, "not_found", "/after");
	(void)run(&rig, "playlist/stop", "{\"all\":true}");
	expect_error(&rig, "playlist/runs", asked, "not_found", "/after");
	expect_error(&rig, "playlist/runs", "{\"limit\":0}", "invalid_request", "/limit");
	expect_error(&rig, "playlist/runs", "{\"limit\":1001}", "invalid_request", "/limit");
	expect_error(&rig, "playlist/runs", "{\"after\":\"x\"}", "invalid_request", "/after");
	rig_close(&rig);
}

Test(commands, bad_requests_name_the_field)
{
	struct rig rig;

	rig_open(&rig, NULL);
	expect_error(&rig, "no/such", "{}", "unknown_command", NULL);
	expect_error(&rig, "playlist/start", "{", "invalid_json", NULL);
	expect_error(&rig, "playlist/start", "{}", "invalid_request", "/playlist");
	expect_error(&rig, "playlist/start", "{\"playlist\":\"x\"}", "not_found", "/playlist");
	expect_error(&rig, "playlist/start", "{\"playlist\":\"blink\",\"triger_data\":1}",
	             "invalid_request", "/triger_data");
	expect_error(&rig, "playlist/stop", "{}", "invalid_request", NULL);
	expect_error(&rig, "playlist/stop", "{\"all\":true,\"run\":\"x\"}", "invalid_request",
	             NULL);
	expect_error(&rig, "playlist/stop", "{\"run\":\"x\"}", "invalid_request", "/run");
	expect_error(&rig, "playlist/stop", "{\"run\":\"00000000000000000000000000000000\"}",
	             "not_found", "/run");
	expect_error(&rig, "playlist/runs", "{\"playlist\":\"x\"}", "not_found", "/playlist");
	expect_error(&rig, "playlist/define", "{\"name\":\"n\",\"definition\":{\"steps\":[]}}",
	             "invalid_request", NULL);
	expect_error(&rig, "playlist/define",
	             "{\"name\":\"a/b\",\"definition\":{\"steps\":[{\"emit\":\"a\"}]}}",
	             "invalid_request", "/name");
	expect_error(&rig, "playlist/remove", "{\"playlist\":\"blink\"}", "refused", "/playlist");
	expect_error(&rig, "playlist/remove", "{\"playlist\":\"x\"}", "not_found", "/playlist");
	expect_error(&rig, "gesture/remove", "{\"gesture\":\"double\"}", "refused", "/gesture");
	expect_error(&rig, "event/emit", "{\"event_type\":\"Bad\"}", "invalid_request",
	             "/event_type");
	expect_error(&rig, "event/emit", "{\"event_type\":\"gateway.gap\"}", "refused",
	             "/event_type");
	expect_error(&rig, "event/emit", "{\"event_type\":\"a\",\"producer_id\":-1}",
	             "invalid_request", "/producer_id");
	expect_error(&rig, "input/set", "{\"input\":\"x\",\"value\":1}", "not_found", "/input");
	expect_error(&rig, "input/set", "{\"input\":\"pad\",\"value\":2}", "invalid_request",
	             "/value");
	expect_error(&rig, "input/set", "{\"input\":\"pad\",\"value\":1,\"line\":1}",
	             "invalid_request", "/line");
	expect_error(&rig, "config/reload", "{}", "refused", NULL);
	rig_close(&rig);
}

Test(commands, a_payload_over_the_limit_is_refused)
{
	struct rig rig;
	char large[1200];

	rig_open(&rig, NULL);
	memset(large, ' ', sizeof(large));
	memcpy(large, "{}", 2);
	large[1001] = '\0';
	expect_error(&rig, "ping", large, "limit", NULL);
	large[1000] = '\0';
	cr_assert_not_null(strstr(run(&rig, "ping", large), "\"ok\":true"));
	rig_close(&rig);
}

/** The same reply, and it says so. */
static void expect_repeated(const char *reply, const char *first)
{
	size_t len = strlen(first) - 1;

	cr_assert_eq(strncmp(reply, first, len), 0, "%s", reply);
	cr_assert_str_eq(reply + len, ",\"repeated\":true}");
}

Test(commands, twice_the_same_request_runs_once)
{
	struct rig rig;
	struct commands_stats stats;
	char first[512];

	rig_open(&rig, NULL);
	snprintf(first, sizeof(first), "%s",
	         run(&rig, "event/emit", "{\"event_type\":\"a\",\"request_id\":\"r\"}"));
	rig.now_ns += 60000000000ULL;
	expect_repeated(run(&rig, "event/emit", "{\"event_type\":\"a\",\"request_id\":\"r\"}"),
	                first);
	rig.now_ns += 1;
	cr_assert_str_neq(run(&rig, "event/emit", "{\"event_type\":\"a\",\"request_id\":\"r\"}"),
	                  first);
	snprintf(first, sizeof(first), "%s",
	         run_with(&rig, "event/emit", "{\"event_type\":\"a\"}", "c"));
	expect_repeated(run_with(&rig, "event/emit", "{\"event_type\":\"a\"}", "c"), first);
	expect_repeated(run_with(&rig, "event/emit", "{\"event_type\":\"a\"}", "c"), first);
	cr_assert_str_neq(run_with(&rig, "event/emit", "{\"event_type\":\"a\"}", "d"), first);
	commands_get_stats(rig.commands, &stats);
	cr_assert_eq(stats.repeated, 3U);
	rig_close(&rig);
}

Test(commands, a_failure_that_is_repeated_says_so_too)
{
	static const char request[] = "{\"playlist\":\"none\",\"request_id\":1}";
	struct rig rig;
	char first[300];

	rig_open(&rig, NULL);
	snprintf(first, sizeof(first), "%s", run(&rig, "playlist/start", request));
	cr_assert_null(strstr(first, "repeated"));
	expect_repeated(run(&rig, "playlist/start", request), first);
	rig_close(&rig);
}

Test(commands, the_rate_is_limited_and_recovers)
{
	struct rig rig;
	struct commands_stats stats;

	rig_open(&rig, NULL);
	for (int i = 0; i < 50; i++)
		cr_assert_not_null(strstr(run(&rig, "ping", ""), "\"ok\":true"));
	expect_error(&rig, "ping", "", "limit", NULL);
	rig.now_ns += 20000000ULL; /* a fiftieth of a second: one more */
	cr_assert_not_null(strstr(run(&rig, "ping", ""), "\"ok\":true"));
	expect_error(&rig, "ping", "", "limit", NULL);
	commands_get_stats(rig.commands, &stats);
	cr_assert_eq(stats.rate_limited, 2U);
	rig_close(&rig);
}

Test(commands, what_was_carried_out_is_answered_again_over_the_rate_too)
{
	static const char request[] = "{\"event_type\":\"a\",\"request_id\":1}";
	struct rig rig;
	char first[300];

	rig_open(&rig, NULL);
	snprintf(first, sizeof(first), "%s", run(&rig, "event/emit", request));
	for (int i = 0; i < 49; i++)
		cr_assert_not_null(strstr(run(&rig, "ping", ""), "\"ok\":true"));
	expect_error(&rig, "ping", "", "limit", NULL);
	expect_repeated(run(&rig, "event/emit", request), first);
	rig_close(&rig);
}

Test(commands, emits_are_limited_in_number_and_in_bytes)
{
	static const char text[] =
	        "{ \"version\": 1, \"gateway\": { \"id\": \"t\" },"
	        "  \"limits\": { \"emits_per_second\": 10, \"emit_bytes_per_second\": 65536 } }";
	struct rig rig;
	struct commands_stats stats;
	static char large[40001];

	rig_open_with(&rig, text, NULL);
	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, "{\"event_type\":\"a\"", 17);
	large[sizeof(large) - 2] = '}';
	cr_assert_not_null(strstr(run(&rig, "event/emit", large), "\"ok\":true"));
	for (int i = 0; i < 20; i++) {
		expect_error(&rig, "event/emit", large, "limit", NULL);
		cr_assert_not_null(strstr(rig.reply, "limits.emit_bytes_per_second"));
	}
	/* What was refused for its bytes took nothing: small ones
	 * still pass, up to their number. */
	for (int i = 0; i < 9; i++)
		cr_assert_not_null(
		        strstr(run(&rig, "event/emit", "{\"event_type\":\"a\"}"), "\"ok\":true"));
	expect_error(&rig, "event/emit", "{\"event_type\":\"a\"}", "limit", NULL);
	cr_assert_not_null(strstr(rig.reply, "limits.emits_per_second"));
	commands_get_stats(rig.commands, &stats);
	cr_assert_eq(stats.emit_bytes_limited, 20U);
	cr_assert_eq(stats.emits_limited, 1U);
	rig.now_ns += 1000000000ULL;
	cr_assert_not_null(strstr(run(&rig, "event/emit", large), "\"ok\":true"));
	rig_close(&rig);
}

/** What `created` quotes comes from outside as an event's data does. */
Test(commands, trigger_data_counts_among_the_bytes_of_emits)
{
	static const char text[] =
	        "{ \"version\": 1, \"gateway\": { \"id\": \"t\" },"
	        "  \"limits\": { \"emit_bytes_per_second\": 65536 },"
	        "  \"playlists\": { \"p\": { \"steps\": [ { \"emit\": \"x\" } ] } } }";
	static char large[40001];
	struct rig rig;

	rig_open_with(&rig, text, NULL);
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "{\"playlist\":\"p\",\"trigger_data\":\"", 32);
	memcpy(large + sizeof(large) - 3, "\"}", 2);
	cr_assert_not_null(strstr(run(&rig, "playlist/start", large), "\"ok\":true"), "%s",
	                   rig.reply);
	expect_error(&rig, "playlist/start", large, "limit", NULL);
	cr_assert_not_null(strstr(rig.reply, "limits.emit_bytes_per_second"));
	cr_assert_not_null(
	        strstr(run(&rig, "playlist/start", "{\"playlist\":\"p\"}"), "\"ok\":true"));
	rig_close(&rig);
}

Test(commands, definitions_survive)
{
	char dir[64];
	struct rig rig;

	disk_make_dir(dir);
	rig_open(&rig, dir);
	run(&rig, "playlist/define",
	    "{\"name\":\"made\",\"definition\":{\"steps\":[{\"emit\":\"other.step\"}]}}");
	cr_assert_str_eq(rig.changed, "playlist made");
	run(&rig, "gesture/define",
	    "{\"name\":\"mine\",\"definition\":{\"type\":\"double_tap\",\"source\":\"x\","
	    "\"window\":\"1s\",\"emit\":\"x.twice\"}}");
	cr_assert_str_eq(rig.changed, "gesture mine");
	rig_close(&rig);

	rig_open(&rig, dir);
	cr_assert_not_null(strstr(run(&rig, "gesture/list", ""), "\"name\":\"mine\""));
	run(&rig, "playlist/start", "{\"playlist\":\"made\"}");
	engine_wake(rig.engine, rig.now_ns);
	cr_assert_not_null(
	        strstr(run(&rig, "state/get", "{\"event_type\":\"other.step\"}"),
	               "\"event_type\":\"other.step\",\"producer_id\":0,\"data\":null,"));
	cr_assert_not_null(strstr(run(&rig, "playlist/remove", "{\"playlist\":\"made\"}"),
	                          "{\"removed\":\"made\"}"));
	expect_error(&rig, "playlist/remove", "{\"playlist\":\"made\"}", "not_found", "/playlist");
	expect_error(&rig, "playlist/remove", "{\"playlist\":\"blink\"}", "refused", "/playlist");
	cr_assert_not_null(strstr(run(&rig, "gesture/remove", "{\"gesture\":\"mine\"}"),
	                          "{\"removed\":\"mine\"}"));
	cr_assert_eq(commands_flush(rig.commands), 0);
	cr_assert_str_eq(rig.notices, "");
	rig_close(&rig);
	disk_remove_dir(dir);
}

/** limits.definitions is 7, of which the configuration has 2. */
Test(commands, kept_definitions_that_can_not_be_made_are_passed_over)
{
	struct commands_stats stats;
	char dir[64], path[128];
	struct rig rig;
	FILE *old;

	disk_make_dir(dir);
	snprintf(path, sizeof(path), "%s/definitions.json", dir);
	old = fopen(path, "w");
	cr_assert_not_null(old);
	fputs("{\"version\":1,\"playlists\":{\"bad\":\"{\\\"steps\\\":7}\"", old);
	for (int name = 'b'; name <= 'g'; name++)
		fprintf(old, ",\"%c\":\"{\\\"steps\\\":[{\\\"emit\\\":\\\"%c\\\"}]}\"", name, name);
	fputs("},\"gestures\":{}}", old);
	fclose(old);
	rig_open(&rig, dir);
	commands_get_stats(rig.commands, &stats);
	cr_assert_eq(stats.kept.definitions, 7U);
	cr_assert_eq(stats.kept.passed_over, 2U); /* one is not valid, g is one too many */
	cr_assert_not_null(strstr(run(&rig, "playlist/list", ""), "\"name\":\"f\""));
	expect_error(&rig, "playlist/start", "{\"playlist\":\"g\"}", "not_found", "/playlist");
	/* It does not prevent a reload, and is in force as soon as there is room. */
	cr_assert_eq(commands_reapply(rig.commands), 0);
	cr_assert_not_null(
	        strstr(run(&rig, "playlist/remove", "{\"playlist\":\"bad\"}"), "removed"));
	cr_assert_not_null(strstr(run(&rig, "playlist/remove", "{\"playlist\":\"b\"}"), "removed"));
	cr_assert_eq(commands_reapply(rig.commands), 0);
	cr_assert_not_null(strstr(run(&rig, "playlist/list", ""), "\"name\":\"g\""));
	commands_get_stats(rig.commands, &stats);
	cr_assert_eq(stats.kept.passed_over, 0U);
	rig_close(&rig);
	disk_remove_dir(dir);
}

static const char *define(struct rig *rig, unsigned n, const char *emit)
{
	char request[1100];

	snprintf(request, sizeof(request),
	         "{\"name\":\"p%u\",\"definition\":{\"metadata\":{\"x\":\"%0800u\"},"
	         "\"steps\":[{\"emit\":\"%s\"}]}}",
	         n, n, emit);
	return run(rig, "playlist/define", request);
}

Test(commands, a_define_over_the_bytes_kept_changes_nothing)
{
	struct commands_stats stats;
	const char *reply;
	struct rig rig;

	rig_open(&rig, NULL);
	/* Room for four, which may be redefined without limit. */
	for (unsigned i = 0; i < 20; i++)
		cr_assert_not_null(strstr(define(&rig, i % 4, "a"), "\"ok\":true"));
	reply = define(&rig, 4, "a");
	cr_assert_not_null(strstr(reply, "\"code\":\"limit\""));
	cr_assert_not_null(strstr(reply, "(limits.kept_definition_bytes)"));
	expect_error(&rig, "playlist/start", "{\"playlist\":\"p4\"}", "not_found", "/playlist");
	commands_get_stats(rig.commands, &stats);
	cr_assert_eq(stats.kept.refused, 1U);
	cr_assert_eq(stats.kept.definitions, 4U);
	cr_assert(stats.kept.bytes <= 4096);
	run(&rig, "playlist/remove", "{\"playlist\":\"p0\"}");
	cr_assert_not_null(strstr(define(&rig, 4, "a"), "\"ok\":true"));
	rig_close(&rig);
}

Test(commands, data_keeps_its_spelling)
{
	struct rig rig;

	rig_open(&rig, NULL);
	run(&rig, "event/emit",
	    "{\"event_type\":\"a\",\"producer_id\":4,\"data\": {\"n\": 12345678901234567890, "
	    "\"x\": 1.50}}");
	cr_assert_not_null(strstr(run(&rig, "state/get", "{\"producer_id\":4}"),
	                          "\"data\":{\"n\":12345678901234567890,\"x\":1.50}"));
	rig_close(&rig);
}

Test(commands, config_check_answers_ok_whatever_it_finds)
{
	static const struct {
		const char *payload, *request_id;
		bool error;
	} cases[] = {
		{ "", "null", true },
		{ "{", "null", true },
		{ "{\"gateway\":{\"id\":\"x\"},\"request_id\":7}", "7", false },
		/* As a file may be written; the request_id is read from strict JSON only. */
		{ "{\"gateway\":{\"id\":\"x\"},/* c */\"request_id\":7,}", "null", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig rig;
		char head[60];
		const char *reply;

		rig_open(&rig, NULL);
		reply = run(&rig, "config/check", cases[i].payload);
		snprintf(head, sizeof(head), "{\"ok\":true,\"request_id\":%s,",
		         cases[i].request_id);
		cr_assert_eq(strncmp(reply, head, strlen(head)), 0, "%s", reply);
		cr_assert_not_null(strstr(reply, cases[i].error ? "\"severity\":\"error\""
		                                                : "\"findings\":[]"),
		                   "%s", reply);
		rig_close(&rig);
	}
}

Test(commands, config_check_tells_every_finding)
{
	struct rig rig;
	const char *reply;

	rig_open(&rig, NULL);
	reply = run(&rig, "config/check", "{\"version\":1,\"gatway\":{},\"request_id\":\"q\"}");
	cr_assert_eq(strncmp(reply, "{\"ok\":true,\"request_id\":\"q\",", 28), 0);
	cr_assert_not_null(strstr(reply, "\"severity\":\"error\",\"line\":1,\"column\":"));
	cr_assert_not_null(strstr(reply, "gatway"));
	cr_assert_null(strstr(reply, "/request_id"));
	/* It does not hide the findings that are reported only for a configuration without
	 * errors. */
	reply = run(&rig, "config/check",
	            "{\"gateway\":{\"id\":\"x\"},\"request_id\":\"q\",\"playlists\":{\"p\":"
	            "{\"trigger\":\"lamp.sett\",\"steps\":[{\"emit\":\"lamp.set\"}]}}}");
	cr_assert_not_null(strstr(reply, "\"rule\":\"never-emitted\""));
	cr_assert_not_null(strstr(run(&rig, "config/get", ""), "\"hash\":\""));
	rig_close(&rig);
}

Test(commands, every_name_has_a_command)
{
	struct rig rig;

	rig_open(&rig, NULL);
	for (unsigned i = 0; i < COMMAND_NAMES; i++) {
		const char *name = command_name_text((enum command_name)i);

		cr_assert_null(strstr(run(&rig, name, "{}"), "unknown_command"), "%s", name);
	}
	expect_error(&rig, "playlist/starts", "{}", "unknown_command", NULL);
	rig_close(&rig);
}
