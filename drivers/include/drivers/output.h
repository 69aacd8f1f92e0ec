/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file output.h
 * @brief Output lines: the vtable that every output driver implements.
 *
 * Levels are logical: with active_low the line is low when the level is true. Threads: call all
 * functions from the loop thread. None of them blocks.
 */
#ifndef CUEBUS_OUTPUT_H
#define CUEBUS_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <drivers/driver.h>

/** Arguments of open(), borrowed for the call. */
struct output_config {
	const char
	        *output; /**< the output's name, for messages and as part of the consumer label */
	const char *consumer; /**< label shown by gpioinfo, e.g. "cuebus:porch" */
	const char *chip;     /**< as in driver_config */
	const char *line;     /**< name of the line, or its offset in decimal if chip is given */
	bool active_low;
	bool initial; /**< level from the moment at which the line becomes an output */
};

struct output_driver;

struct output_ops {
	const char *name;
	/** Interval at which to call get() to check that the device still exists while nothing is
	 * set; 0: the device can't be removed. */
	uint64_t check_ns;
	/**
	 * Request the line. It becomes an output directly at the initial level, without any other
	 * level in between. On failure @p error (DRIVER_ERROR_SIZE bytes) has one sentence that
	 * names chip, line, consumer and remedy.
	 * @param ret_driver owned by the caller until close(); untouched on failure.
	 * @return as driver_ops.open.
	 */
	int (*open)(const struct output_config *config, struct output_driver **ret_driver,
	            char *error);
	/** Set the line's level. @return 0; negative errno if the line could not be set (the driver
	 * must then be closed and may be opened again). */
	int (*set)(struct output_driver *driver, bool level);
	/** Read the line's level from the device. @return 0; negative errno as set(). */
	int (*get)(struct output_driver *driver, bool *ret_level);
	/** Release the line. Afterwards the device decides its level. */
	void (*close)(struct output_driver *driver);
};

/** Base of every output driver's struct. */
struct output_driver {
	const struct output_ops *ops;
};

/** Find a driver: "gpio" (libgpiod, 1.x or 2.x as built) or "sim" (no device; stores its level).
 * NULL: unknown. */
const struct output_ops *output_driver_find(const char *name);

#endif
