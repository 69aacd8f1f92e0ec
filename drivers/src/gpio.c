/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gpio driver over either libgpiod. gpio_backend.h hides the differences between the versions
 * (requests, reading, detection of lost edges).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers_internal.h"
#include "gpio_backend.h"
#include "gpio_lookup.h"

#define QUEUE_MAX ((size_t)DRIVER_LINES_MAX * GPIO_READ_MAX)

struct gpio_line {
	struct gpio_chip *chip;
	struct gpio_request *request;
};

struct gpio {
	struct driver base;
	size_t n_lines;
	struct gpio_line lines[DRIVER_LINES_MAX];
	/* Edges that were read but did not fit into the caller's array. */
	struct driver_edge queue[QUEUE_MAX];
	size_t queue_first, queue_n;
};

static void gpio_close(struct driver *driver)
{
	struct gpio *gpio = (struct gpio *)driver;

	for (size_t i = 0; i < gpio->n_lines; i++) {
		if (gpio->lines[i].request)
			gpio_request_free(gpio->lines[i].request);
		if (gpio->lines[i].chip)
			gpio_chip_close(gpio->lines[i].chip);
	}
	free(gpio);
}

static int open_line(const struct driver_config *config, size_t index, struct gpio_line *line,
                     char *error)
{
	struct gpio_wanted wanted = {
		.role = GPIO_ROLE_INPUT,
		.name = config->input,
		.consumer = config->consumer,
		.chip = config->chip,
		.line = config->lines[index],
	};
	struct gpio_request_options options = { .bias = config->bias,
		                                .active_low = config->active_low };
	char consumer[GPIO_NAME_SIZE];
	unsigned offset;
	int r;

	r = gpio_lookup(&wanted, &line->chip, &offset, error);
	if (r < 0)
		return r;
	gpio_consumer(&wanted, consumer);
	options.consumer = consumer;
	r = gpio_request_new(line->chip, offset, &options, &line->request);
	return r < 0 ? gpio_request_error(&wanted, line->chip, offset, r, error) : 0;
}

static int gpio_open(const struct driver_config *config, struct driver **ret_driver, char *error)
{
	struct gpio *gpio;

	if (config->n_lines < 1 || config->n_lines > DRIVER_LINES_MAX)
		return driver_fail(error, -EINVAL,
		                   "input \"%s\": a gpio input has 1 or %u lines, not %zu",
		                   config->input, DRIVER_LINES_MAX, config->n_lines);
	gpio = calloc(1, sizeof(*gpio));
	if (!gpio)
		return driver_fail(error, -ENOMEM, "input \"%s\": out of memory", config->input);
	gpio->base.ops = &driver_gpio;
	gpio->n_lines = config->n_lines;
	for (size_t i = 0; i < gpio->n_lines; i++) {
		int r = open_line(config, i, &gpio->lines[i], error);

		if (r < 0) {
			gpio_close(&gpio->base);
			return r;
		}
	}
	*ret_driver = &gpio->base;
	return 0;
}

static int gpio_fd(const struct driver *driver, unsigned index)
{
	const struct gpio *gpio = (const struct gpio *)driver;

	return index < gpio->n_lines ? gpio_request_fd(gpio->lines[index].request) : -1;
}

/** Insert by time; edges of one line stay in their order. */
static void sort_by_time(struct driver_edge *edges, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct driver_edge edge = edges[i];
		size_t k = i;

		for (; k > 0 && edges[k - 1].time_ns > edge.time_ns; k--)
			edges[k] = edges[k - 1];
		edges[k] = edge;
	}
}

/**
 * Read each line once into the queue.
 * @return the number of edges; negative errno if none came and a line failed.
 */
static int fill_queue(struct gpio *gpio)
{
	int failed = 0;

	gpio->queue_first = gpio->queue_n = 0;
	for (size_t i = 0; i < gpio->n_lines; i++) {
		struct driver_edge *edges = &gpio->queue[gpio->queue_n];
		int n = gpio_request_read(gpio->lines[i].request, edges);

		if (n < 0) {
			failed = n;
			continue;
		}
		for (int k = 0; k < n; k++)
			edges[k].line = (unsigned)i;
		gpio->queue_n += (size_t)n;
	}
	sort_by_time(gpio->queue, gpio->queue_n);
	return gpio->queue_n ? (int)gpio->queue_n : failed;
}

static size_t take_queue(struct gpio *gpio, struct driver_edge *edges, size_t max_edges)
{
	size_t n = gpio->queue_n < max_edges ? gpio->queue_n : max_edges;

	memcpy(edges, &gpio->queue[gpio->queue_first], n * sizeof(*edges));
	gpio->queue_first += n;
	gpio->queue_n -= n;
	return n;
}

static int gpio_read(struct driver *driver, struct driver_edge *edges, size_t max_edges)
{
	struct gpio *gpio = (struct gpio *)driver;
	size_t n = take_queue(gpio, edges, max_edges);

	/* Read all edges, not only one buffer: the caller assumes that it has every edge up to
	 * now, and then serves the deadlines up to now. */
	while (n < max_edges) {
		int r = fill_queue(gpio);

		if (r < 0 && n == 0)
			return r;
		if (r <= 0)
			break;
		n += take_queue(gpio, &edges[n], max_edges - n);
	}
	sort_by_time(edges, n);
	return (int)n;
}

static int gpio_get(struct driver *driver, unsigned line, bool *ret_level)
{
	struct gpio *gpio = (struct gpio *)driver;

	if (line >= gpio->n_lines)
		return -EINVAL;
	return gpio_request_get(gpio->lines[line].request, ret_level);
}

static uint64_t gpio_next_ns(const struct driver *driver)
{
	const struct gpio *gpio = (const struct gpio *)driver;

	return gpio->queue_n ? gpio->queue[gpio->queue_first].time_ns : UINT64_MAX;
}

const struct driver_ops driver_gpio = {
	.name = "gpio",
	.open = gpio_open,
	.fd = gpio_fd,
	.read = gpio_read,
	.get = gpio_get,
	.next_ns = gpio_next_ns,
	.close = gpio_close,
};
