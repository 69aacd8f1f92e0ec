/* SPDX-License-Identifier: Apache-2.0 */
/* Output lines, on chip cuebus-c: their levels are read from the simulator. */
#include "gpio_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <drivers/output.h>

static struct output_config lamp(const char *line)
{
	return (struct output_config){
		.output = "lamp", .consumer = "cuebus:test", .chip = "cuebus-c", .line = line
	};
}

static struct output_driver *output_ok(const struct output_config *config)
{
	char error[DRIVER_ERROR_SIZE] = "";
	struct output_driver *driver = NULL;
	int r = output_driver_find("gpio")->open(config, &driver, error);

	check(r == 0, "open: %d %s", r, error);
	return r == 0 ? driver : NULL;
}

static void output_fails(const struct output_config *config, int expected, const char *const *words)
{
	char error[DRIVER_ERROR_SIZE] = "";
	struct output_driver *driver = NULL;
	int r = output_driver_find("gpio")->open(config, &driver, error);

	if (!check(r == expected && !driver, "open: %d instead of %d: %s", r, expected, error)) {
		if (driver)
			driver->ops->close(driver);
		return;
	}
	printf("   %s\n", error);
	for (; *words; words++)
		check(strstr(error, *words) != NULL, "\"%s\" is not in: %s", *words, error);
}

/** Set the output, then compare the line and the driver's level. */
static void set_and_see(struct output_driver *driver, bool level, bool line)
{
	bool told = !level;
	int r = driver->ops->set(driver, level);

	check(r == 0, "set %d: %d", level, r);
	check(output_line(0) == line, "the line is %d", output_line(0));
	check(driver->ops->get(driver, &told) == 0 && told == level, "get: %d", told);
}

void test_output_drives_its_line(void)
{
	static const char *const lines[] = { "LAMP", "0" };

	for (unsigned i = 0; i < 2; i++) {
		struct output_config config = lamp(lines[i]);
		struct output_driver *driver;

		config.initial = i == 0;
		driver = output_ok(&config);
		if (!driver)
			continue;
		check(output_line(0) == (i == 0), "the initial level");
		set_and_see(driver, true, true);
		set_and_see(driver, true, true);
		set_and_see(driver, false, false);
		set_and_see(driver, true, true);
		driver->ops->close(driver);
	}
}

void test_output_active_low(void)
{
	struct output_config config = lamp("LAMP");
	struct output_driver *driver;

	config.active_low = true;
	driver = output_ok(&config);
	if (!driver)
		return;
	check(output_line(0), "off is high from the start");
	set_and_see(driver, true, false);
	set_and_see(driver, false, true);
	driver->ops->close(driver);
	config.initial = true;
	driver = output_ok(&config);
	if (!driver)
		return;
	check(!output_line(0), "on is low from the start");
	driver->ops->close(driver);
}

void test_output_that_can_not_be_had(void)
{
	static const char *const hog[] = { "output \"lamp\"", "line 6 \"HELD\"",
		                           "held by \"kernel-hog\"", NULL };
	static const char *const other[] = { "output \"lamp\"", "held by \"cuebus:test/lamp\"",
		                             NULL };
	static const char *const input[] = { "output \"lamp\"", "held by \"cuebus:test/doorbell\"",
		                             NULL };
	static const char *const no_line[] = { "output \"lamp\"", "[cuebus-c] has no line \"9\"",
		                               NULL };
	static const char *const no_chip[] = { "output \"lamp\"", "no GPIO chip \"cuebus-d\"",
		                               NULL };
	struct driver_config doorbell = line_config("DOORBELL");
	struct output_config config = lamp("HELD"), wrong = lamp("9");
	struct driver *held;
	struct output_driver *driver;

	config.chip = "cuebus-a";
	output_fails(&config, -EBUSY, hog);
	output_fails(&wrong, -ENOENT, no_line);
	wrong.chip = "cuebus-d";
	output_fails(&wrong, -ENODEV, no_chip);
	held = open_ok(&doorbell);
	config.line = "DOORBELL";
	output_fails(&config, -EBUSY, input);
	if (held)
		held->ops->close(held);
	config = lamp("LAMP");
	driver = output_ok(&config);
	if (!driver)
		return;
	output_fails(&config, -EBUSY, other);
	driver->ops->close(driver);
	driver = output_ok(&config); /* free again */
	if (driver)
		driver->ops->close(driver);
}

void test_output_whose_chip_goes_and_comes_back(void)
{
	struct output_config config = lamp("2");
	char error[DRIVER_ERROR_SIZE] = "";
	struct output_driver *driver, *again = NULL;
	bool level;
	int r;

	config.chip = "cuebus-b";
	driver = output_ok(&config);
	if (!driver)
		return;
	set_live("cuebus-b", "0");
	r = driver->ops->get(driver, &level);
	check(r == -ENODEV, "get: %d", r);
	r = driver->ops->set(driver, true);
	check(r == -ENODEV, "set: %d", r);
	driver->ops->close(driver);
	r = output_driver_find("gpio")->open(&config, &again, error);
	check(r == -ENODEV && !again, "open: %d", r);
	set_live("cuebus-b", "1");
	driver = output_ok(&config);
	if (driver)
		driver->ops->close(driver);
}
