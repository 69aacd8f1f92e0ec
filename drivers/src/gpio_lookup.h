/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gpio_lookup.h
 * @brief Private: find chip and offset for the names in a configuration.
 */
#ifndef CUEBUS_GPIO_LOOKUP_H
#define CUEBUS_GPIO_LOOKUP_H

#include "gpio_backend.h"

enum gpio_role { GPIO_ROLE_INPUT, GPIO_ROLE_OUTPUT };

/** The wanted line, its user and its direction. Everything is borrowed for the call. */
struct gpio_wanted {
	enum gpio_role role;
	const char *name;     /**< the input's or output's */
	const char *consumer; /**< the gateway's label */
	const char *chip;     /**< label, name or path; NULL: any that has the line */
	const char *line;     /**< name, or offset in decimal */
};

/**
 * Find the line. If several chips match (equal labels, equal line names), the one with the lowest
 * number is used.
 * @param ret_chip open; the caller closes it.
 * @param error filled on failure.
 * @return 0; -ENODEV; -ENOENT; -EACCES; -ENOMEM; other negative errno.
 */
int gpio_lookup(const struct gpio_wanted *wanted, struct gpio_chip **ret_chip, unsigned *ret_offset,
                char *error);

/** The consumer label of one line, cut like the kernel does. */
void gpio_consumer(const struct gpio_wanted *wanted, char consumer[static GPIO_NAME_SIZE]);

/** Write the error for a request that failed with @p r. @return @p r, or a better errno. */
int gpio_request_error(const struct gpio_wanted *wanted, struct gpio_chip *chip, unsigned offset,
                       int r, char *error);

#endif
