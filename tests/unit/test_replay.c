/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <drivers/driver.h>

struct fixture {
	char path[64];
	uint64_t now_ns;
	char error[DRIVER_ERROR_SIZE];
};

static uint64_t clock_ns(void *user)
{
	return ((struct fixture *)user)->now_ns;
}

static void write_trace(struct fixture *f, const char *text)
{
	int fd;

	strcpy(f->path, "/tmp/cuebus-replay-XXXXXX");
	fd = mkstemp(f->path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int open_replay(struct fixture *f, size_t n_lines, struct driver **ret_driver)
{
	struct driver_config config = { .input = "dial",
		                        .n_lines = n_lines,
		                        .file = f->path,
		                        .now_ns = 1000,
		                        .clock_ns = clock_ns,
		                        .clock_user = f };

	return driver_find("replay")->open(&config, ret_driver, f->error);
}

Test(replay, edges_come_when_their_time_has_come)
{
	struct fixture f = { .now_ns = 1000 };
	struct driver_edge edges[8];
	struct driver *driver = NULL;
	bool level = true;

	write_trace(&f, "0 button.press\n"
	                "0.000000005 input.set {\"input\":\"dial\",\"value\":1}\n"
	                "0.000000006 input.set {\"input\":\"other\",\"value\":1}\n"
	                "0.000000007 input.set {\"input\":\"dial\",\"value\":1,\"line\":1}\n"
	                "0.000000007 input.set {\"input\":\"dial\",\"value\":0}\n");
	cr_assert_eq(open_replay(&f, 2, &driver), 0, "%s", f.error);
	unlink(f.path);
	cr_assert_eq(driver->ops->fd(driver, 0), -1);
	cr_assert_eq(driver->ops->next_ns(driver), 1005);
	cr_assert_eq(driver->ops->read(driver, edges, 8), 0);
	f.now_ns = 1006;
	cr_assert_eq(driver->ops->read(driver, edges, 8), 1);
	cr_assert_eq(edges[0].time_ns, 1005);
	cr_assert(edges[0].level);
	cr_assert_eq(driver->ops->get(driver, 0, &level), 0);
	cr_assert(level);
	cr_assert_eq(driver->ops->next_ns(driver), 1007);
	f.now_ns = 5000;
	cr_assert_eq(driver->ops->read(driver, edges, 1), 1);
	cr_assert_eq(edges[0].line, 1);
	cr_assert_eq(driver->ops->read(driver, edges, 8), 1);
	cr_assert_eq(edges[0].time_ns, 1007);
	cr_assert_not(edges[0].level);
	cr_assert_eq(driver->ops->next_ns(driver), UINT64_MAX);
	cr_assert_eq(driver->ops->read(driver, edges, 8), 0);
	driver->ops->close(driver);
}

Test(replay, says_what_is_wrong_with_the_file)
{
	static const struct {
		const char *trace;
		const char *says; /* after the path */
	} cases[] = {
		{ "0 input.set {}\n",
		  ":1:13: input.set takes {\"input\":name,\"value\":0|1,\"line\":0|1 (optional)}" },
		{ "0 button.press\n",
		  " has no entry for it, such as: 1.5 input.set {\"input\":\"dial\",\"value\":1}" },
		{ "0 a\n1 input.set {\"input\":\"dial\",\"value\":1,\"line\":1}",
		  ":2: line 1, but the input has lines 0 to 0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct driver *driver = NULL;
		struct fixture f = { 0 };
		const char *tail;

		write_trace(&f, cases[i].trace);
		cr_assert_eq(open_replay(&f, 1, &driver), -EINVAL);
		cr_assert_null(driver);
		unlink(f.path);
		tail = strstr(f.error, f.path);
		cr_assert_not_null(tail, "%s", f.error);
		cr_assert_str_eq(tail + strlen(f.path), cases[i].says, "%s", f.error);
		cr_assert_eq(strncmp(f.error, "input \"dial\": ", 14), 0);
	}
}

Test(replay, a_file_that_is_missing)
{
	struct fixture f = { .path = "/nonexistent/trace" };
	struct driver *driver = NULL;

	cr_assert_eq(open_replay(&f, 1, &driver), -ENOENT);
	cr_assert_str_eq(f.error, "input \"dial\": trace file /nonexistent/trace: can't be read: "
	                          "No such file or directory");
	cr_assert_eq(open_replay(&f, 3, &driver), -EINVAL);
	cr_assert_str_eq(f.error, "input \"dial\": a replay input has 1 or 2 lines, not 3");
}
