/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file drivers_internal.h
 * @brief Private: all drivers, for the registry and for each other.
 */
#ifndef CUEBUS_DRIVERS_INTERNAL_H
#define CUEBUS_DRIVERS_INTERNAL_H

#include <drivers/driver.h>
#include <drivers/output.h>

extern const struct driver_ops driver_gpio;   /**< gpio.c */
extern const struct driver_ops driver_sim;    /**< sim.c */
extern const struct driver_ops driver_replay; /**< replay.c */

extern const struct output_ops output_driver_gpio; /**< output_gpio.c */
extern const struct output_ops output_driver_sim;  /**< output_sim.c */

/** Write the error sentence of a failed open; @p error has DRIVER_ERROR_SIZE bytes. @return @p
 * r. */
int driver_fail(char *error, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
