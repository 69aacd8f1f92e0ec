/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a trace file: an error names a place inside of the text, and
 * what is accepted keeps the promises of trace.h.
 */
#include "fuzz.h"

#include <cuebus/event.h>
#include <cuebus/payload.h>
#include <drivers/trace.h>

#include <errno.h>

static void check_entry(const struct trace_entry *entry)
{
	FUZZ_CHECK(entry->name && entry->data);
	FUZZ_CHECK(entry->line >= 1);
	switch (entry->type) {
	case TRACE_EVENT:
		FUZZ_CHECK(cue_type_is_valid(entry->name, strlen(entry->name), NULL));
		break;
	case TRACE_INPUT_SET:
		FUZZ_CHECK(entry->name[0] != '\0');
		break;
	case TRACE_COMMAND:
		FUZZ_CHECK(entry->name[0] != '\0');
		break;
	}
}

static void check_trace(const struct trace *trace, unsigned lines)
{
	uint64_t time_ns = 0;
	unsigned line = 0;

	for (size_t i = 0; i < trace->n; i++) {
		const struct trace_entry *entry = &trace->entries[i];

		check_entry(entry);
		FUZZ_CHECK(entry->time_ns >= time_ns && entry->time_ns != CUE_TIME_NONE);
		FUZZ_CHECK(entry->line > line && entry->line <= lines);
		time_ns = entry->time_ns;
		line = entry->line;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct trace_error error = { 0 };
	struct trace *trace = NULL;
	unsigned lines = 1;
	int r;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	r = trace_parse(text, size, &trace, &error);
	FUZZ_CHECK(r == 0 || r == -EINVAL);
	FUZZ_CHECK((r == 0) == (trace != NULL));
	if (r == 0) {
		check_trace(trace, lines);
		trace_free(trace);
		return 0;
	}
	FUZZ_CHECK(error.line >= 1 && error.line <= lines && error.column >= 1);
	FUZZ_CHECK(memchr(error.text, '\0', sizeof(error.text)) && error.text[0]);
	return 0;
}
