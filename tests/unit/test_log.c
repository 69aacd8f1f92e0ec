/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag.h"
#include "hide.h"
#include "log.h"

struct fixture {
	struct log *log;
	int fd;
	uint64_t now_ns;
	char text[8192];
};

static uint64_t now(void *user)
{
	return ((struct fixture *)user)->now_ns;
}

static int64_t wall(void *user)
{
	(void)user;
	return 1795431835938124000LL;
}

static void setup_fd(struct fixture *f, enum log_format format, bool journal, int fd)
{
	struct log_config config = { .format = format,
		                     .journal = journal,
		                     .level = LOG_LEVEL_INFO,
		                     .monotonic_ns = now,
		                     .wall_ns = wall,
		                     .user = f };

	memset(f, 0, sizeof(*f));
	f->fd = fd;
	cr_assert_geq(f->fd, 0);
	config.fd = f->fd;
	cr_assert_eq(log_new(&config, &f->log), 0);
}

static void setup(struct fixture *f, enum log_format format, bool journal)
{
	setup_fd(f, format, journal, memfd_create("log", 0));
}

static const char *text(struct fixture *f)
{
	ssize_t n = pread(f->fd, f->text, sizeof(f->text) - 1, 0);

	cr_assert_geq(n, 0);
	f->text[n] = '\0';
	return f->text;
}

static void teardown(struct fixture *f)
{
	log_free(f->log);
	close(f->fd);
}

Test(log, writes_text)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, false);
	log_write(f.log, LOG_LEVEL_WARNING, "no %s on %d", "broker", 7);
	log_write(f.log, LOG_LEVEL_DEBUG, "not written");
	cr_assert_str_eq(text(&f), "2026-11-23T11:03:55.938124Z warning: no broker on 7\n");
	teardown(&f);
}

Test(log, writes_journal_priorities)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, true);
	log_write(f.log, LOG_LEVEL_ERROR, "a");
	log_write(f.log, LOG_LEVEL_INFO, "b");
	cr_assert_str_eq(text(&f), "<3>a\n<6>b\n");
	teardown(&f);
}

Test(log, writes_json)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_JSON, false);
	log_write(f.log, LOG_LEVEL_NOTICE, "say \"%s\"", "x");
	cr_assert_str_eq(text(&f), "{\"time\":\"2026-11-23T11:03:55.938124Z\",\"level\":\"notice\","
	                           "\"message\":\"say \\\"x\\\"\"}\n");
	teardown(&f);
}

Test(log, a_line_can_not_be_forged)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, true);
	log_write(f.log, LOG_LEVEL_INFO, "topic '%s'", "a\n<0>b\x1b[1m");
	cr_assert_str_eq(text(&f), "<6>topic 'a <0>b [1m'\n");
	teardown(&f);
}

Test(log, a_hidden_value_is_in_no_line)
{
	struct fixture f;
	struct hide *hide;

	setup(&f, LOG_FORMAT_TEXT, true);
	cr_assert_eq(hide_new(&hide), 0);
	cr_assert_eq(hide_add(hide, "WHO", "some\nbody"), 0);
	cr_assert_eq(log_hide(f.log, hide), 0);
	hide_free(hide);
	log_write(f.log, LOG_LEVEL_INFO, "connected as '%s'", "some\nbody");
	cr_assert_str_eq(text(&f), "<6>connected as '${WHO}'\n");
	teardown(&f);
}

Test(log, a_long_line_is_cut)
{
	static char large[5000];
	struct fixture f;

	memset(large, 'x', sizeof(large) - 1);
	setup(&f, LOG_FORMAT_TEXT, true);
	log_write(f.log, LOG_LEVEL_INFO, "%s", large);
	cr_assert_lt(strlen(text(&f)), 2100);
	cr_assert_eq(f.text[strlen(f.text) - 1], '\n');
	teardown(&f);
}

static unsigned count_lines(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

Test(log, repeated_lines_are_limited_and_counted)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, true);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 100; i++)
			log_write(f.log, LOG_LEVEL_WARNING, "again %d", i);
		f.now_ns += LOG_WINDOW_NS;
	}
	log_write(f.log, LOG_LEVEL_WARNING, "another");
	cr_assert_eq(count_lines(text(&f)), 2 * LOG_BURST + 1);
	cr_assert_not_null(strstr(f.text, "<4>again 0 (95 more like this were left out)\n"));
	cr_assert_eq(log_suppressed(f.log), 190);
	teardown(&f);
}

Test(log, one_line_left_out_is_one)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, true);
	for (unsigned i = 0; i < LOG_BURST + 1; i++)
		log_write(f.log, LOG_LEVEL_WARNING, "again");
	f.now_ns += LOG_WINDOW_NS;
	log_write(f.log, LOG_LEVEL_WARNING, "again");
	cr_assert_not_null(strstr(text(&f), "again (1 more like this was left out)\n"));
	teardown(&f);
}

