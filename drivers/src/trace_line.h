/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trace_line.h
 * @brief Private: the tokens of one line of a trace, for trace.c.
 */
#ifndef CUEBUS_TRACE_LINE_H
#define CUEBUS_TRACE_LINE_H

#include <drivers/trace.h>

/** Borrowed from the text. */
struct trace_token {
	const char *text;
	size_t len;
};

struct trace_line {
	unsigned number;         /**< from 1 */
	const char *begin, *end; /**< the line without its newline */
	const char *pos;         /**< next character to read */
	struct trace_token json; /**< set by trace_line_json() */
	struct trace_error *error;
};

/** Start the next line, from @p begin up to @p end. `number` and `error` are kept. */
void trace_line_begin(struct trace_line *line, const char *begin, const char *end);

/** Store an error at @p at, within the line. @return -EINVAL. */
int trace_line_fail(struct trace_line *line, const char *at, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/** Skip white space. @return where the next word begins (or the line ends). */
const char *trace_line_rest(struct trace_line *line);

/** Whether only white space and a comment remain. */
bool trace_line_is_empty(struct trace_line *line);

/** Read the next word, up to white space. @return false if there is none. */
bool trace_line_token(struct trace_line *line, struct trace_token *ret_token);
bool trace_token_is(const struct trace_token *token, const char *text);
/** Number of bytes of a token to show in a message. */
int trace_token_shown(const struct trace_token *token);

/**
 * Read a time, absolute or (with "+") relative to @p last_ns; exact to the nanosecond.
 * @return 0; -EINVAL.
 */
int trace_line_time(struct trace_line *line, uint64_t last_ns, uint64_t *ret_time_ns);

/** Read `producer=<n>` if it is next. @return 0; -EINVAL. */
int trace_line_producer(struct trace_line *line, uint32_t *ret_producer_id, bool *ret_present);

/** Store the rest of the line, without comment and outer white space, in `json`; it may be
 * empty. */
void trace_line_json(struct trace_line *line);

#endif
