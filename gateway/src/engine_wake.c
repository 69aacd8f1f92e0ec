/* SPDX-License-Identifier: Apache-2.0 */
/* One wake of the engine: everything that is ready is read first and merged by
 * the kernel's time, so that two inputs' edges are taken in the order in which
 * they happened and a late wake-up changes nothing but `late_us`. */
#include "engine_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define READ_EDGES 64U
/** Edges taken from one input in one wake; what is left is read in the next. */
#define EDGES_PER_INPUT_MAX 4096U

struct pending_edge {
	struct driver_edge edge;
	struct input *input;
	size_t order; /**< of reading; makes the sort stable */
};

struct failure {
	struct input *input;
	int error;
};

struct wake_buffers {
	struct pending_edge *edges;
	size_t n_edges, cap_edges;
	struct failure *failures;
	size_t n_failures, cap_failures;
	struct pollfd *fds;
	size_t n_fds, cap_fds;
};

struct wake_buffers *wake_buffers_new(void)
{
	return calloc(1, sizeof(struct wake_buffers));
}

struct wake_buffers *wake_buffers_free(struct wake_buffers *buffers)
{
	if (!buffers)
		return NULL;
	free(buffers->edges);
	free(buffers->failures);
	free(buffers->fds);
	free(buffers);
	return NULL;
}

/** Room for one more. @return the array, maybe moved; NULL when memory ran out (@p array stays valid). */
static void *reserve(void *array, size_t n, size_t *cap, size_t size)
{
	size_t larger;
	void *p;

	if (n < *cap)
		return array;
	larger = *cap ? 2 * *cap : 64;
	p = realloc(array, larger * size);
	if (p)
		*cap = larger;
	return p;
}

static bool keep_edge(struct wake_buffers *b, struct input *input, const struct driver_edge *edge)
{
	struct pending_edge *edges = reserve(b->edges, b->n_edges, &b->cap_edges, sizeof(*edges));

	if (!edges)
		return false;
	b->edges = edges;
	edges[b->n_edges] = (struct pending_edge){ .edge = *edge, .input = input, .order = b->n_edges };
	b->n_edges++;
	return true;
}

static void keep_failure(struct wake_buffers *b, struct input *input, int error)
{
	struct failure *failures =
		reserve(b->failures, b->n_failures, &b->cap_failures, sizeof(*failures));

	if (!failures)
		return; /* it fails again at the next wake */
	b->failures = failures;
	failures[b->n_failures++] = (struct failure){ .input = input, .error = error };
}

static void read_input(struct wake_buffers *b, struct input *input)
{
	struct driver *driver = input_driver(input);
	struct driver_edge edges[READ_EDGES];
	size_t total = 0;
	int n;

	do {
		n = driver->ops->read(driver, edges, READ_EDGES);
		for (int i = 0; i < n; i++) {
			if (keep_edge(b, input, &edges[i]))
				continue;
			keep_failure(b, input, -ENOMEM);
			return;
		}
		total += n > 0 ? (size_t)n : 0;
	} while (n == (int)READ_EDGES && total < EDGES_PER_INPUT_MAX);
	if (n < 0)
		keep_failure(b, input, n);
}

