/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers_internal.h"

#include <string.h>

const struct driver_ops *driver_find(const char *name)
{
	static const struct driver_ops *const all[] = { &driver_gpio, &driver_sim, &driver_replay,
		                                        NULL };

	for (size_t i = 0; all[i]; i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	}
	return NULL;
}

const struct output_ops *output_driver_find(const char *name)
{
	static const struct output_ops *const all[] = { &output_driver_gpio, &output_driver_sim,
		                                        NULL };

	for (size_t i = 0; all[i]; i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	}
	return NULL;
}
