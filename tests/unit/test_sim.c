/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <string.h>

#include <drivers/driver.h>

static struct driver *open_sim(size_t n_lines)
{
	struct driver_config config = {
		.input = "pad", .consumer = "test", .n_lines = n_lines, .lines = { "0", "1" }
	};
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver *driver = NULL;

	cr_assert_eq(driver_find("sim")->open(&config, &driver, error), 0, "%s", error);
	return driver;
}

Test(sim, gives_what_was_set_in_that_order)
{
	struct driver *driver = open_sim(2);
	struct driver_edge edges[4];
	bool level = true;

	cr_assert_eq(driver->ops->fd(driver, 0), -1);
	cr_assert_eq(driver->ops->next_ns(driver), UINT64_MAX);
	cr_assert_eq(driver->ops->read(driver, edges, 4), 0);
	cr_assert_eq(driver->ops->get(driver, 1, &level), 0);
	cr_assert_not(level);
	cr_assert_eq(driver_sim_set(driver, 0, true, 10), 0);
	cr_assert_eq(driver_sim_set(driver, 1, true, 20), 0);
	cr_assert_eq(driver_sim_set(driver, 0, false, 30), 0);
	cr_assert_eq(driver->ops->next_ns(driver), 10);
	cr_assert_eq(driver->ops->read(driver, edges, 2), 2);
	cr_assert_eq(edges[0].time_ns, 10);
	cr_assert_eq(edges[0].line, 0);
	cr_assert(edges[0].level);
	cr_assert_not(edges[0].gap);
	cr_assert_eq(edges[1].line, 1);
	cr_assert_eq(driver->ops->read(driver, edges, 4), 1);
	cr_assert_eq(edges[0].time_ns, 30);
	cr_assert_not(edges[0].level);
	cr_assert_eq(driver->ops->get(driver, 1, &level), 0);
	cr_assert(level);
	driver->ops->close(driver);
}

Test(sim, refuses_what_there_is_not)
{
	struct driver_config config = { .input = "pad", .n_lines = 3 };
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver *driver = NULL;
	bool level;

	cr_assert_eq(driver_find("sim")->open(&config, &driver, error), -EINVAL);
	cr_assert_str_eq(error, "input \"pad\": a sim input has 1 or 2 lines, not 3");
	driver = open_sim(1);
	cr_assert_eq(driver_sim_set(driver, 1, true, 0), -EINVAL);
	cr_assert_eq(driver->ops->get(driver, 1, &level), -EINVAL);
	driver->ops->close(driver);
}

Test(sim, edges_that_wait_are_limited)
{
	struct driver *driver = open_sim(1);
	struct driver_edge edges[1024];

	for (unsigned i = 0; i < 1024; i++)
		cr_assert_eq(driver_sim_set(driver, 0, i % 2, i), 0);
	cr_assert_eq(driver_sim_set(driver, 0, true, 1024), -ENOBUFS);
	cr_assert_eq(driver->ops->read(driver, edges, 1000), 1000);
	cr_assert_eq(driver_sim_set(driver, 0, true, 1024), 0);
	cr_assert_eq(driver->ops->read(driver, edges, 1024), 25);
	cr_assert_eq(edges[24].time_ns, 1024);
	driver->ops->close(driver);
}
