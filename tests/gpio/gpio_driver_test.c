/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real gpio driver on a real kernel's gpio-sim; run in the guest by
 * tests/gpio/guest, which makes the chips. One line a case: "ok name" or
 * "not ok name: what". Exit status 0 when all passed.
 */
#include "gpio_test.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static void test_press_and_release(void)
{
	struct driver_config config = line_config("DOORBELL");
	struct driver_edge edges[EDGES_MAX];
	struct driver *driver = open_ok(&config);
	uint64_t before_ns, between_ns, after_ns;
	bool level = true;

	if (!driver)
		return;
	check(driver->ops->fd(driver, 0) >= 0 && driver->ops->fd(driver, 1) == -1,
	      "one descriptor");
	check(driver->ops->get(driver, 0, &level) == 0 && !level, "the level at first");
	check(driver->ops->read(driver, edges, EDGES_MAX) == 0,
	      "read without an edge must not block");
	before_ns = now_ns();
	pull(0, true);
	settle();
	between_ns = now_ns();
	pull(0, false);
	settle();
	after_ns = now_ns();
	if (check(read_edges(driver, edges, 2) == 2, "two edges")) {
		check(edges[0].level && !edges[1].level, "press, then release");
		check(!edges[0].gap && !edges[1].gap, "no gap");
		check(edges[0].time_ns >= before_ns && edges[0].time_ns <= between_ns &&
		              edges[1].time_ns >= between_ns && edges[1].time_ns <= after_ns,
		      "CLOCK_MONOTONIC of the edge, not of reading");
	}
	check(driver->ops->get(driver, 0, &level) == 0 && !level, "the level at last");
	check(driver->ops->get(driver, 1, &level) == -EINVAL, "a line there is not");
	driver->ops->close(driver);
}

static void test_active_low_is_logical(void)
{
	struct driver_config config = line_config("DOORBELL");
	struct driver_edge edges[EDGES_MAX];
	struct driver *driver;
	bool level = false;

	config.active_low = true;
	driver = open_ok(&config);
	if (!driver)
		return;
	check(driver->ops->get(driver, 0, &level) == 0 && level, "low is active");
	pull(0, true);
	settle();
	check(driver->ops->get(driver, 0, &level) == 0 && !level, "high is inactive");
	pull(0, false);
	if (check(read_edges(driver, edges, 2) == 2, "two edges"))
		check(!edges[0].level && edges[1].level, "the edges are logical as well");
	driver->ops->close(driver);
}

static void test_bias_reaches_the_chip(void)
{
	struct driver_config config = line_config("DOORBELL");
	struct driver *driver;
	bool level = false;

	pull(0, false);
	config.bias = DRIVER_BIAS_PULL_UP;
	driver = open_ok(&config);
	if (!driver)
		return;
	check(is_pulled_up(0), "pull-up");
	check(driver->ops->get(driver, 0, &level) == 0 && level, "pulled up it is high");
	driver->ops->close(driver);
	config.bias = DRIVER_BIAS_PULL_DOWN;
	driver = open_ok(&config);
	if (!driver)
		return;
	check(!is_pulled_up(0), "pull-down");
	driver->ops->close(driver);
	config.bias = DRIVER_BIAS_DISABLED;
	driver = open_ok(&config);
	if (driver)
		driver->ops->close(driver);
}

static void test_line_by_offset_name_and_path(void)
{
	static const char *const chips[] = { "cuebus-a", "gpiochip0", "/dev/gpiochip0" };
	static const char *const lines[] = { "5", "BURST" };

	for (unsigned i = 0; i < 6; i++) {
		struct driver_config config = line_config(lines[i % 2]);
		struct driver_edge edges[EDGES_MAX];
		struct driver *driver;

		config.chip = chips[i / 2];
		driver = open_ok(&config);
		if (!driver)
			continue;
		pull(5, true);
		check(read_edges(driver, edges, 1) == 1, "%s %s", chips[i / 2], lines[i % 2]);
		pull(5, false);
		driver->ops->close(driver);
	}
}

