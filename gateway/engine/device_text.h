/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device_text.h
 * @brief Private: what events and errors say about an input or an output. Thread: the loop's.
 */
#ifndef CUEBUS_DEVICE_TEXT_H
#define CUEBUS_DEVICE_TEXT_H

#include "engine.h"

/** The words in which inputs and outputs differ. */
struct device_text {
	const char *kind;         /**< `input` or `output`: in errors, and the key in events */
	const char *drivers;      /**< the drivers that are built in, for an error */
	const char *types_exceed; /**< subject and verb before "limits.event_types" */
};

/** The data of an event about a device's driver: its name, and the @p reason of a failure or, if
 * that is NULL, the @p attempts until it worked again. @return a new reference; NULL: memory ran
 * out. */
struct cue_payload *device_event_data(const struct engine *engine, const struct device_text *text,
                                      const char *name, const char *reason, uint64_t attempts);

/** Why the device @p name with the configured @p driver could not be created.
 * @param r -ENODEV unknown driver; -ENOSPC too many event types; any other negative errno. */
void device_create_error(const struct device_text *text, const char *name, const char *driver,
                         int r, char error[ENGINE_ERROR_SIZE]);

/** Why @p driver could not open the device, where the driver itself left @p error empty. */
void device_open_error(const struct device_text *text, const char *name, const char *driver, int r,
                       char error[ENGINE_ERROR_SIZE]);

#endif
