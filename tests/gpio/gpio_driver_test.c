/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real gpio driver on a real kernel's gpio-sim; run in the guest by
 * tests/gpio/guest, which makes the chips. One line a case: "ok name" or
 * "not ok name: what". Exit status 0 when all passed.
 */
#include <drivers/driver.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EDGES_MAX 512U
#define WAIT_MS   5000

static const char *case_name;
static unsigned n_failed;

__attribute__((format(printf, 2, 3))) static bool check(bool ok, const char *format, ...)
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

static uint64_t now_ns(void)
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

static void pull(unsigned offset, bool up)
{
	static const char *const text[] = { "pull-down", "pull-up" };
	int fd = sim_open("CUEBUS_SIM_A", offset, "pull", O_WRONLY);

	if (write(fd, text[up], strlen(text[up])) < 0) {
		perror("pull");
		exit(2);
	}
	close(fd);
}

static bool is_pulled_up(unsigned offset)
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

/** Let the kernel's interrupt threads run (one CPU: they do while we sleep). */
static void settle(void)
{
	struct timespec pause = { .tv_nsec = 30000000 };

	nanosleep(&pause, NULL);
}

/* ---- the driver ---- */

static const struct driver_config base = {
	.input = "doorbell", .consumer = "cuebus:test", .chip = "cuebus-a", .n_lines = 1
};

static struct driver_config line_config(const char *line)
{
	struct driver_config config = base;

	config.lines[0] = line;
	return config;
}

static struct driver *open_ok(const struct driver_config *config)
{
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver *driver = NULL;
	int r = driver_find("gpio")->open(config, &driver, error);

	check(r == 0, "open: %d %s", r, error);
	return r == 0 ? driver : NULL;
}

/** Open must fail with @p expected and a message that holds every one of the words. */
static void open_fails(const struct driver_config *config, int expected, const char *const *words)
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

/** Read until @p n edges came or nothing comes for 5 s. */
static size_t read_edges(struct driver *driver, struct driver_edge *edges, size_t n)
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
	/* and afterwards all is well again */
	pull(5, !level);
	n = read_edges(driver, edges, 1);
	check(n == 1 && edges[0].level == !level && !edges[0].gap, "the next edge is a plain one");
	pull(5, false);
	driver->ops->close(driver);
}

/** A caller with a small array reads until one is not full, and then it has all. */
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

/** What the buffer holds comes through whole. */
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

static void test_busy(void)
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

/** The second line's failure must not leave the first one held. */
static void test_half_an_input_is_let_go(void)
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

static void test_missing(void)
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
static void test_forbidden(void)
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
static void test_allowed_by_group(void)
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

static void set_live(const char *chip, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/config/gpio-sim/%s/live", chip);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	check(fd >= 0 && write(fd, text, 1) == 1, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/** An adapter is pulled out and put in again: read() fails, and open() works later. */
static void test_chip_that_goes_and_comes_back(void)
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
