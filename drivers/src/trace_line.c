/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cuebus/event.h>

/** The longest duration: 10 years. The sum of two does not overflow. */
#define TIME_MAX_S          (3650ULL * 86400ULL)
#define FRACTION_DIGITS_MAX 9
#define TOKEN_SHOWN_MAX     64

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void trace_line_begin(struct trace_line *line, const char *begin, const char *end)
{
	line->number++;
	line->begin = line->pos = begin;
	line->end = end;
	line->json = (struct trace_token){ .text = end };
}

int trace_line_fail(struct trace_line *line, const char *at, const char *format, ...)
{
	struct trace_error *error = line->error;
	va_list ap;

	error->line = line->number;
	error->column = (unsigned)(at - line->begin) + 1;
	va_start(ap, format);
	vsnprintf(error->text, sizeof(error->text), format, ap);
	va_end(ap);
	/* The message may quote the untrusted text: no control character of it may reach a
	 * terminal. */
	for (char *c = error->text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return -EINVAL;
}

const char *trace_line_rest(struct trace_line *line)
{
	while (line->pos < line->end && is_space(*line->pos))
		line->pos++;
	return line->pos;
}

/** Whether a comment begins at @p at: `#` at the start of the line or after white space. */
static bool is_comment(const struct trace_line *line, const char *at)
{
	return *at == '#' && (at == line->begin || is_space(at[-1]));
}

bool trace_line_is_empty(struct trace_line *line)
{
	const char *at = trace_line_rest(line);

	return at == line->end || is_comment(line, at);
}

bool trace_line_token(struct trace_line *line, struct trace_token *ret_token)
{
	const char *at;

	if (trace_line_is_empty(line))
		return false;
	at = line->pos;
	while (line->pos < line->end && !is_space(*line->pos))
		line->pos++;
	*ret_token = (struct trace_token){ .text = at, .len = (size_t)(line->pos - at) };
	return true;
}

bool trace_token_is(const struct trace_token *token, const char *text)
{
	return token->len == strlen(text) && memcmp(token->text, text, token->len) == 0;
}

int trace_token_shown(const struct trace_token *token)
{
	return token->len > TOKEN_SHOWN_MAX ? TOKEN_SHOWN_MAX : (int)token->len;
}

/** Read the digits at @p *at and move behind them. @return false if there are none, or beyond @p
 * max. */
static bool read_number(const char **at, const char *end, uint64_t max, uint64_t *ret_value)
{
	const char *begin = *at;
	uint64_t value = 0;

	for (; *at < end && is_digit(**at); (*at)++) {
		value = value * 10 + (uint64_t)(**at - '0');
		if (value > max)
			return false;
	}
	*ret_value = value;
	return *at > begin;
}

static int fail_time(struct trace_line *line, const struct trace_token *token)
{
	return trace_line_fail(
	        line, token->text,
	        "\"%.*s\" is not a time: seconds like 1.5, or +0.25 from the entry before, with at "
	        "most 9 decimals and 10 years",
	        trace_token_shown(token), token->text);
}

int trace_line_time(struct trace_line *line, uint64_t last_ns, uint64_t *ret_time_ns)
{
	uint64_t seconds, fraction = 0, time_ns;
	struct trace_token token;
	const char *at, *end;
	bool relative;

	if (!trace_line_token(line, &token))
		return trace_line_fail(line, line->pos, "a time in seconds is missing");
	at = token.text;
	end = at + token.len;
	relative = *at == '+';
	at += relative;
	if (!read_number(&at, end, TIME_MAX_S, &seconds))
		return fail_time(line, &token);
	if (at < end && *at == '.') {
		const char *begin = ++at;

		if (end - begin > FRACTION_DIGITS_MAX ||
		    !read_number(&at, end, CUE_NS_PER_S, &fraction))
			return fail_time(line, &token);
		for (ptrdiff_t digits = at - begin; digits < FRACTION_DIGITS_MAX; digits++)
			fraction *= 10;
	}
	if (at != end)
		return fail_time(line, &token);
	time_ns = seconds * CUE_NS_PER_S + fraction;
	if (relative)
		time_ns += last_ns;
	if (time_ns > TIME_MAX_S * CUE_NS_PER_S)
		return fail_time(line, &token);
	if (time_ns < last_ns)
		return trace_line_fail(line, token.text,
		                       "time goes backwards: the entry before is at %llu.%09llu",
		                       (unsigned long long)(last_ns / CUE_NS_PER_S),
		                       (unsigned long long)(last_ns % CUE_NS_PER_S));
	*ret_time_ns = time_ns;
	return 0;
}

int trace_line_producer(struct trace_line *line, uint32_t *ret_producer_id, bool *ret_present)
{
	static const char prefix[] = "producer=";
	const char *at = trace_line_rest(line);
	struct trace_token token;
	uint64_t value;

	*ret_present = false;
	if ((size_t)(line->end - at) < strlen(prefix) || memcmp(at, prefix, strlen(prefix)) != 0)
		return 0;
	if (!trace_line_token(line, &token))
		return 0;
	at += strlen(prefix);
	if (!read_number(&at, token.text + token.len, UINT32_MAX, &value) ||
	    at != token.text + token.len)
		return trace_line_fail(line, token.text + strlen(prefix),
		                       "producer= takes a whole number from 0 to 4294967295");
	*ret_producer_id = (uint32_t)value;
	*ret_present = true;
	return 0;
}

void trace_line_json(struct trace_line *line)
{
	const char *begin = trace_line_rest(line);
	const char *at = begin;
	bool in_string = false;

	for (; at < line->end; at++) {
		if (in_string && *at == '\\' && at + 1 < line->end)
			at++;
		else if (*at == '"')
			in_string = !in_string;
		else if (!in_string && is_comment(line, at))
			break;
	}
	while (at > begin && is_space(at[-1]))
		at--;
	line->json = (struct trace_token){ .text = begin, .len = (size_t)(at - begin) };
	line->pos = line->end;
}
