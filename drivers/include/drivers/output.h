/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file output.h
 * @brief A line that is driven: the vtable of the drivers of outputs.
 *
 * Levels are logical: with active_low the line is low when the level is true.
 * All calls are made from the loop thread; none blocks.
 */
#ifndef CUEBUS_OUTPUT_H
#define CUEBUS_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <drivers/driver.h>

/** What to open. Borrowed for the call to open. */
struct output_config {
	const char
	        *output; /**< the output's name, for messages and as part of the consumer label */
	const char *consumer; /**< label shown by gpioinfo, e.g. "cuebus:porch" */
	const char *chip;     /**< as in driver_config */
	const char *line;     /**< its name, or its offset in decimal when chip is given */
	bool active_low;
	bool initial; /**< the level from the moment on that the line is an output */
};

struct output_driver;

struct output_ops {
	const char *name;
	/** How often get() is to be asked whether the device is still there, though
	 *  nothing is set; 0: it can't go. */
	uint64_t check_ns;
	/**
	 * Request the line, which then is an output at the initial level without
	 * having been at another one. On failure @p error (DRIVER_ERROR_SIZE bytes)
	 * holds one clear sentence naming chip, line, consumer and remedy.
	 * @param ret_driver owned by the caller until close(); untouched on failure.
	 * @return as driver_ops.open.
	 */
	int (*open)(const struct output_config *config, struct output_driver **ret_driver,
	            char *error);
	/** @return 0; negative errno when the line could not be set (the driver must
	 *  then be closed and may be opened again). */
	int (*set)(struct output_driver *driver, bool level);
	/** The line's level now, as the device tells it. @return 0; negative errno as of set(). */
	int (*get)(struct output_driver *driver, bool *ret_level);
	/** Give the line back. What its level is from then on is up to the device. */
	void (*close)(struct output_driver *driver);
};

/** Base of every output driver's struct. */
struct output_driver {
	const struct output_ops *ops;
};

/** "gpio" (libgpiod, 1.x or 2.x as built) or "sim" (no device; remembers its level). NULL: unknown.
 */
const struct output_ops *output_driver_find(const char *name);

#endif
