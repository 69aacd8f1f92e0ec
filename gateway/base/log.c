/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <cuebus/json_writer.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "diag.h"
#include "hide.h"

#define SITES     64U
#define LINE_SIZE 2048U

/** Number of lines of one format string in its window. */
struct site {
	const char *format;
	enum log_level level;
	uint64_t window_ns; /* its begin */
	unsigned written;
	uint64_t suppressed;
};

struct log {
	struct log_config config;
	pthread_mutex_t mutex;
	struct site sites[SITES]; /* guarded by mutex */
	uint64_t suppressed;      /* guarded by mutex */
	uint64_t dropped;         /* guarded by mutex; since a line was last written */
	bool torn;                /* guarded by mutex; the last line is incomplete */
	struct hide *hide;        /* guarded by mutex */
	/* the terminal opened again; -1: not a terminal, or not possible */
	int terminal;
	/* number of bytes that can be written without waiting after poll() */
	size_t piece;
};

/**
 * poll() reports room in a pipe if PIPE_BUF bytes fit, but room in a terminal if one byte fits. So
 * a terminal is opened again with its own O_NONBLOCK: set on the original descriptor the flag would
 * affect every user of the terminal.
 */
static void open_terminal(struct log *log)
{
	char path[32];

	log->terminal = -1;
	log->piece = PIPE_BUF;
	if (!isatty(log->config.fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", log->config.fd);
	log->terminal = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (log->terminal >= 0)
		log->config.fd = log->terminal;
	else
		log->piece = 1; /* it is another user's */
}

static uint64_t system_monotonic(void *user)
{
	(void)user;
	return clock_monotonic_ns();
}

static int64_t system_wall(void *user)
{
	(void)user;
	return clock_wall_ns();
}

int log_new(const struct log_config *config, struct log **ret_log)
{
	struct log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->config = *config;
	if (!log->config.monotonic_ns)
		log->config.monotonic_ns = system_monotonic;
	if (!log->config.wall_ns)
		log->config.wall_ns = system_wall;
	open_terminal(log);
	pthread_mutex_init(&log->mutex, NULL);
	*ret_log = log;
	return 0;
}

struct log *log_free(struct log *log)
{
	if (!log)
		return NULL;
	if (log->terminal >= 0)
		close(log->terminal);
	hide_free(log->hide);
	pthread_mutex_destroy(&log->mutex);
	free(log);
	return NULL;
}

bool log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char *end;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	device = strtoull(stream, &end, 10);
	if (end == stream || *end != ':')
		return false;
	inode = strtoull(end + 1, &end, 10);
	return *end == '\0' && st.st_dev == device && st.st_ino == inode;
}

int log_format_parse(const char *name, enum log_format *ret_format)
{
	if (strcmp(name, "text") == 0)
		*ret_format = LOG_FORMAT_TEXT;
	else if (strcmp(name, "json") == 0)
		*ret_format = LOG_FORMAT_JSON;
	else
		return -EINVAL;
	return 0;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "info";
}

/** The format's entry in the table: its own, a free one, or that of the oldest window. */
static struct site *find_site(struct log *log, enum log_level level, const char *format)
{
	struct site *oldest = &log->sites[0];

	for (size_t i = 0; i < SITES; i++) {
		struct site *site = &log->sites[i];

		if (site->format == format && site->level == level)
			return site;
		if (site->window_ns < oldest->window_ns)
			oldest = site;
	}
	*oldest = (struct site){ .format = format, .level = level };
	return oldest;
}

/** Whether to write the line. @param ret_left_out number of such lines omitted in the last
 * window. */
static bool admit(struct log *log, enum log_level level, const char *format, uint64_t *ret_left_out)
{
	uint64_t now_ns = log->config.monotonic_ns(log->config.user);
	struct site *site;
	bool write_it;

	*ret_left_out = 0;
	pthread_mutex_lock(&log->mutex);
	site = find_site(log, level, format);
	if (site->written == 0 || now_ns - site->window_ns >= LOG_WINDOW_NS) {
		*ret_left_out = site->suppressed;
		site->window_ns = now_ns;
		site->written = 0;
		site->suppressed = 0;
	}
	write_it = site->written < LOG_BURST;
	if (write_it) {
		site->written++;
	} else {
		site->suppressed++;
		log->suppressed++;
	}
	pthread_mutex_unlock(&log->mutex);
	return write_it;
}

static void clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
}

