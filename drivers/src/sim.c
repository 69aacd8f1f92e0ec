/* SPDX-License-Identifier: Apache-2.0 */
/* driver_sim_set() appends edges to a ring; read() takes them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers_internal.h"

#define SIM_EDGES_MAX 1024U

struct sim {
	struct driver base;
	size_t n_lines;
	bool levels[DRIVER_LINES_MAX]; /* after the last edge that was set, read or not */
	size_t first, n;
	struct driver_edge edges[SIM_EDGES_MAX];
};

static int sim_open(const struct driver_config *config, struct driver **ret_driver, char *error)
{
	struct sim *sim;

	if (config->n_lines < 1 || config->n_lines > DRIVER_LINES_MAX)
		return driver_fail(error, -EINVAL,
		                   "input \"%s\": a sim input has 1 or %u lines, not %zu",
		                   config->input, DRIVER_LINES_MAX, config->n_lines);
	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return driver_fail(error, -ENOMEM, "input \"%s\": out of memory", config->input);
	sim->base.ops = &driver_sim;
	sim->n_lines = config->n_lines;
	*ret_driver = &sim->base;
	return 0;
}

static int sim_fd(const struct driver *driver, unsigned index)
{
	(void)driver;
	(void)index;
	return -1;
}

static int sim_read(struct driver *driver, struct driver_edge *edges, size_t max_edges)
{
	struct sim *sim = (struct sim *)driver;
	size_t n = sim->n < max_edges ? sim->n : max_edges;

	for (size_t i = 0; i < n; i++)
		edges[i] = sim->edges[(sim->first + i) % SIM_EDGES_MAX];
	sim->first = (sim->first + n) % SIM_EDGES_MAX;
	sim->n -= n;
	return (int)n;
}

static int sim_get(struct driver *driver, unsigned line, bool *ret_level)
{
	const struct sim *sim = (const struct sim *)driver;

	if (line >= sim->n_lines)
		return -EINVAL;
	*ret_level = sim->levels[line];
	return 0;
}

static uint64_t sim_next_ns(const struct driver *driver)
{
	const struct sim *sim = (const struct sim *)driver;

	return sim->n ? sim->edges[sim->first].time_ns : UINT64_MAX;
}

static void sim_close(struct driver *driver)
{
	free(driver);
}

const struct driver_ops driver_sim = {
	.name = "sim",
	.open = sim_open,
	.fd = sim_fd,
	.read = sim_read,
	.get = sim_get,
	.next_ns = sim_next_ns,
	.close = sim_close,
};

int driver_sim_set(struct driver *driver, unsigned line, bool level, uint64_t time_ns)
{
	struct sim *sim = (struct sim *)driver;

	if (driver->ops != &driver_sim || line >= sim->n_lines)
		return -EINVAL;
	if (sim->n == SIM_EDGES_MAX)
		return -ENOBUFS;
	sim->edges[(sim->first + sim->n) % SIM_EDGES_MAX] =
	        (struct driver_edge){ .time_ns = time_ns, .line = line, .level = level };
	sim->n++;
	sim->levels[line] = level;
	return 0;
}
