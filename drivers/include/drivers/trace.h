/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trace.h
 * @brief The trace format that `simulate`, the replay driver and the golden tests share: text, one
 *        entry a line.
 *
 *     <seconds> <event_type> [producer=<n>] [json]    # comment
 *
 * Times are seconds, absolute from the start, or with a leading "+" relative to the entry before;
 * they never decrease. Two kinds of entry are not events:
 *  `input.set {"input":name,"value":0|1,"line":0}` is an edge of an input, and
 * `cmd/<noun>/<verb> [json]` a command, as if it had come over MQTT. Neither can be mistaken for an
 * event: `input.` is reserved, and no type contains "/". A command without JSON has the data `{}`,
 * like an empty message; an event without JSON has `null`. Reserved types are refused as events,
 * and only events may have `producer=`. At most 1,000,000 entries and 10 years; times are exact to
 * the nanosecond. A `#` begins a comment at the start of a line or after white space, outside of
 * JSON.
 */
#ifndef CUEBUS_TRACE_H
#define CUEBUS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cue_payload;

enum trace_entry_type { TRACE_EVENT, TRACE_INPUT_SET, TRACE_COMMAND };

struct trace_entry {
	enum trace_entry_type type;
	uint64_t time_ns;
	char *name; /**< event type, input's name, or "noun/verb"; owned by the trace. */
	uint32_t producer_id;
	struct cue_payload *data; /**< owned by the trace; never NULL. */
	unsigned line;            /**< of the file, from 1. */
	unsigned input_line;      /**< input.set: the input's line index (a rotary has 0 and 1). */
	bool level;               /**< input.set */
};

struct trace {
	struct trace_entry *entries;
	size_t n;
};

struct trace_error {
	unsigned line, column; /**< from 1 */
	char text[200];        /**< the error and the remedy. */
};

/**
 * Parse a trace.
 * @param text untrusted, need not be NUL-terminated, borrowed for the call.
 * @return 0; -EINVAL (ret_error has the first error); -ENOMEM. Free the trace with trace_free().
 */
int trace_parse(const char *text, size_t len, struct trace **ret_trace,
                struct trace_error *ret_error);

/** Read a file and parse it. @return as trace_parse(); -EFBIG larger than @p max_bytes; the errno
 * of reading (ret_error.line is then 0). */
int trace_load(const char *path, uint64_t max_bytes, struct trace **ret_trace,
               struct trace_error *ret_error);

struct trace *trace_free(struct trace *trace);

#endif