/** Append the input's descriptors to the poll set. */
static void collect_fds(struct wake_buffers *b, const struct input *input)
{
	const struct driver *driver = input_driver(input);
	int fd;

	for (unsigned i = 0; (fd = driver->ops->fd(driver, i)) >= 0; i++) {
		struct pollfd *fds = reserve(b->fds, b->n_fds, &b->cap_fds, sizeof(*fds));

		if (!fds)
			break;
		b->fds = fds;
		fds[b->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

/** Whether one of @p n descriptors from @p first on is ready; without any, the driver itself knows. */
static bool is_ready(const struct wake_buffers *b, size_t first, size_t n)
{
	for (size_t i = first; i < first + n && i < b->n_fds; i++) {
		if (b->fds[i].revents)
			return true;
	}
	return n == 0;
}

static void read_all(struct engine *engine)
{
	struct wake_buffers *b = engine->buffers;
	size_t first = 0;

	b->n_fds = 0;
	for (size_t i = 0; i < engine->n_inputs; i++) {
		if (input_driver(engine->inputs[i]))
			collect_fds(b, engine->inputs[i]);
	}
	if (b->n_fds > 0 && poll(b->fds, b->n_fds, 0) < 0) {
		/* EINTR or no memory: the descriptors stay ready for the next wake. */
		for (size_t i = 0; i < b->n_fds; i++)
			b->fds[i].revents = 0;
	}
	for (size_t i = 0; i < engine->n_inputs; i++) {
		const struct driver *driver = input_driver(engine->inputs[i]);
		size_t n = 0;

		if (!driver)
			continue;
		while (driver->ops->fd(driver, (unsigned)n) >= 0)
			n++;
		/* next_ns: edges that a full array left in the driver, of which no descriptor tells */
		if (is_ready(b, first, n) || driver->ops->next_ns(driver) != UINT64_MAX)
			read_input(b, engine->inputs[i]);
		first += n;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct pending_edge *x = a, *y = b;

	if (x->edge.time_ns != y->edge.time_ns)
		return x->edge.time_ns < y->edge.time_ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/** Read and feed what is ready; the bus is left at the last edge's time. */
static void feed_ready(struct engine *engine, uint64_t now_ns)
{
	struct wake_buffers *b = engine->buffers;

	b->n_edges = 0;
	b->n_failures = 0;
	read_all(engine);
	if (b->n_edges > 1)
		qsort(b->edges, b->n_edges, sizeof(*b->edges), by_time);
	for (size_t i = 0; i < b->n_edges; i++) {
		const struct pending_edge *p = &b->edges[i];
		uint64_t time_ns = p->edge.time_ns < now_ns ? p->edge.time_ns : now_ns;

		/* An edge that is older than the bus's now is fed as it is: its event
		 * keeps the kernel's time, though what was due before it has fired. */
		(void)cue_bus_advance_before(engine->bus, time_ns);
		input_feed(p->input, &p->edge, time_ns);
	}
	for (size_t i = 0; i < b->n_failures; i++) {
		/* A retry that is due must not be run before the failure is known. */
		(void)cue_bus_advance_before(engine->bus, now_ns);
		input_fail(b->failures[i].input, strerrordesc_np(-b->failures[i].error));
	}
}

void engine_wake(struct engine *engine, uint64_t now_ns)
{
	feed_ready(engine, now_ns);
	(void)cue_bus_advance(engine->bus, now_ns);
}

uint64_t engine_next_deadline(struct engine *engine)
{
	uint64_t next_ns = cue_bus_next_deadline(engine->bus);

	for (size_t i = 0; i < engine->n_inputs; i++) {
		const struct driver *driver = input_driver(engine->inputs[i]);
		uint64_t ns = driver ? driver->ops->next_ns(driver) : UINT64_MAX;

		if (ns < next_ns)
			next_ns = ns;
	}
	return next_ns;
}

size_t engine_fds(struct engine *engine, int *fds, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < engine->n_inputs; i++) {
		const struct driver *driver = input_driver(engine->inputs[i]);
		int fd;

		for (unsigned k = 0; driver && (fd = driver->ops->fd(driver, k)) >= 0; k++) {
			if (n < max)
				fds[n] = fd;
			n++;
		}
	}
	return n;
}

static struct input *find_input(struct engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->n_inputs; i++) {
		if (strcmp(input_config(engine->inputs[i])->name, name) == 0)
			return engine->inputs[i];
	}
	return NULL;
}

int engine_input_set(struct engine *engine, const char *name, unsigned line, bool level,
                     uint64_t time_ns)
{
	struct input *input = find_input(engine, name);
	struct driver_edge edge = { .time_ns = time_ns, .line = line, .level = level };

	if (!input)
		return -ENOENT;
	if (!input_is_sim(input))
		return -EPERM;
	if (line >= input_lines(input))
		return -EINVAL;
	if (input_driver(input)) {
		int r = driver_sim_set(input_driver(input), line, level, time_ns);

		if (r < 0)
			return r;
	}
	/* Edges of other inputs from before are taken first, as in a wake. */
	feed_ready(engine, time_ns);
	(void)cue_bus_advance_before(engine->bus, time_ns);
	if (!input_driver(input))
		input_feed(input, &edge, time_ns);
	return 0;
}
