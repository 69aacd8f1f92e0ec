/* SPDX-License-Identifier: Apache-2.0 */
#include "gpio_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *case_name;
unsigned n_failed;

bool check(bool ok, const char *format, ...)
{
	va_list ap;

	if (ok)
		return true;
	printf("not ok %s: ", case_name);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	n_failed++;
	return false;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* ---- the simulated lines ---- */

static int sim_open(const char *chip_variable, unsigned offset, const char *file, int flags)
{
	const char *folder = getenv(chip_variable);
	char path[512];

	if (!folder) {
		fprintf(stderr, "%s is not set: run by tests/gpio/guest\n", chip_variable);
		exit(2);
	}
	snprintf(path, sizeof(path), "%s/sim_gpio%u/%s", folder, offset, file);
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

void pull(unsigned offset, bool up)
{
	static const char *const text[] = { "pull-down", "pull-up" };
	int fd = sim_open("CUEBUS_SIM_A", offset, "pull", O_WRONLY);

	if (write(fd, text[up], strlen(text[up])) < 0) {
		perror("pull");
		exit(2);
	}
	close(fd);
}

bool is_pulled_up(unsigned offset)
{
	int fd = sim_open("CUEBUS_SIM_A", offset, "pull", O_RDONLY);
	char text[32] = "";

	if (read(fd, text, sizeof(text) - 1) < 0) {
		perror("pull");
		exit(2);
	}
	close(fd);
	return strncmp(text, "pull-up", 7) == 0;
}

bool output_line(unsigned offset)
{
	int fd = sim_open("CUEBUS_SIM_C", offset, "value", O_RDONLY);
	char text = '?';

	if (read(fd, &text, 1) != 1) {
		perror("value");
		exit(2);
	}
	close(fd);
	return text == '1';
}

void set_live(const char *chip, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/config/gpio-sim/%s/live", chip);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	check(fd >= 0 && write(fd, text, 1) == 1, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void settle(void)
{
	struct timespec pause = { .tv_nsec = 30000000 };

	nanosleep(&pause, NULL);
}

/* ---- the driver ---- */

static const struct driver_config base = {
	.input = "doorbell", .consumer = "cuebus:test", .chip = "cuebus-a", .n_lines = 1
};

struct driver_config line_config(const char *line)
{
	struct driver_config config = base;

	config.lines[0] = line;
	return config;
}

struct driver *open_ok(const struct driver_config *config)
{
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver *driver = NULL;
	int r = driver_find("gpio")->open(config, &driver, error);

	check(r == 0, "open: %d %s", r, error);
	return r == 0 ? driver : NULL;
}

void open_fails(const struct driver_config *config, int expected, const char *const *words)
{
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver *driver = NULL;
	int r = driver_find("gpio")->open(config, &driver, error);

	if (!check(r == expected, "open: %d instead of %d: %s", r, expected, error)) {
		if (r == 0)
			driver->ops->close(driver);
		return;
	}
	printf("   %s\n", error);
	for (; *words; words++)
		check(strstr(error, *words) != NULL, "\"%s\" is not in: %s", *words, error);
}

size_t read_edges(struct driver *driver, struct driver_edge *edges, size_t n)
{
	size_t have = 0;

	while (have < n) {
		struct pollfd fds[2];
		nfds_t n_fds = 0;
		int fd, r;

		while (n_fds < 2 && (fd = driver->ops->fd(driver, (unsigned)n_fds)) >= 0)
			fds[n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (driver->ops->next_ns(driver) == UINT64_MAX && poll(fds, n_fds, WAIT_MS) <= 0)
			break;
		r = driver->ops->read(driver, &edges[have], EDGES_MAX - have);
		if (!check(r >= 0, "read: %d", r))
			break;
		have += (size_t)r;
	}
	return have;
}
