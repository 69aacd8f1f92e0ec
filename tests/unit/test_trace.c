/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cuebus/payload.h>
#include <drivers/trace.h>

/** Parse a text that must be right. */
static struct trace *parse(const char *text)
{
	struct trace_error error = { 0 };
	struct trace *trace = NULL;
	int r = trace_parse(text, strlen(text), &trace, &error);

	cr_assert_eq(r, 0, "%u:%u: %s", error.line, error.column, error.text);
	return trace;
}

static const char *data_of(const struct trace_entry *entry)
{
	return cue_payload_bytes(entry->data, NULL);
}

Test(trace, event_with_all_its_parts)
{
	struct trace *trace =
	        parse("# head\n\n  1.5 button.press producer=7 { \"a\" : \"x # y\" }  # tail\n");

	cr_assert_eq(trace->n, 1);
	cr_assert_eq(trace->entries[0].type, TRACE_EVENT);
	cr_assert_eq(trace->entries[0].time_ns, 1500000000ULL);
	cr_assert_str_eq(trace->entries[0].name, "button.press");
	cr_assert_eq(trace->entries[0].producer_id, 7);
	cr_assert_str_eq(data_of(&trace->entries[0]), "{\"a\":\"x # y\"}");
	cr_assert_eq(trace->entries[0].line, 3);
	trace_free(trace);
}

Test(trace, times_are_exact_and_relative_ones_add_up)
{
	struct trace *trace = parse("0 a\n+0.000000001 a\n+0.1 a\r\n0.100000001 a\n+0 a\n"
	                            "315359999.999999999 a\n+0.000000001 a");

	cr_assert_eq(trace->n, 7);
	cr_assert_eq(trace->entries[0].time_ns, 0);
	cr_assert_eq(trace->entries[1].time_ns, 1);
	cr_assert_eq(trace->entries[2].time_ns, 100000001ULL);
	cr_assert_eq(trace->entries[3].time_ns, 100000001ULL);
	cr_assert_eq(trace->entries[4].time_ns, 100000001ULL);
	cr_assert_eq(trace->entries[5].time_ns, 315359999999999999ULL);
	cr_assert_eq(trace->entries[6].time_ns, 315360000000000000ULL);
	trace_free(trace);
}

Test(trace, input_set_names_input_line_and_level)
{
	struct trace *trace = parse("0 input.set {\"input\":\"dial\",\"value\":1,\"line\":1}\n"
	                            "0 input.set {\"input\":\"pad\",\"value\":0}");

	cr_assert_eq(trace->n, 2);
	cr_assert_eq(trace->entries[0].type, TRACE_INPUT_SET);
	cr_assert_str_eq(trace->entries[0].name, "dial");
	cr_assert_eq(trace->entries[0].input_line, 1);
	cr_assert(trace->entries[0].level);
	cr_assert_str_eq(trace->entries[1].name, "pad");
	cr_assert_eq(trace->entries[1].input_line, 0);
	cr_assert_not(trace->entries[1].level);
	trace_free(trace);
}

Test(trace, commands_have_an_object_when_nothing_is_given)
{
	struct trace *trace =
	        parse("0 cmd/ping\n0 cmd/playlist/start {\"playlist\":\"flash\"}\n0 x");

	cr_assert_eq(trace->n, 3);
	cr_assert_eq(trace->entries[0].type, TRACE_COMMAND);
	cr_assert_str_eq(trace->entries[0].name, "ping");
	cr_assert_str_eq(data_of(&trace->entries[0]), "{}");
	cr_assert_str_eq(trace->entries[1].name, "playlist/start");
	cr_assert_str_eq(data_of(&trace->entries[1]), "{\"playlist\":\"flash\"}");
	cr_assert_str_eq(data_of(&trace->entries[2]), "null");
	trace_free(trace);
}

Test(trace, a_number_sign_inside_a_string_is_no_comment)
{
	struct trace *trace = parse("0 a \"\\\" # \\\\\" # comment \"");

	cr_assert_str_eq(data_of(&trace->entries[0]), "\"\\\" # \\\\\"");
	trace_free(trace);
}

