/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <string.h>

#include <drivers/driver.h>
#include <drivers/output.h>

Test(registry, finds_each_driver_by_its_name)
{
	static const char *const names[] = { "gpio", "sim", "replay" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct driver_ops *ops = driver_find(names[i]);

		cr_assert_not_null(ops);
		cr_assert_str_eq(ops->name, names[i]);
		cr_assert(ops->open && ops->fd && ops->read && ops->get && ops->next_ns &&
		          ops->close);
	}
	cr_assert_null(driver_find("evdev2"));
	cr_assert_null(driver_find(""));
	cr_assert_null(driver_find("GPIO"));
}

Test(registry, finds_each_output_driver_by_its_name)
{
	static const char *const names[] = { "gpio", "sim" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct output_ops *ops = output_driver_find(names[i]);

		cr_assert_not_null(ops);
		cr_assert_str_eq(ops->name, names[i]);
		cr_assert(ops->open && ops->set && ops->get && ops->close);
	}
	cr_assert_null(output_driver_find("replay"));
	cr_assert_null(output_driver_find(""));
}

Test(registry, the_libgpiod_that_was_built_in_is_told)
{
	cr_assert_eq(strncmp(driver_gpio_version(), "libgpiod ", 9), 0);
}
