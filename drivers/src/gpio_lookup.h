/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gpio_lookup.h
 * @brief From the names in a configuration to a chip and an offset. For gpio.c.
 */
#ifndef CUEBUS_GPIO_LOOKUP_H
#define CUEBUS_GPIO_LOOKUP_H

#include "gpio_backend.h"

/**
 * Find line @p index of the configuration. Where several chips fit (equal
 * labels, equal line names) it is the one with the lowest number.
 * @param ret_chip open; the caller closes it.
 * @param error filled on failure.
 * @return 0; -ENODEV; -ENOENT; -EACCES; -ENOMEM; other negative errno.
 */
int gpio_lookup(const struct driver_config *config, size_t index, struct gpio_chip **ret_chip,
                unsigned *ret_offset, char *error);

/** The sentence for a request that failed with @p r. @return @p r, or a better errno. */
int gpio_request_error(const struct driver_config *config, struct gpio_chip *chip, unsigned offset,
                       int r, char *error);

#endif