Test(trace, empty_texts)
{
	struct trace_error error;
	struct trace *trace = NULL;

	cr_assert_eq(trace_parse(NULL, 0, &trace, &error), 0);
	cr_assert_eq(trace->n, 0);
	trace_free(trace);
	trace = parse("\n# only a comment\n\t \r\n#");
	cr_assert_eq(trace->n, 0);
	trace_free(trace);
}

#define TIME_TEXT(t)                                                                               \
	"\"" t                                                                                     \
	"\" is not a time: seconds like 1.5, or +0.25 from the entry before, with at most 9 "      \
	"decimals and 10 years"
#define INPUT_SET_TEXT "input.set takes {\"input\":name,\"value\":0|1,\"line\":0|1 (optional)}"

static const struct {
	const char *text;
	unsigned line, column;
	const char *says;
} faults[] = {
	{ "x a", 1, 1, TIME_TEXT("x") },
	{ "0 a\n  1s a", 2, 3, TIME_TEXT("1s") },
	{ "-1 a", 1, 1, TIME_TEXT("-1") },
	{ ".5 a", 1, 1, TIME_TEXT(".5") },
	{ "1. a", 1, 1, TIME_TEXT("1.") },
	{ "1e3 a", 1, 1, TIME_TEXT("1e3") },
	{ "+ a", 1, 1, TIME_TEXT("+") },
	{ "0.0000000001 a", 1, 1, TIME_TEXT("0.0000000001") },
	{ "315360001 a", 1, 1, TIME_TEXT("315360001") },
	{ "315360000.1 a", 1, 1, TIME_TEXT("315360000.1") },
	{ "99999999999999999999999 a", 1, 1, TIME_TEXT("99999999999999999999999") },
	{ "2 a\n1.5 a", 2, 1, "time goes backwards: the entry before is at 2.000000000" },
	{ "0", 1, 2, "an event type (or input.set, or cmd/<noun>/<verb>) must follow the time" },
	{ "0 # a", 1, 3,
	  "an event type (or input.set, or cmd/<noun>/<verb>) must follow the time" },
	{ "0 A.b", 1, 3, "\"A.b\": only a-z, 0-9, '_' and '-' are allowed between the dots" },
	{ "0 a..b", 1, 3, "\"a..b\": a segment between dots can't be empty" },
	{ "0 a\x01\x80", 1, 3, "\"a??\": only a-z, 0-9, '_' and '-' are allowed between the dots" },
	{ "0 event.x", 1, 3,
	  "\"event.x\": a reserved type, only the gateway emits it (an input's edge is "
	  "input.set)" },
	{ "0 cmd/", 1, 3, "\"cmd/\": a command is cmd/<noun>/<verb>" },
	{ "0 cmd/a//b", 1, 3, "\"cmd/a//b\": a command is cmd/<noun>/<verb>" },
	{ "0 cmd/Ping", 1, 3, "\"cmd/Ping\": a command is made of a-z, 0-9, _ and -" },
	{ "0 a producer=x", 1, 14, "producer= takes a whole number from 0 to 4294967295" },
	{ "0 a producer=", 1, 14, "producer= takes a whole number from 0 to 4294967295" },
	{ "0 a producer=4294967296", 1, 14, "producer= takes a whole number from 0 to 4294967295" },
	{ "0 a producer=1x", 1, 14, "producer= takes a whole number from 0 to 4294967295" },
	{ "0 cmd/ping producer=1", 1, 12, "only events take producer=" },
	{ "0 input.set", 1, 12, INPUT_SET_TEXT },
	{ "0 input.set {\"value\":1}", 1, 13, INPUT_SET_TEXT },
	{ "0 input.set {\"input\":\"a\"}", 1, 13, INPUT_SET_TEXT },
	{ "0 input.set {\"input\":\"\",\"value\":1}", 1, 13, INPUT_SET_TEXT },
	{ "0 input.set {\"input\":3,\"value\":1}", 1, 13, INPUT_SET_TEXT },
	{ "0 input.set [1]", 1, 13, INPUT_SET_TEXT },
	{ "0 input.set {\"input\":\"a\",\"value\":2}", 1, 13, "\"value\" must be 0 or 1" },
	{ "0 input.set {\"input\":\"a\",\"value\":0.5}", 1, 13, "\"value\" must be 0 or 1" },
	{ "0 input.set {\"input\":\"a\",\"value\":true}", 1, 13, "\"value\" must be 0 or 1" },
	{ "0 input.set {\"input\":\"a\",\"value\":1,\"line\":2}", 1, 13,
	  "\"line\" must be 0 or 1" },
	{ "0 input.set {\"input\":\"a\",\"value\":1,\"lines\":0}", 1, 13,
	  "input.set knows \"input\", \"value\" and \"line\", not \"lines\"" },
};

