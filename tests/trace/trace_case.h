/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trace_case.h
 * @brief One golden trace file: header, input lines, a blank line, expected lines.
 */
#ifndef CUEBUS_TRACE_CASE_H
#define CUEBUS_TRACE_CASE_H

#include <drivers/trace.h>
#include <stddef.h>
#include <stdint.h>

/** Time of a directive that is carried out before the inputs are opened. */
#define DIRECTIVE_FIRST UINT64_MAX

struct directive {
	uint64_t time_ns;
	unsigned line;
	char *verb; /**< without the "@" */
	char *args; /**< the rest of the line, "" when none */
};

struct trace_case {
	const char *path;     /**< borrowed */
	char *text;           /**< the whole file */
	const char *expected; /**< into text */
	size_t expected_len;
	char *config_path;
	uint64_t until_ns; /**< CUE_TIME_NONE: until nothing is left */
	struct directive *directives;
	size_t n_directives;
	struct trace *trace;
};

/** Read a case; print errors on stderr. @return 0 or negative errno. Freed with
 * trace_case_clear(). */
int trace_case_read(const char *path, struct trace_case *ret_case);
void trace_case_clear(struct trace_case *c);

/** Write the case back with other expected lines. @return 0 or negative errno. */
int trace_case_update(const struct trace_case *c, const char *actual, size_t len);

/** A file beside the case's. @return malloc()ed path or NULL. */
char *trace_case_sibling(const struct trace_case *c, const char *name);

/** "1.5" as nanoseconds. @return 0; -EINVAL. */
int trace_seconds(const char *text, uint64_t *ret_ns);

#endif
