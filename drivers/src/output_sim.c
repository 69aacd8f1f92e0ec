/* SPDX-License-Identifier: Apache-2.0 */
/* An output without a device: it stores its level. */
#include <errno.h>
#include <stdlib.h>

#include "drivers_internal.h"

struct output_sim {
	struct output_driver base;
	bool level;
};

static int output_sim_open(const struct output_config *config, struct output_driver **ret_driver,
                           char *error)
{
	struct output_sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return driver_fail(error, -ENOMEM, "output \"%s\": out of memory", config->output);
	sim->base.ops = &output_driver_sim;
	sim->level = config->initial;
	*ret_driver = &sim->base;
	return 0;
}

static int output_sim_set(struct output_driver *driver, bool level)
{
	struct output_sim *sim = (struct output_sim *)driver;

	sim->level = level;
	return 0;
}

static int output_sim_get(struct output_driver *driver, bool *ret_level)
{
	const struct output_sim *sim = (const struct output_sim *)driver;

	*ret_level = sim->level;
	return 0;
}

static void output_sim_close(struct output_driver *driver)
{
	free(driver);
}

const struct output_ops output_driver_sim = {
	.name = "sim",
	.open = output_sim_open,
	.set = output_sim_set,
	.get = output_sim_get,
	.close = output_sim_close,
};
