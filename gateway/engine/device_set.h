/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device_set.h
 * @brief Private: the inputs, or the outputs, of one configuration before the engine takes them.
 *
 * A reload creates a set for the new configuration. It keeps devices whose settings did not change
 * and creates the others. Closing what is replaced, opening what is new and committing are steps of
 * their own: a line may move from an input to an output, and after a failure the old devices
 * are in force. Thread: the loop's.
 */
#ifndef CUEBUS_DEVICE_SET_H
#define CUEBUS_DEVICE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "config_model.h"

struct engine;

/** An input or an output. Never defined: only its kind knows what it is. */
struct device;

/** Operations on the devices of one kind; `error` is as for engine_apply(). */
struct device_kind {
	size_t (*count)(const struct config *config);
	const void *(*settings_at)(const struct config *config, size_t index);
	bool (*has_settings)(const struct device *device, const void *settings);
	/** Create a closed device that borrows @p settings. @return 0; negative errno. */
	int (*create)(struct engine *engine, const void *settings, struct device **ret_device,
	              char *error);
	/** Close and free the device. */
	void (*destroy)(struct device *device);
	int (*open)(struct device *device, char *error);
	void (*close)(struct device *device);
	/** Open a device again after close(), because the reload was refused. */
	void (*resume)(struct device *device);
	/** Borrow @p settings, which are equal, from now on. */
	void (*rebind)(struct device *device, const void *settings);
	/** Take over what outlasts a change of settings, if @p old is its predecessor; optional. */
	void (*inherit)(struct device *device, const struct device *old);
	/** Begin to work, after all devices of the set are in force; optional. */
	void (*start)(struct device *device);
};

/** Devices in the configuration's order. Zero-initialise before use. */
struct device_list {
	struct device **items;
	size_t n;
};

struct device_set {
	const struct device_kind *kind;
	struct device_list list;
	bool *is_new; /**< created for this set; the others are in the current list too */
};

/** Destroy all devices of the list. */
void device_list_clear(struct device_list *list, const struct device_kind *kind);

/** @param set only `kind` is set; empty after a failure. @param current the devices in force.
 * @return 0; -ENOMEM; the errno of create(). */
int device_set_new(struct device_set *set, struct engine *engine, const struct config *config,
                   const struct device_list *current, char *error);

/** Close devices in force that are not in the set: the new ones may need the same lines. */
void device_set_close_replaced(const struct device_set *set, const struct device_list *current);

/** Open the new devices. @return 0; the errno of the first that fails. */
int device_set_open(struct device_set *set, char *error);

/** Put the set in force as @p current, and destroy devices that are not in it. Empties the set. */
void device_set_commit(struct device_set *set, struct device_list *current,
                       const struct config *config);

/** At the start: create and open all devices of @p config, and put them in force as @p current.
 * @return 0; the errno of device_set_new() or device_set_open(), and nothing is open. */
int device_set_begin(const struct device_kind *kind, struct engine *engine,
                     const struct config *config, struct device_list *current, char *error);

/** Close the new devices. */
void device_set_close_new(struct device_set *set);

/** Undo device_set_close_replaced(). */
void device_set_resume_replaced(const struct device_set *set, const struct device_list *current);

/** Destroy the new devices and empty the set. */
void device_set_discard(struct device_set *set);

#endif
