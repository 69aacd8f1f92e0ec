/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry a line. The name decides the kind:
 *
 *   name              | kind            | producer= | json
 *   input.set         | TRACE_INPUT_SET | refused   | required: {"input","value","line"?}
 *   cmd/<a>[/<b>…]    | TRACE_COMMAND   | refused   | optional, {} when absent
 *   reserved type     | refused: only the gateway emits those
 *   event type        | TRACE_EVENT     | optional  | optional, null when absent
 */
#include <drivers/trace.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cuebus/event.h>
#include <cuebus/payload.h>
#include <drivers/driver.h>

#include "trace_line.h"

#define TRACE_ENTRIES_MAX 1000000U
#define COMMAND_PREFIX    "cmd/"

struct parser {
	struct trace *trace;
	size_t cap;
	uint64_t last_ns;
	struct trace_line line;
};

static int fail_name(struct parser *p, const struct trace_token *name, const char *reason)
{
	return trace_line_fail(&p->line, name->text, "\"%.*s\": %s", trace_token_shown(name),
	                       name->text, reason);
}

static int check_command(struct parser *p, const struct trace_token *name)
{
	size_t segment = 0;

	for (size_t i = strlen(COMMAND_PREFIX); i <= name->len; i++) {
		char c = '/'; /* the end also ends a segment */

		if (i < name->len)
			c = name->text[i];
		if (c == '/') {
			if (segment == 0)
				return fail_name(p, name, "a command is cmd/<noun>/<verb>");
			segment = 0;
		} else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
		           c == '-') {
			segment++;
		} else {
			return fail_name(p, name, "a command is made of a-z, 0-9, _ and -");
		}
	}
	return 0;
}

static int check_event_type(struct parser *p, const struct trace_token *name)
{
	const char *reason = NULL;
	char type[CUE_TYPE_MAX_LEN + 1];

	if (!cue_type_is_valid(name->text, name->len, &reason))
		return fail_name(p, name, reason);
	memcpy(type, name->text, name->len); /* a valid type fits */
	type[name->len] = '\0';
	if (cue_type_is_reserved(type))
		return fail_name(p, name,
		                 "a reserved type, only the gateway emits it (an input's edge is "
		                 "input.set)");
	return 0;
}

/** @p name is the token as written. Sets the type of @p entry and, except for input.set, its
 * name. */
static int read_name(struct parser *p, const struct trace_token *name, struct trace_entry *entry)
{
	const size_t prefix_len = strlen(COMMAND_PREFIX);
	const char *kept = name->text;
	size_t kept_len = name->len;
	int r;

	if (trace_token_is(name, "input.set")) {
		entry->type = TRACE_INPUT_SET;
		return 0;
	}
	if (name->len >= prefix_len && memcmp(name->text, COMMAND_PREFIX, prefix_len) == 0) {
		entry->type = TRACE_COMMAND;
		kept += prefix_len;
		kept_len -= prefix_len;
		r = check_command(p, name);
	} else {
		entry->type = TRACE_EVENT;
		r = check_event_type(p, name);
	}
	if (r < 0)
		return r;
	entry->name = strndup(kept, kept_len);
	return entry->name ? 0 : -ENOMEM;
}

static int read_data(struct parser *p, struct trace_entry *entry)
{
	const struct trace_token *json = &p->line.json;
	struct cue_json_error error;
	int r;

	if (json->len == 0 && entry->type == TRACE_COMMAND)
		return cue_payload_new("{}", 2, 0, &entry->data, NULL); /* like an empty message */
	r = cue_payload_new(json->text, json->len, 0, &entry->data, &error);
	if (r == -EBADMSG || r == -E2BIG)
		return trace_line_fail(&p->line, json->text + error.offset, "%s", error.text);
	return r;
}

/** Read a member that must be an integer from 0 to @p max. */
static int read_small(struct parser *p, const cJSON *value, const char *key, unsigned max,
                      unsigned *ret_value)
{
	for (unsigned i = 0; i <= max; i++) {
		if (cJSON_IsNumber(value) && value->valuedouble >= i && value->valuedouble <= i) {
			*ret_value = i;
			return 0;
		}
	}
	return trace_line_fail(&p->line, p->line.json.text, "\"%s\" must be 0 or 1", key);
}