/** Write without waiting for a reader. @return number of bytes written. */
static size_t write_what_fits(const struct log *log, const char *bytes, size_t len)
{
	int fd = log->config.fd;
	size_t done = 0;

	while (done < len) {
		struct pollfd out = { .fd = fd, .events = POLLOUT };
		size_t piece = len - done < log->piece ? len - done : log->piece;
		ssize_t n;

		if (poll(&out, 1, 0) <= 0)
			break;
		n = write(fd, bytes + done, piece);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/** Write a line. Mutex held. If only a part fits, the rest and the following lines are dropped. */
static bool put_locked(struct log *log, const char *line, size_t len)
{
	size_t n;

	if (log->torn && write_what_fits(log, "\n", 1) != 1)
		return false;
	log->torn = false;
	n = write_what_fits(log, line, len);
	log->torn = n > 0 && n < len;
	return n == len;
}

static char *format_line(const struct log *log, enum log_level level, const char *text)
{
	char timestamp[CUE_TIMESTAMP_SIZE], prefix[8] = "";
	struct cue_writer w = { 0 };
	char *json = NULL, *line = NULL;
	int r = -1;

	cue_format_timestamp(log->config.wall_ns(log->config.user), timestamp);
	if (log->config.journal)
		snprintf(prefix, sizeof(prefix), "<%d>", (int)level);
	if (log->config.format == LOG_FORMAT_JSON) {
		cue_writer_object_begin(&w);
		cue_writer_key(&w, "time");
		cue_writer_string(&w, timestamp);
		cue_writer_key(&w, "level");
		cue_writer_string(&w, level_name(level));
		cue_writer_key(&w, "message");
		cue_writer_string(&w, text);
		cue_writer_object_end(&w);
		if (cue_writer_finish(&w, &json, NULL) >= 0)
			r = asprintf(&line, "%s%s\n", prefix, json);
		free(json);
	} else if (log->config.journal) {
		r = asprintf(&line, "%s%s\n", prefix, text);
	} else {
		r = asprintf(&line, "%s %s: %s\n", timestamp, level_name(level), text);
	}
	return r < 0 ? NULL : line;
}

/** Write a line without waiting for the reader: without room it is dropped, and reported when there
 * is room. */
static void put_line(struct log *log, const char *line)
{
	char *news = NULL;
	char text[128];

	pthread_mutex_lock(&log->mutex);
	if (log->dropped > 0) {
		snprintf(text, sizeof(text),
		         "%llu lines of this log were dropped: it was not read fast enough",
		         (unsigned long long)log->dropped);
		news = format_line(log, LOG_LEVEL_WARNING, text);
	}
	if (news && put_locked(log, news, strlen(news)))
		log->dropped = 0;
	if (!line || log->dropped > 0 || !put_locked(log, line, strlen(line))) {
		log->dropped++;
		log->suppressed++;
	}
	pthread_mutex_unlock(&log->mutex);
	free(news);
}

static void write_line(struct log *log, enum log_level level, const char *text)
{
	char *line = format_line(log, level, text);

	put_line(log, line);
	free(line);
}

int log_hide(struct log *log, const struct hide *hide)
{
	int r;

	pthread_mutex_lock(&log->mutex);
	r = log->hide ? 0 : hide_new(&log->hide);
	if (r == 0)
		r = hide_add_all(log->hide, hide);
	pthread_mutex_unlock(&log->mutex);
	return r;
}

/** Write the line without hidden values; a value with control characters is also found after their
 * replacement. */
static void write_hidden(struct log *log, enum log_level level, const char *text)
{
	char *safe = NULL;
	int r;

	pthread_mutex_lock(&log->mutex);
	r = hide_text(log->hide, text, &safe);
	pthread_mutex_unlock(&log->mutex);
	write_line(log, level, r < 0 ? "out of memory: a line was dropped" : safe);
	free(safe);
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
	char text[LINE_SIZE];
	uint64_t left_out;
	size_t len;
	va_list args;

	if (level > log->config.level || !admit(log, level, format, &left_out))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text) - 64, format, args);
	va_end(args);
	len = strlen(text);
	if (left_out)
		snprintf(text + len, sizeof(text) - len, " (%llu more like this %s left out)",
		         (unsigned long long)left_out, left_out == 1 ? "was" : "were");
	clean(text);
	write_hidden(log, level, text);
}

void log_findings(struct log *log, const struct diag *diag)
{
	char text[LINE_SIZE];

	for (size_t i = 0; i < diag->n; i++) {
		const struct diag_finding *f = &diag->findings[i];
		bool error = f->severity == DIAG_ERROR;

		if (log->config.format == LOG_FORMAT_TEXT && !log->config.journal) {
			char *line;

			if (asprintf(&line, "%s:%u:%u: %s: %s [%s]\n", f->file, f->line, f->column,
			             error ? "error" : "warning", f->message, f->rule) < 0)
				line = NULL;
			put_line(log, line);
			free(line);
			continue;
		}
		snprintf(text, sizeof(text), "%s:%u:%u: %s [%s]", f->file, f->line, f->column,
		         f->message, f->rule);
		clean(text);
		write_line(log, error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, text);
	}
}

uint64_t log_suppressed(struct log *log)
{
	uint64_t n;

	pthread_mutex_lock(&log->mutex);
	n = log->suppressed;
	pthread_mutex_unlock(&log->mutex);
	return n;
}
