/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <drivers/output.h>

Test(output_sim, remembers_its_level)
{
	struct output_config config = { .output = "lamp", .consumer = "test", .initial = true };
	const struct output_ops *ops = output_driver_find("sim");
	struct output_driver *driver = NULL;
	char error[DRIVER_ERROR_SIZE];
	bool level = false;

	cr_assert_eq(ops->open(&config, &driver, error), 0);
	cr_assert_eq(driver->ops, ops);
	cr_assert(ops->get(driver, &level) == 0 && level);
	cr_assert_eq(ops->set(driver, false), 0);
	cr_assert(ops->get(driver, &level) == 0 && !level);
	cr_assert_eq(ops->check_ns, 0, "it can't go: nothing is to be woken up for");
	ops->close(driver);
}
