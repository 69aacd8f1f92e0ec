/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gpio_lookup.h
 * @brief From the names in a configuration to a chip and an offset.
 */
#ifndef CUEBUS_GPIO_LOOKUP_H
#define CUEBUS_GPIO_LOOKUP_H

#include "gpio_backend.h"

enum gpio_role { GPIO_ROLE_INPUT, GPIO_ROLE_OUTPUT };

/** Which line is wanted, by whom and as what. Everything is borrowed for the call. */
struct gpio_wanted {
	enum gpio_role role;
	const char *name;     /**< the input's or output's */
	const char *consumer; /**< the gateway's label */
	const char *chip;     /**< label, name or path; NULL: any that has the line */
	const char *line;     /**< name, or offset in decimal */
};

/**
 * Find the line. Where several chips fit (equal labels, equal line names) it is
 * the one with the lowest number.
 * @param ret_chip open; the caller closes it.
 * @param error filled on failure.
 * @return 0; -ENODEV; -ENOENT; -EACCES; -ENOMEM; other negative errno.
 */
int gpio_lookup(const struct gpio_wanted *wanted, struct gpio_chip **ret_chip, unsigned *ret_offset,
                char *error);

/** The label of one line, cut as the kernel would cut it. */
void gpio_consumer(const struct gpio_wanted *wanted, char consumer[static GPIO_NAME_SIZE]);

/** The sentence for a request that failed with @p r. @return @p r, or a better errno. */
int gpio_request_error(const struct gpio_wanted *wanted, struct gpio_chip *chip, unsigned offset,
                       int r, char *error);

#endif
