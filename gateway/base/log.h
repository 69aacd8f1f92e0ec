/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file log.h
 * @brief Log lines on a file descriptor (stderr).
 *
 * One write(2) per line up to PIPE_BUF bytes, so lines of several threads don't mix. Any thread may
 * log. A line that is repeated (same format string and level) more than LOG_BURST times within
 * LOG_WINDOW_NS is omitted and counted; the first line of the next window reports the count.
 *
 * Logging never waits for the reader: a line without room (a pipe without a reader, a stopped
 * terminal) is dropped and counted, and the count is written before the next line.
 */
#ifndef CUEBUS_LOG_H
#define CUEBUS_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct log;

/** The values are syslog's, as in journald's `<N>` prefix. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

#define LOG_BURST     5U
#define LOG_WINDOW_NS (10ULL * 1000000000ULL)

struct log_config {
	int fd; /**< borrowed */
	enum log_format format;
	/** write the prefix `<N>`, and no time in text format: the journal adds it */
	bool journal;
	enum log_level level; /**< less severe lines are not written */
	/** CLOCK_MONOTONIC and CLOCK_REALTIME in ns; NULL: the system's. */
	uint64_t (*monotonic_ns)(void *user);
	int64_t (*wall_ns)(void *user);
	void *user;
};

/** @return 0; -ENOMEM. */
int log_new(const struct log_config *config, struct log **ret_log);
/** Free the log; no other thread may use it any more. NULL is allowed. @return NULL. */
struct log *log_free(struct log *log);

/** Whether systemd connected @p fd to the journal (JOURNAL_STREAM). */
bool log_is_journal(int fd);

/** "text" or "json". @return 0; -EINVAL. */
int log_format_parse(const char *name, enum log_format *ret_format);

/**
 * Write one line (without its newline). Control characters become spaces, so that untrusted text
 * can't forge a line. Cut at about 2,000 bytes.
 * @param format a string literal: its address identifies repeated lines.
 */
void log_write(struct log *log, enum log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

struct hide;

/** Hide these values in all further lines; they are copied and added to earlier ones. @return 0;
 * -ENOMEM. */
int log_hide(struct log *log, const struct hide *hide);

struct diag;

/**
 * Write the findings about a configuration, one a line and none omitted: in the form of `cuebus
 * check` if a person reads the log, otherwise as log lines with the severity as their level.
 */
void log_findings(struct log *log, const struct diag *diag);

/** Number of lines omitted or dropped so far. */
uint64_t log_suppressed(struct log *log);

#endif