Test(trace, every_fault_is_told_with_its_place)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		struct trace_error error = { 0 };
		struct trace *trace = NULL;

		cr_assert_eq(trace_parse(faults[i].text, strlen(faults[i].text), &trace, &error),
		             -EINVAL, "%s", faults[i].text);
		cr_assert_null(trace);
		cr_assert_str_eq(error.text, faults[i].says, "%s: %s", faults[i].text, error.text);
		cr_assert_eq(error.line, faults[i].line, "%s: line %u", faults[i].text, error.line);
		cr_assert_eq(error.column, faults[i].column, "%s: column %u", faults[i].text,
		             error.column);
	}
}

Test(trace, json_faults_point_into_the_json)
{
	static const struct {
		const char *text;
		unsigned line, column;
	} cases[] = {
		{ "0 a {\"x\":1,}", 1, 12 },         { "0 a\n0 b {\"x\":1} {}", 2, 13 },
		{ "0 a \"open # no comment", 1, 5 }, { "0 a 12#", 1, 7 },
		{ "0 a proucer=3", 1, 5 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trace_error error = { 0 };
		struct trace *trace = NULL;

		cr_assert_eq(trace_parse(cases[i].text, strlen(cases[i].text), &trace, &error),
		             -EINVAL);
		cr_assert_eq(error.line, cases[i].line, "%s: line %u", cases[i].text, error.line);
		cr_assert_eq(error.column, cases[i].column, "%s: column %u, %s", cases[i].text,
		             error.column, error.text);
	}
}

Test(trace, a_nul_byte_is_no_end)
{
	static const char text[] = "0 a\0b\n";
	struct trace_error error = { 0 };
	struct trace *trace = NULL;

	cr_assert_eq(trace_parse(text, sizeof(text) - 1, &trace, &error), -EINVAL);
	cr_assert_eq(error.column, 3);
}

Test(trace, entries_are_limited)
{
	const size_t n = 1000000;
	char *text = malloc(4 * (n + 1));
	struct trace_error error = { 0 };
	struct trace *trace = NULL;

	cr_assert_not_null(text);
	for (size_t i = 0; i <= n; i++)
		memcpy(text + 4 * i, "0 a\n", 4);
	cr_assert_eq(trace_parse(text, 4 * n, &trace, &error), 0);
	cr_assert_eq(trace->n, n);
	trace_free(trace);
	cr_assert_eq(trace_parse(text, 4 * (n + 1), &trace, &error), -EINVAL);
	cr_assert_eq(error.line, 1000001);
	cr_assert_str_eq(error.text, "more than 1000000 entries");
	free(text);
}

Test(trace, load_reads_a_file_and_says_what_is_wrong_with_it)
{
	char path[] = "/tmp/cuebus-trace-XXXXXX";
	struct trace_error error = { 0 };
	struct trace *trace = NULL;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "0 a\n1 b", 7), 7);
	close(fd);
	cr_assert_eq(trace_load(path, 7, &trace, &error), 0);
	cr_assert_eq(trace->n, 2);
	trace = trace_free(trace);
	cr_assert_eq(trace_load(path, 6, &trace, &error), -EFBIG);
	cr_assert_eq(error.line, 0);
	cr_assert_str_eq(error.text, "larger than 6 bytes");
	unlink(path);
	cr_assert_eq(trace_load(path, 6, &trace, &error), -ENOENT);
	cr_assert_str_eq(error.text, "can't be read: No such file or directory");
	cr_assert_eq(trace_load("/", 6, &trace, &error), -EISDIR);
	cr_assert_null(trace);
}
