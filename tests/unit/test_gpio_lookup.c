/* SPDX-License-Identifier: Apache-2.0 */
/* Error texts without a GPIO chip; with one, tests/gpio. */
#include "cue_criterion.h"

#include <errno.h>
#include <string.h>

#include <drivers/driver.h>
#include <drivers/output.h>

static int open_gpio(const char *chip, const char *line, char *error)
{
	struct driver_config config = { .input = "doorbell",
		                        .consumer = "test",
		                        .chip = chip,
		                        .lines = { line },
		                        .n_lines = 1 };
	struct driver *driver = NULL;
	int r = driver_find("gpio")->open(&config, &driver, error);

	cr_assert_null(driver);
	return r;
}

Test(gpio_lookup, a_path_that_is_no_chip)
{
	char error[DRIVER_ERROR_SIZE] = "";

	cr_assert_eq(open_gpio("/nonexistent/gpiochip0", "0", error), -ENODEV);
	cr_assert_not_null(
	        strstr(error, "input \"doorbell\": no GPIO chip \"/nonexistent/gpiochip0\""), "%s",
	        error);
	cr_assert_eq(open_gpio("/dev/null", "0", error), -ENODEV);
	cr_assert_not_null(strstr(error, "no GPIO chip \"/dev/null\""), "%s", error);
}

Test(gpio_lookup, the_number_of_lines_is_checked)
{
	struct driver_config config = { .input = "doorbell", .consumer = "test", .n_lines = 0 };
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver *driver = NULL;

	cr_assert_eq(driver_find("gpio")->open(&config, &driver, error), -EINVAL);
	cr_assert_str_eq(error, "input \"doorbell\": a gpio input has 1 or 2 lines, not 0");
}

Test(gpio_lookup, an_output_is_called_one)
{
	struct output_config config = {
		.output = "lamp", .consumer = "test", .chip = "/nonexistent/gpiochip0", .line = "0"
	};
	char error[DRIVER_ERROR_SIZE] = "";
	struct output_driver *driver = NULL;

	cr_assert_eq(output_driver_find("gpio")->open(&config, &driver, error), -ENODEV);
	cr_assert_null(driver);
	cr_assert_not_null(
	        strstr(error, "output \"lamp\": no GPIO chip \"/nonexistent/gpiochip0\""), "%s",
	        error);
	config.line = NULL;
	cr_assert_eq(output_driver_find("gpio")->open(&config, &driver, error), -EINVAL);
}
