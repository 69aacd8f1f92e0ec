/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that can't be opened, and chips that disappear. */
#include "gpio_test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void test_busy(void)
{
	static const char *const hog[] = { "input \"doorbell\"",   "line 6 \"HELD\"",
		                           "gpiochip0 [cuebus-a]", "held by \"kernel-hog\"",
		                           "stop that program",    NULL };
	static const char *const other[] = { "line 7 of", "gpiochip0 [cuebus-a]",
		                             "held by \"cuebus:test/other\"", NULL };
	struct driver_config config = line_config("HELD"), first = line_config("7");
	struct driver *driver;

	open_fails(&config, -EBUSY, hog);
	first.input = "other";
	driver = open_ok(&first);
	if (!driver)
		return;
	config = line_config("7");
	open_fails(&config, -EBUSY, other);
	driver->ops->close(driver);
	driver = open_ok(&config); /* free again */
	if (driver)
		driver->ops->close(driver);
}

/** When the second line fails, the first one is released. */
void test_half_an_input_is_let_go(void)
{
	static const char *const words[] = { "line 6 \"HELD\"", NULL };
	struct driver_config config = line_config("DIAL_A");
	struct driver *driver;

	config.lines[1] = "HELD";
	config.n_lines = 2;
	open_fails(&config, -EBUSY, words);
	config = line_config("DIAL_A");
	driver = open_ok(&config);
	if (driver)
		driver->ops->close(driver);
}

void test_missing(void)
{
	static const char *const no_chip[] = { "no GPIO chip \"pinctrl-bcm2711\"",
		                               "gpiochip0 [cuebus-a], gpiochip1 [cuebus-b]",
		                               "gpiodetect", NULL };
	static const char *const no_line[] = { "gpiochip0 [cuebus-a] has no line \"GPIO17\"",
		                               "offset from 0 to 7", "gpioinfo", NULL };
	static const char *const no_offset[] = { "has no line \"8\"", NULL };
	static const char *const nowhere[] = { "gpiochip0 [cuebus-a], gpiochip1 [cuebus-b]",
		                               "a line named \"GPIO17\"", NULL };
	static const char *const offset_alone[] = { "a line named \"3\"", "needs \"chip\"", NULL };
	struct driver_config config = line_config("GPIO17");

	open_fails(&config, -ENOENT, no_line);
	config.chip = NULL;
	open_fails(&config, -ENOENT, nowhere);
	config.lines[0] = "3";
	open_fails(&config, -ENOENT, offset_alone);
	config.chip = "pinctrl-bcm2711";
	open_fails(&config, -ENODEV, no_chip);
	config = line_config("8");
	open_fails(&config, -ENOENT, no_offset);
}

/** As a user without rights on /dev/gpiochip*; in a child, since there is no way back. */
void test_forbidden(void)
{
	static const char *const words[] = { "no permission to open /dev/gpiochip0",
		                             "group is root", "to the group gpio", NULL };
	struct driver_config config = line_config("DOORBELL");
	pid_t child;
	int status = 0;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		unsigned before = n_failed;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		open_fails(&config, -EACCES, words);
		config.chip = NULL;
		open_fails(&config, -EACCES, words);
		config.chip = "/dev/gpiochip0";
		open_fails(&config, -EACCES, words);
		config.chip = "gpiochip0";
		open_fails(&config, -EACCES, words);
		fflush(stdout);
		_exit(n_failed > before);
	}
	check(child > 0 && waitpid(child, &status, 0) == child && status == 0,
	      "as nobody: status %d", status);
}

/** A group's member may, without being root. */
void test_allowed_by_group(void)
{
	struct driver_config config = line_config("DOORBELL");
	pid_t child;
	int status = 0;

	check(chown("/dev/gpiochip0", 0, 65534) == 0 && chmod("/dev/gpiochip0", 0660) == 0,
	      "chown");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		struct driver *driver;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		driver = open_ok(&config);
		if (driver)
			driver->ops->close(driver);
		fflush(stdout);
		_exit(driver ? 0 : 1);
	}
	check(child > 0 && waitpid(child, &status, 0) == child && status == 0,
	      "by group: status %d", status);
	check(chown("/dev/gpiochip0", 0, 0) == 0, "chown back");
}

/** An adapter is pulled out and put in again: read() fails, and open() works later. */
void test_chip_that_goes_and_comes_back(void)
{
	struct driver_config config = line_config("OTHER");
	struct driver_edge edges[EDGES_MAX];
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver *driver;
	struct pollfd pfd;
	int r;

	config.chip = "cuebus-b";
	driver = open_ok(&config);
	if (!driver)
		return;
	set_live("cuebus-b", "0");
	pfd = (struct pollfd){ .fd = driver->ops->fd(driver, 0), .events = POLLIN };
	check(poll(&pfd, 1, WAIT_MS) == 1, "the descriptor must wake the loop");
	r = driver->ops->read(driver, edges, EDGES_MAX);
	check(r == -ENODEV, "read: %d", r);
	driver->ops->close(driver);
	driver = NULL;
	r = driver_find("gpio")->open(&config, &driver, error);
	check(r == -ENODEV && !driver, "open: %d", r);
	set_live("cuebus-b", "1");
	driver = open_ok(&config);
	if (driver)
		driver->ops->close(driver);
}