Test(log, nobody_is_waited_for)
{
	struct fixture f;
	char bytes[16384], *news;
	ssize_t n;
	int pipe_fds[2], lines = 0;

	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	cr_assert_geq(fcntl(pipe_fds[1], F_SETPIPE_SZ, 8192), 8192);
	setup_fd(&f, LOG_FORMAT_TEXT, false, dup(pipe_fds[1]));
	/* Each second another window, so that none is left out as repeated. */
	for (; lines < 200; lines++, f.now_ns += LOG_WINDOW_NS)
		log_write(f.log, LOG_LEVEL_NOTICE, "%0*d", 100, lines);
	cr_assert_gt(log_suppressed(f.log), 100);
	n = read(pipe_fds[0], bytes, sizeof(bytes) - 1);
	cr_assert_gt(n, 0);
	cr_assert_eq(bytes[n - 1], '\n', "whole lines only");
	log_write(f.log, LOG_LEVEL_NOTICE, "read again");
	n = read(pipe_fds[0], bytes, sizeof(bytes) - 1);
	cr_assert_gt(n, 0);
	bytes[n] = '\0';
	news = strstr(bytes, " lines of this log were dropped: it was not read fast enough\n");
	cr_assert_not_null(news);
	cr_assert_not_null(strstr(news, "read again\n"));
	teardown(&f);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* A terminal that was stopped or is not read. */
Test(log, a_terminal_is_not_waited_for_either)
{
	struct fixture f;
	char bytes[65536];
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), fd;
	ssize_t n;

	cr_assert_geq(terminal, 0);
	cr_assert_eq(grantpt(terminal), 0);
	cr_assert_eq(unlockpt(terminal), 0);
	fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	setup_fd(&f, LOG_FORMAT_TEXT, false, fd);
	for (int lines = 0; lines < 1000; lines++, f.now_ns += LOG_WINDOW_NS)
		log_write(f.log, LOG_LEVEL_NOTICE, "%0*d", 1000, lines);
	cr_assert_gt(log_suppressed(f.log), 10);
	cr_assert_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0, "others have it too");
	n = read(terminal, bytes, sizeof(bytes));
	cr_assert_gt(n, 1000);
	teardown(&f);
	close(terminal);
}

Test(log, knows_the_journal_by_its_device_and_inode)
{
	char value[64];
	struct stat st;
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, false);
	unsetenv("JOURNAL_STREAM");
	cr_assert_not(log_is_journal(f.fd));
	cr_assert_eq(fstat(f.fd, &st), 0);
	snprintf(value, sizeof(value), "%llu:%llu", (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", value, 1);
	cr_assert(log_is_journal(f.fd));
	cr_assert_not(log_is_journal(STDIN_FILENO));
	setenv("JOURNAL_STREAM", "nonsense", 1);
	cr_assert_not(log_is_journal(f.fd));
	unsetenv("JOURNAL_STREAM");
	teardown(&f);
}

Test(log, format_names)
{
	enum log_format format = LOG_FORMAT_TEXT;

	cr_assert_eq(log_format_parse("json", &format), 0);
	cr_assert_eq(format, LOG_FORMAT_JSON);
	cr_assert_eq(log_format_parse("text", &format), 0);
	cr_assert_eq(format, LOG_FORMAT_TEXT);
	cr_assert_lt(log_format_parse("xml", &format), 0);
}

/** Two findings, of which more than LOG_BURST may come: none may be left out. */
static void write_findings(struct fixture *f)
{
	struct diag diag = { 0 };

	diag_add(&diag, DIAG_ERROR, (struct diag_place){ "a.json", 3, 7, "/x" }, "bad-unit",
	         "a \"b\"");
	diag_add(&diag, DIAG_WARNING, (struct diag_place){ "a.json", 4, 1, "/y" }, "short", "c d");
	log_findings(f->log, &diag);
	diag_clear(&diag);
}

Test(log, findings_are_for_people_in_text)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, false);
	write_findings(&f);
	cr_assert_str_eq(text(&f), "a.json:3:7: error: a \"b\" [bad-unit]\n"
	                           "a.json:4:1: warning: c d [short]\n");
	teardown(&f);
}

Test(log, findings_have_priorities_in_the_journal)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_TEXT, true);
	write_findings(&f);
	cr_assert_str_eq(text(&f), "<3>a.json:3:7: a \"b\" [bad-unit]\n"
	                           "<4>a.json:4:1: c d [short]\n");
	teardown(&f);
}

Test(log, findings_are_objects_in_json)
{
	struct fixture f;

	setup(&f, LOG_FORMAT_JSON, false);
	write_findings(&f);
	cr_assert_str_eq(text(&f),
	                 "{\"time\":\"2026-11-23T11:03:55.938124Z\",\"level\":\"error\","
	                 "\"message\":\"a.json:3:7: a \\\"b\\\" [bad-unit]\"}\n"
	                 "{\"time\":\"2026-11-23T11:03:55.938124Z\",\"level\":\"warning\","
	                 "\"message\":\"a.json:4:1: c d [short]\"}\n");
	teardown(&f);
}

Test(log, no_finding_is_left_out)
{
	struct fixture f;
	unsigned lines = 0;

	setup(&f, LOG_FORMAT_TEXT, true);
	for (unsigned i = 0; i < LOG_BURST; i++)
		write_findings(&f);
	for (const char *p = text(&f); *p; p++)
		lines += *p == '\n';
	cr_assert_eq(lines, 2 * LOG_BURST);
	teardown(&f);
}
