/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libgpiod 1.x on the GPIO character device v1.
 *
 * The kernel keeps 16 edges of a line and silently drops further ones. A buffer that overran is
 * full when it is read, so the first read after a loss always returns 16 edges. After such a read
 * edges may be missing: the next waiting edge is marked as a gap; if there is none, the level is
 * read again and returned as one. (16 edges that just fit are treated as a loss too; this causes a
 * harmless resync.)
 *
 *   state   | 1-15 edges read            | 16 read               | none waiting
 *   SURE    | pass on                    | pass on -> SUSPECT    | -
 *   SUSPECT | first with gap -> SURE     | first with gap        | re-read level, gap -> SURE
 *
 * Two edges in the same direction do not indicate an overrun: the kernel derives the direction from
 * the level some microseconds later, so a shorter glitch looks the same. Directions and levels are
 * logical: the kernel applies active-low. Times are CLOCK_MONOTONIC since Linux 5.7.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gpiod.h>

#include "drivers_internal.h"
#include "gpio_backend.h"

#define KERNEL_BUFFER 16U

_Static_assert(GPIO_READ_MAX >= KERNEL_BUFFER + 1, "a full buffer and a gap must fit");

struct gpio_request {
	struct gpiod_line *line;
	int fd;
	bool suspect;
};

const char *driver_gpio_version(void)
{
	return "libgpiod " CUEBUS_GPIOD_VERSION " (v1)";
}

/* A chip is only libgpiod's own handle. */
static struct gpiod_chip *handle(const struct gpio_chip *chip)
{
	return (struct gpiod_chip *)(uintptr_t)chip;
}

int gpio_chip_open(const char *path, struct gpio_chip **ret_chip)
{
	struct gpiod_chip *chip = gpiod_chip_open(path);

	if (!chip)
		return errno ? -errno : -EIO;
	*ret_chip = (struct gpio_chip *)chip;
	return 0;
}

void gpio_chip_close(struct gpio_chip *chip)
{
	gpiod_chip_close(handle(chip));
}

const char *gpio_chip_name(const struct gpio_chip *chip)
{
	return gpiod_chip_name(handle(chip));
}

const char *gpio_chip_label(const struct gpio_chip *chip)
{
	return gpiod_chip_label(handle(chip));
}

unsigned gpio_chip_lines(const struct gpio_chip *chip)
{
	return gpiod_chip_num_lines(handle(chip));
}

int gpio_chip_find(struct gpio_chip *chip, const char *name, unsigned *ret_offset)
{
	struct gpiod_line *line = gpiod_chip_find_line(handle(chip), name);

	if (!line)
		return errno ? -errno : -ENOENT;
	*ret_offset = gpiod_line_offset(line);
	return 0;
}

static void copy_name(char name[GPIO_NAME_SIZE], const char *from)
{
	name[0] = '\0';
	if (from)
		strncat(name, from, GPIO_NAME_SIZE - 1);
}

int gpio_chip_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret_info)
{
	struct gpiod_line *line = gpiod_chip_get_line(handle(chip), offset);

	if (!line || gpiod_line_update(line) < 0)
		return -errno;
	copy_name(ret_info->name, gpiod_line_name(line));
	copy_name(ret_info->consumer, gpiod_line_consumer(line));
	ret_info->used = gpiod_line_is_used(line);
	return 0;
}

static int bias_flag(enum driver_bias bias)
{
	switch (bias) {
	case DRIVER_BIAS_AS_IS:
		return 0;
	case DRIVER_BIAS_DISABLED:
		return GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE;
	case DRIVER_BIAS_PULL_UP:
		return GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
	case DRIVER_BIAS_PULL_DOWN:
		return GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
	}
	return 0;
}

int gpio_request_new(struct gpio_chip *chip, unsigned offset,
                     const struct gpio_request_options *options, struct gpio_request **ret_request)
{
	int flags = bias_flag(options->bias) |
	            (options->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0);
	struct gpiod_line *line = gpiod_chip_get_line(handle(chip), offset);
	struct gpio_request *request;

	if (!line)
		return -errno;
	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	if (gpiod_line_request_both_edges_events_flags(line, options->consumer, flags) < 0) {
		int r = -errno;

		free(request);
		return r;
	}
	request->line = line;
	request->fd = gpiod_line_event_get_fd(line);
	*ret_request = request;
	return 0;
}

int gpio_request_output(struct gpio_chip *chip, unsigned offset,
                        const struct gpio_output_options *options,
                        struct gpio_request **ret_request)
{
	int flags = options->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
	struct gpiod_line *line = gpiod_chip_get_line(handle(chip), offset);
	struct gpio_request *request;

	if (!line)
		return -errno;
	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	if (gpiod_line_request_output_flags(line, options->consumer, flags, options->initial) < 0) {
		int r = -errno;

		free(request);
		return r;
	}
	request->line = line;
	request->fd = -1;
	*ret_request = request;
	return 0;
}

int gpio_request_set(struct gpio_request *request, bool level)
{
	return gpiod_line_set_value(request->line, level) < 0 ? -errno : 0;
}

void gpio_request_free(struct gpio_request *request)
{
	gpiod_line_release(request->line);
	free(request);
}

int gpio_request_fd(const struct gpio_request *request)
{
	return request->fd;
}

int gpio_request_get(struct gpio_request *request, bool *ret_level)
{
	int value = gpiod_line_get_value(request->line);

	if (value < 0)
		return -errno;
	*ret_level = value > 0;
	return 0;
}

static uint64_t to_ns(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000ULL + (uint64_t)ts->tv_nsec;
}

/** Return the current level as an edge that follows lost ones. */
static int reread(struct gpio_request *request, struct driver_edge *edge)
{
	struct timespec now;
	bool level;
	int r = gpio_request_get(request, &level);

	if (r < 0)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &now);
	*edge = (struct driver_edge){ .time_ns = to_ns(&now), .level = level, .gap = true };
	request->suspect = false;
	return 1;
}

int gpio_request_read(struct gpio_request *request, struct driver_edge *edges)
{
	struct gpiod_line_event events[KERNEL_BUFFER];
	int n, r = gpio_fd_ready(request->fd);

	if (r < 0)
		return r;
	if (r == 0)
		return request->suspect ? reread(request, edges) : 0;
	n = gpiod_line_event_read_multiple(request->line, events, KERNEL_BUFFER);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		edges[i] = (struct driver_edge){
			.time_ns = to_ns(&events[i].ts),
			.level = events[i].event_type == GPIOD_LINE_EVENT_RISING_EDGE,
			.gap = i == 0 && request->suspect,
		};
	request->suspect = n == (int)KERNEL_BUFFER;
	if (request->suspect && gpio_fd_ready(request->fd) == 0) {
		r = reread(request, &edges[n]);
		if (r > 0)
			n += r;
	}
	return n;
}
