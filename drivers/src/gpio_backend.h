/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gpio_backend.h
 * @brief Private: one interface to libgpiod 1.x (gpiod_v1.c) and 2.x (gpiod_v2.c) for the gpio
 *        drivers. Exactly one of the two is linked.
 *
 * Every line has its own request, so that its edges have their own kernel buffer and two lines of
 * an input may be on different chips.
 */
#ifndef CUEBUS_GPIO_BACKEND_H
#define CUEBUS_GPIO_BACKEND_H

#include <drivers/driver.h>

/** Size of names in the kernel's GPIO interface, including the NUL. */
#define GPIO_NAME_SIZE 32U

/** Most edges that one gpio_request_read() stores. */
#define GPIO_READ_MAX 17U

struct gpio_chip;
struct gpio_request;

/** @param path of the character device. @return 0 or negative errno. */
int gpio_chip_open(const char *path, struct gpio_chip **ret_chip);
void gpio_chip_close(struct gpio_chip *chip);
/** e.g. "gpiochip0"; valid as long as the chip. */
const char *gpio_chip_name(const struct gpio_chip *chip);
const char *gpio_chip_label(const struct gpio_chip *chip);
unsigned gpio_chip_lines(const struct gpio_chip *chip);

/** Find the first line of that name. @return 0; -ENOENT; other negative errno. */
int gpio_chip_find(struct gpio_chip *chip, const char *name, unsigned *ret_offset);

struct gpio_line_info {
	char name[GPIO_NAME_SIZE];     /**< "" none */
	char consumer[GPIO_NAME_SIZE]; /**< "" none */
	bool used;
};
int gpio_chip_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret_info);

struct gpio_request_options {
	const char *consumer; /**< shorter than GPIO_NAME_SIZE */
	enum driver_bias bias;
	bool active_low;
};

/** Request a line as input, both edges. The chip must stay open. @return 0 or negative errno. */
int gpio_request_new(struct gpio_chip *chip, unsigned offset,
                     const struct gpio_request_options *options, struct gpio_request **ret_request);

struct gpio_output_options {
	const char *consumer; /**< shorter than GPIO_NAME_SIZE */
	bool active_low;
	bool initial; /**< logical */
};

/**
 * Request a line as output, directly at the initial level. The chip must stay open. The request has
 * no descriptor and no edges. @return 0 or negative errno.
 */
int gpio_request_output(struct gpio_chip *chip, unsigned offset,
                        const struct gpio_output_options *options,
                        struct gpio_request **ret_request);
/** Set an output's logical level. @return 0 or negative errno. */
int gpio_request_set(struct gpio_request *request, bool level);

void gpio_request_free(struct gpio_request *request);
int gpio_request_fd(const struct gpio_request *request);
/** The current logical level. @return 0 or negative errno. */
int gpio_request_get(struct gpio_request *request, bool *ret_level);

/**
 * Read waiting edges, oldest first; `line` stays 0. Never blocks.
 * @param edges room for GPIO_READ_MAX.
 * @return their number, 0 if none remains; negative errno.
 */
int gpio_request_read(struct gpio_request *request, struct driver_edge *edges);

/**
 * Whether the descriptor is readable.
 * @return 1; 0; -ENODEV the chip was removed; other negative errno.
 */
int gpio_fd_ready(int fd);

#endif
