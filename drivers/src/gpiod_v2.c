/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libgpiod 2.x on the GPIO character device v2.
 *
 * The kernel numbers a line's edges and drops the oldest when its buffer is full. So a gap in the
 * numbers means that edges were lost, and the next edge has the level after them. Directions and
 * levels are logical: the kernel applies active-low.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gpiod.h>

#include "drivers_internal.h"
#include "gpio_backend.h"

/** Requested size of the kernel's buffer, in edges; its default is 16. */
#define KERNEL_BUFFER 256U

struct gpio_chip {
	struct gpiod_chip *handle;
	struct gpiod_chip_info *info;
};

struct gpio_request {
	struct gpiod_line_request *handle;
	struct gpiod_edge_event_buffer *buffer;
	unsigned offset;
	unsigned long seqno; /**< of the last edge read */
};

const char *driver_gpio_version(void)
{
	return "libgpiod " CUEBUS_GPIOD_VERSION " (v2)";
}

static int last_error(void)
{
	return errno ? -errno : -EIO;
}

int gpio_chip_open(const char *path, struct gpio_chip **ret_chip)
{
	struct gpio_chip *chip = calloc(1, sizeof(*chip));
	int r;

	if (!chip)
		return -ENOMEM;
	chip->handle = gpiod_chip_open(path);
	if (chip->handle)
		chip->info = gpiod_chip_get_info(chip->handle);
	if (!chip->info) {
		r = last_error();
		gpio_chip_close(chip);
		return r;
	}
	*ret_chip = chip;
	return 0;
}

void gpio_chip_close(struct gpio_chip *chip)
{
	if (chip->info)
		gpiod_chip_info_free(chip->info);
	if (chip->handle)
		gpiod_chip_close(chip->handle);
	free(chip);
}

const char *gpio_chip_name(const struct gpio_chip *chip)
{
	return gpiod_chip_info_get_name(chip->info);
}

const char *gpio_chip_label(const struct gpio_chip *chip)
{
	return gpiod_chip_info_get_label(chip->info);
}

unsigned gpio_chip_lines(const struct gpio_chip *chip)
{
	return (unsigned)gpiod_chip_info_get_num_lines(chip->info);
}

int gpio_chip_find(struct gpio_chip *chip, const char *name, unsigned *ret_offset)
{
	int offset = gpiod_chip_get_line_offset_from_name(chip->handle, name);

	if (offset < 0)
		return last_error();
	*ret_offset = (unsigned)offset;
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
	struct gpiod_line_info *info = gpiod_chip_get_line_info(chip->handle, offset);

	if (!info)
		return last_error();
	copy_name(ret_info->name, gpiod_line_info_get_name(info));
	copy_name(ret_info->consumer, gpiod_line_info_get_consumer(info));
	ret_info->used = gpiod_line_info_is_used(info);
	gpiod_line_info_free(info);
	return 0;
}

static enum gpiod_line_bias bias_setting(enum driver_bias bias)
{
	switch (bias) {
	case DRIVER_BIAS_AS_IS:
		return GPIOD_LINE_BIAS_AS_IS;
	case DRIVER_BIAS_DISABLED:
		return GPIOD_LINE_BIAS_DISABLED;
	case DRIVER_BIAS_PULL_UP:
		return GPIOD_LINE_BIAS_PULL_UP;
	case DRIVER_BIAS_PULL_DOWN:
		return GPIOD_LINE_BIAS_PULL_DOWN;
	}
	return GPIOD_LINE_BIAS_AS_IS;
}

/** Settings of an input's line. @return 0 or negative errno. */
static int set_input(struct gpiod_line_settings *settings,
                     const struct gpio_request_options *options)
{
	if (gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT) < 0 ||
	    gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH) < 0 ||
	    gpiod_line_settings_set_bias(settings, bias_setting(options->bias)) < 0 ||
	    gpiod_line_settings_set_event_clock(settings, GPIOD_LINE_CLOCK_MONOTONIC) < 0)
		return last_error();
	gpiod_line_settings_set_active_low(settings, options->active_low);
	return 0;
}

static enum gpiod_line_value line_value(bool level)
{
	return level ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
}

/** Settings of an output's line. @return 0 or negative errno. */
static int set_output(struct gpiod_line_settings *settings,
                      const struct gpio_output_options *options)
{
	if (gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT) < 0 ||
	    gpiod_line_settings_set_output_value(settings, line_value(options->initial)) < 0)
		return last_error();
	gpiod_line_settings_set_active_low(settings, options->active_low);
	return 0;
}

