/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file diag.h
 * @brief Findings: the errors and warnings of a configuration, each with its place.
 */
#ifndef CUEBUS_DIAG_H
#define CUEBUS_DIAG_H

#include <stddef.h>
#include <stdio.h>

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct diag_finding {
	enum diag_severity severity;
	char *file;       /**< as the user wrote it; owned. */
	unsigned line;    /**< from 1; 0 if there is none. */
	unsigned column;  /**< from 1, in bytes. */
	char *path;       /**< JSON Pointer into the configuration, "" for the whole; owned. */
	const char *rule; /**< static, kebab-case, e.g. "unknown-key". */
	char *message;    /**< owned. */
};

struct hide;

/** Zero-initialise before use. Thread: one at a time. */
struct diag {
	struct diag_finding *findings;
	size_t n;
	size_t n_errors;
	size_t n_dropped; /**< over the limit of 1,000 findings. */
	/** values that no message may show, NULL: none; owned, see diag_hide(). */
	struct hide *hide;
};

/** Hide @p value of the environment variable @p name in all further messages. @return 0;
 * -ENOMEM. */
int diag_hide(struct diag *diag, const char *name, const char *value);

/** The place of a finding; the pointers are borrowed for the call. */
struct diag_place {
	const char *file;
	unsigned line, column;
	const char *path; /**< JSON Pointer; "" none */
};

/** A whole file. */
static inline struct diag_place diag_file(const char *file)
{
	return (struct diag_place){ .file = file, .line = 1, .column = 1, .path = "" };
}

/** Add a finding; without memory it is counted and its text dropped. @param rule static. */
void diag_add(struct diag *diag, enum diag_severity severity, struct diag_place place,
              const char *rule, const char *format, ...) __attribute__((format(printf, 5, 6)));
/** Sort by file, line, column; stable. */
void diag_sort(struct diag *diag);
/** `file:line:col: error|warning: text [rule]`, one a line. */
void diag_print(const struct diag *diag, FILE *stream);
void diag_clear(struct diag *diag);

#endif