static int read_input_set(struct parser *p, struct trace_entry *entry)
{
	const cJSON *json = cue_payload_json(entry->data);
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(json, "input");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
	const cJSON *line = cJSON_GetObjectItemCaseSensitive(json, "line");
	const cJSON *member;
	unsigned level = 0;
	int r;

	if (!json)
		return -ENOMEM;
	if (!cJSON_IsObject(json) || !cJSON_IsString(input) || !*input->valuestring || !value)
		return trace_line_fail(
		        &p->line, p->line.json.text,
		        "input.set takes {\"input\":name,\"value\":0|1,\"line\":0|1 (optional)}");
	cJSON_ArrayForEach(member, json)
	{
		if (member != input && member != value && member != line)
			return trace_line_fail(
			        &p->line, p->line.json.text,
			        "input.set knows \"input\", \"value\" and \"line\", not \"%.64s\"",
			        member->string);
	}
	r = read_small(p, value, "value", 1, &level);
	if (r == 0 && line)
		r = read_small(p, line, "line", DRIVER_LINES_MAX - 1, &entry->input_line);
	if (r < 0)
		return r;
	entry->level = level == 1;
	entry->name = strdup(input->valuestring);
	return entry->name ? 0 : -ENOMEM;
}

static int read_entry(struct parser *p, struct trace_entry *entry)
{
	struct trace_token name;
	bool has_producer;
	const char *at;
	int r;

	entry->line = p->line.number;
	r = trace_line_time(&p->line, p->last_ns, &entry->time_ns);
	if (r < 0)
		return r;
	if (!trace_line_token(&p->line, &name))
		return trace_line_fail(
		        &p->line, p->line.pos,
		        "an event type (or input.set, or cmd/<noun>/<verb>) must follow the time");
	r = read_name(p, &name, entry);
	if (r < 0)
		return r;
	at = trace_line_rest(&p->line);
	r = trace_line_producer(&p->line, &entry->producer_id, &has_producer);
	if (r < 0)
		return r;
	if (has_producer && entry->type != TRACE_EVENT)
		return trace_line_fail(&p->line, at, "only events take producer=");
	trace_line_json(&p->line);
	r = read_data(p, entry);
	if (r == 0 && entry->type == TRACE_INPUT_SET)
		r = read_input_set(p, entry);
	return r;
}

static void entry_clear(struct trace_entry *entry)
{
	free(entry->name);
	cue_payload_unref(entry->data);
}

static int append(struct parser *p, const struct trace_entry *entry)
{
	struct trace *trace = p->trace;

	if (trace->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct trace_entry *entries = realloc(trace->entries, cap * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		trace->entries = entries;
		p->cap = cap;
	}
	trace->entries[trace->n++] = *entry;
	p->last_ns = entry->time_ns;
	return 0;
}

static int parse_line(struct parser *p)
{
	struct trace_entry entry = { 0 };
	int r;

	if (trace_line_is_empty(&p->line))
		return 0;
	if (p->trace->n >= TRACE_ENTRIES_MAX)
		return trace_line_fail(&p->line, p->line.pos, "more than %u entries",
		                       TRACE_ENTRIES_MAX);
	r = read_entry(p, &entry);
	if (r == 0)
		r = append(p, &entry);
	if (r < 0)
		entry_clear(&entry);
	return r;
}

int trace_parse(const char *text, size_t len, struct trace **ret_trace,
                struct trace_error *ret_error)
{
	struct parser p = { .trace = calloc(1, sizeof(*p.trace)), .line.error = ret_error };
	const char *end = len ? text + len : text; /* an empty text may be NULL */
	int r = p.trace ? 0 : -ENOMEM;

	while (r == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		trace_line_begin(&p.line, text, stop);
		r = parse_line(&p);
		text = newline ? newline + 1 : end;
	}
	if (r < 0) {
		trace_free(p.trace);
		return r;
	}
	*ret_trace = p.trace;
	return 0;
}

struct trace *trace_free(struct trace *trace)
{
	if (!trace)
		return NULL;
	for (size_t i = 0; i < trace->n; i++)
		entry_clear(&trace->entries[i]);
	free(trace->entries);
	free(trace);
	return NULL;
}