static void test_line_name_alone_takes_the_first_chip(void)
{
	struct driver_config config = line_config("DOORBELL");
	struct driver_edge edges[EDGES_MAX];
	struct driver *driver;

	config.chip = NULL;
	driver = open_ok(&config);
	if (!driver)
		return;
	pull(0, true);
	check(read_edges(driver, edges, 1) == 1, "the one on cuebus-a");
	pull(0, false);
	driver->ops->close(driver);
	config.lines[0] = "OTHER";
	driver = open_ok(&config); /* on cuebus-b */
	if (driver)
		driver->ops->close(driver);
}

static void test_two_lines_merge_by_time(void)
{
	struct driver_config config = line_config("DIAL_A");
	struct driver_edge edges[EDGES_MAX];
	struct driver *driver;

	config.lines[1] = "DIAL_B";
	config.n_lines = 2;
	driver = open_ok(&config);
	if (!driver)
		return;
	check(driver->ops->fd(driver, 1) >= 0 && driver->ops->fd(driver, 2) == -1,
	      "two descriptors");
	for (unsigned step = 0; step < 12; step++) {
		pull(1 + step % 2, step % 4 < 2);
		settle();
	}
	if (check(read_edges(driver, edges, 12) == 12, "twelve edges")) {
		for (unsigned step = 0; step < 12; step++) {
			check(edges[step].line == step % 2, "edge %u is of line %u", step,
			      edges[step].line);
			check(edges[step].level == (step % 4 < 2), "level of edge %u", step);
			check(step == 0 || edges[step].time_ns > edges[step - 1].time_ns,
			      "times rise");
		}
	}
	driver->ops->close(driver);
}

/** Small arrays get everything too, one by one. */
static void test_reading_one_at_a_time(void)
{
	struct driver_config config = line_config("BURST");
	struct driver *driver = open_ok(&config);
	struct driver_edge edge;
	unsigned n = 0;

	if (!driver)
		return;
	for (unsigned i = 0; i < 10; i++) {
		pull(5, i % 2 == 0);
		settle();
	}
	for (; driver->ops->read(driver, &edge, 1) == 1; n++)
		check(edge.level == (n % 2 == 0), "edge %u", n);
	check(n == 10, "%u edges instead of 10", n);
	check(driver->ops->next_ns(driver) == UINT64_MAX, "nothing is left");
	driver->ops->close(driver);
}

/** @p toggles without reading: more than the kernel keeps. */
static void overrun(unsigned toggles)
{
	struct driver_config config = line_config("BURST");
	struct driver_edge edges[EDGES_MAX];
	struct driver *driver = open_ok(&config);
	bool level = true, last = false;
	unsigned gaps = 0;
	size_t n;

	if (!driver)
		return;
	for (unsigned i = 0; i < toggles; i++) {
		struct timespec pause = { .tv_nsec = 300000 };

		pull(5, i % 2 == 0);
		nanosleep(&pause, NULL);
	}
	settle();
	n = read_edges(driver, edges, 1);
	for (size_t i = 0; i < n; i++) {
		gaps += edges[i].gap;
		last = edges[i].level;
		check(i == 0 || edges[i].time_ns >= edges[i - 1].time_ns, "times rise");
	}
	printf("   %u toggles: %zu edges, %u gaps\n", toggles, n, gaps);
	check(n < toggles, "%zu edges: nothing was lost, the test shows nothing", n);
	check(gaps >= 1, "a gap must be told");
	check(driver->ops->get(driver, 0, &level) == 0 && level == (toggles % 2 == 1), "the level");
	check(last == level, "the last edge tells the level");
	/* and afterwards it works again */
	pull(5, !level);
	n = read_edges(driver, edges, 1);
	check(n == 1 && edges[0].level == !level && !edges[0].gap, "the next edge is a plain one");
	pull(5, false);
	driver->ops->close(driver);
}