/** Request one line with complete settings. @return 0 or negative errno. */
static int request_line(struct gpio_chip *chip, unsigned offset, const char *consumer,
                        struct gpiod_line_settings *settings, struct gpiod_line_request **ret)
{
	struct gpiod_line_config *lines = gpiod_line_config_new();
	struct gpiod_request_config *request = gpiod_request_config_new();
	int r = lines && request ? 0 : -ENOMEM;

	if (r == 0 && gpiod_line_config_add_line_settings(lines, &offset, 1, settings) < 0)
		r = last_error();
	if (r == 0) {
		gpiod_request_config_set_consumer(request, consumer);
		gpiod_request_config_set_event_buffer_size(request, KERNEL_BUFFER);
		*ret = gpiod_chip_request_lines(chip->handle, request, lines);
		if (!*ret)
			r = last_error();
	}
	if (request)
		gpiod_request_config_free(request);
	if (lines)
		gpiod_line_config_free(lines);
	return r;
}

/** Create settings and a request without a line. Both are NULL if memory runs out. */
static struct gpio_request *request_begin(unsigned offset,
                                          struct gpiod_line_settings **ret_settings)
{
	struct gpio_request *request = calloc(1, sizeof(*request));

	*ret_settings = request ? gpiod_line_settings_new() : NULL;
	if (*ret_settings) {
		request->offset = offset;
		return request;
	}
	free(request);
	return NULL;
}

/** Return the request, or free it if @p r is a failure. Frees the settings in any case. */
static int request_end(struct gpio_request *request, struct gpiod_line_settings *settings, int r,
                       struct gpio_request **ret_request)
{
	gpiod_line_settings_free(settings);
	if (r == 0)
		*ret_request = request;
	else
		gpio_request_free(request);
	return r;
}

int gpio_request_new(struct gpio_chip *chip, unsigned offset,
                     const struct gpio_request_options *options, struct gpio_request **ret_request)
{
	struct gpiod_line_settings *settings;
	struct gpio_request *request = request_begin(offset, &settings);
	int r = -ENOMEM;

	if (!request)
		return r;
	request->buffer = gpiod_edge_event_buffer_new(GPIO_READ_MAX);
	if (request->buffer)
		r = set_input(settings, options);
	if (r == 0)
		r = request_line(chip, offset, options->consumer, settings, &request->handle);
	return request_end(request, settings, r, ret_request);
}

int gpio_request_output(struct gpio_chip *chip, unsigned offset,
                        const struct gpio_output_options *options,
                        struct gpio_request **ret_request)
{
	struct gpiod_line_settings *settings;
	struct gpio_request *request = request_begin(offset, &settings);
	int r;

	if (!request)
		return -ENOMEM;
	r = set_output(settings, options);
	if (r == 0)
		r = request_line(chip, offset, options->consumer, settings, &request->handle);
	return request_end(request, settings, r, ret_request);
}

int gpio_request_set(struct gpio_request *request, bool level)
{
	return gpiod_line_request_set_value(request->handle, request->offset, line_value(level)) < 0
	               ? last_error()
	               : 0;
}

void gpio_request_free(struct gpio_request *request)
{
	if (request->handle)
		gpiod_line_request_release(request->handle);
	if (request->buffer)
		gpiod_edge_event_buffer_free(request->buffer);
	free(request);
}

int gpio_request_fd(const struct gpio_request *request)
{
	return gpiod_line_request_get_fd(request->handle);
}

int gpio_request_get(struct gpio_request *request, bool *ret_level)
{
	enum gpiod_line_value value =
	        gpiod_line_request_get_value(request->handle, request->offset);

	if (value == GPIOD_LINE_VALUE_ERROR)
		return last_error();
	*ret_level = value == GPIOD_LINE_VALUE_ACTIVE;
	return 0;
}

int gpio_request_read(struct gpio_request *request, struct driver_edge *edges)
{
	int n, r = gpio_fd_ready(gpiod_line_request_get_fd(request->handle));

	if (r <= 0)
		return r;
	n = gpiod_line_request_read_edge_events(request->handle, request->buffer, GPIO_READ_MAX);
	if (n < 0)
		return last_error();
	for (int i = 0; i < n; i++) {
		struct gpiod_edge_event *event =
		        gpiod_edge_event_buffer_get_event(request->buffer, (unsigned long)i);
		unsigned long seqno = gpiod_edge_event_get_line_seqno(event);

		edges[i] = (struct driver_edge){
			.time_ns = gpiod_edge_event_get_timestamp_ns(event),
			.level = gpiod_edge_event_get_event_type(event) ==
			         GPIOD_EDGE_EVENT_RISING_EDGE,
			.gap = (uint32_t)seqno != (uint32_t)(request->seqno + 1),
		};
		request->seqno = seqno;
	}
	return n;
}