/** A caller with a small array reads until the array is not full; then it has everything. */
static void test_a_short_read_means_that_all_is_read(void)
{
	struct driver_config config = line_config("DIAL_A");
	struct driver_edge edges[64];
	struct driver *driver;
	int n, total = 0;

	config.lines[1] = "DIAL_B";
	config.n_lines = 2;
	driver = open_ok(&config);
	if (!driver)
		return;
	for (unsigned i = 0; i < 300; i++) {
		struct timespec pause = { .tv_nsec = 300000 };

		pull(1 + i % 2, i % 4 < 2);
		nanosleep(&pause, NULL);
	}
	settle();
	do {
		n = driver->ops->read(driver, edges, 64);
		total += n;
	} while (n == 64);
	printf("   300 toggles of two lines: %d edges\n", total);
	check(total >= 32, "%d edges", total);
	check(driver->ops->next_ns(driver) == UINT64_MAX, "nothing is left behind");
	check(driver->ops->read(driver, edges, 64) == 0, "nothing is left in the kernel");
	driver->ops->close(driver);
	pull(1, false);
	pull(2, false);
}

static void test_overrun_is_told(void)
{
	overrun(400); /* even: the level is the one before */
	overrun(401);
}

/** A burst that fits into the buffer is delivered completely. */
static void test_a_burst_that_fits(void)
{
	struct driver_config config = line_config("BURST");
	struct driver_edge edges[EDGES_MAX];
	struct driver *driver = open_ok(&config);
	size_t n;

	if (!driver)
		return;
	for (unsigned i = 0; i < 15; i++) {
		struct timespec pause = { .tv_nsec = 300000 };

		pull(5, i % 2 == 0);
		nanosleep(&pause, NULL);
	}
	settle();
	n = read_edges(driver, edges, 1);
	check(n == 15, "%zu edges instead of 15", n);
	for (size_t i = 0; i < n; i++)
		check(!edges[i].gap && edges[i].level == (i % 2 == 0), "edge %zu", i);
	pull(5, false);
	driver->ops->close(driver);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "press_and_release", test_press_and_release },
		{ "active_low_is_logical", test_active_low_is_logical },
		{ "bias_reaches_the_chip", test_bias_reaches_the_chip },
		{ "line_by_offset_name_and_path", test_line_by_offset_name_and_path },
		{ "line_name_alone_takes_the_first_chip",
		  test_line_name_alone_takes_the_first_chip },
		{ "two_lines_merge_by_time", test_two_lines_merge_by_time },
		{ "reading_one_at_a_time", test_reading_one_at_a_time },
		{ "a_burst_that_fits", test_a_burst_that_fits },
		{ "overrun_is_told", test_overrun_is_told },
		{ "a_short_read_means_that_all_is_read", test_a_short_read_means_that_all_is_read },
		{ "busy", test_busy },
		{ "half_an_input_is_let_go", test_half_an_input_is_let_go },
		{ "missing", test_missing },
		{ "forbidden", test_forbidden },
		{ "allowed_by_group", test_allowed_by_group },
		{ "chip_that_goes_and_comes_back", test_chip_that_goes_and_comes_back },
		{ "output_drives_its_line", test_output_drives_its_line },
		{ "output_active_low", test_output_active_low },
		{ "output_that_can_not_be_had", test_output_that_can_not_be_had },
		{ "output_whose_chip_goes_and_comes_back",
		  test_output_whose_chip_goes_and_comes_back },
	};

	printf("%s\n", driver_gpio_version());
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned before = n_failed;

		case_name = cases[i].name;
		cases[i].run();
		if (n_failed == before)
			printf("ok %s\n", case_name);
		fflush(stdout);
	}
	printf("%u failed\n", n_failed);
	return n_failed ? 1 : 0;
}
