/* SPDX-License-Identifier: Apache-2.0 */
/* One wake-up of the engine: everything that is ready is read first and merged by the kernel's
 * time, so that edges of two inputs are handled in the order in which they happened, and a late
 * wake-up changes only `late_us`.
 *
 * With a budget a wake-up may end before its work is done; edges that were read but not fed are
 * kept. An edge or a message then has to wait as follows:
 *
 *   events wait for dispatch | timers overdue    | an edge, a message
 *   -------------------------+-------------------+-----------------------------------
 *   yes                      | any               | waits: a dispatch is not broken up, but
 *                            |                   | what waits for 100 ms is cut (2 s where
 *                            |                   | no device waits): it leads to no more
 *   no                       | 20 ms or less     | waits: timers before it go first
 *   no                       | more than 20 ms   | overtakes them; only urgent timers
 *                            | since a wake that | (ends of debounce, devices) before
 *                            | did not finish    | it go first */
#include "array.h"
#include "engine_internal.h"
#include "wake_buffers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define READ_EDGES 64U
/** Edges read from one input in one wake-up; the next one reads more. */
#define EDGES_PER_INPUT_MAX 4096U
/** If more edges than this wait to be fed, no input is read: the driver keeps or drops its
 * edges. */
#define EDGES_WAITING_MAX 4096U
/** Budget before an edge that is set by command. */
#define STEPS_FOR_ONE_EDGE 4096U
/** Timers that are overdue by more than this under load are overtaken. */
#define OVERLOAD_NS (20 * CUE_NS_PER_MS)
/** How long waiting events may delay a device, or anything else, before the backlog is cut. */
#define DEVICE_PATIENCE_NS (100 * CUE_NS_PER_MS)
#define PATIENCE_NS        (2 * CUE_NS_PER_S)

static void read_input(struct wake_buffers *b, struct input *input)
{
	struct driver *driver = input_driver(input);
	struct driver_edge edges[READ_EDGES];
	size_t total = 0;
	int n;

	do {
		n = driver->ops->read(driver, edges, READ_EDGES);
		for (int i = 0; i < n; i++) {
			if (wake_buffers_keep_edge(b, input, &edges[i]))
				continue;
			wake_buffers_keep_failure(b, input, -ENOMEM);
			return;
		}
		total += n > 0 ? (size_t)n : 0;
	} while (n == (int)READ_EDGES && total < EDGES_PER_INPUT_MAX);
	if (n < 0)
		wake_buffers_keep_failure(b, input, n);
}

/** Append the input's descriptors to the poll set. */
static void collect_fds(struct wake_buffers *b, const struct input *input)
{
	const struct driver *driver = input_driver(input);
	int fd;

	for (unsigned i = 0; (fd = driver->ops->fd(driver, i)) >= 0; i++) {
		struct pollfd *fds = array_grow(b->fds, b->n_fds, &b->cap_fds, sizeof(*fds));

		if (!fds)
			break;
		b->fds = fds;
		fds[b->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

/** Whether one of @p n descriptors from @p first on is ready; without descriptors the driver itself
 * decides. */
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
	for (size_t i = 0; i < engine->inputs.n; i++) {
		if (input_driver(engine_input(engine, i)))
			collect_fds(b, engine_input(engine, i));
	}
	if (b->n_fds > 0 && poll(b->fds, b->n_fds, 0) < 0) {
		/* EINTR or no memory: the descriptors stay ready for the next wake-up. */
		for (size_t i = 0; i < b->n_fds; i++)
			b->fds[i].revents = 0;
	}
	for (size_t i = 0; i < engine->inputs.n; i++) {
		const struct driver *driver = input_driver(engine_input(engine, i));
		size_t n = 0;

		if (!driver)
			continue;
		while (driver->ops->fd(driver, (unsigned)n) >= 0)
			n++;
		/* next_ns: edges that a full array left in the driver, for which no descriptor is
		 * ready */
		if (is_ready(b, first, n) || driver->ops->next_ns(driver) != UINT64_MAX)
			read_input(b, engine_input(engine, i));
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

static void collect(struct engine *engine)
{
	struct wake_buffers *b = engine->buffers;
	size_t n_waiting = b->n_edges - b->n_fed;

	if (n_waiting > 0 && b->n_fed > 0)
		memmove(b->edges, b->edges + b->n_fed, n_waiting * sizeof(*b->edges));
	b->n_edges = n_waiting;
	b->n_fed = 0;
	if (n_waiting < EDGES_WAITING_MAX)
		read_all(engine);
	if (b->n_edges > 1)
		qsort(b->edges, b->n_edges, sizeof(*b->edges), by_time);
}

/* ---- the bus's time ---- */

/** Whether the engine is overloaded: see the table above. */
static bool is_overloaded(const struct engine *engine, uint64_t now_ns)
{
	return engine->behind && cue_bus_overdue(engine->bus, now_ns) > OVERLOAD_NS;
}

/** Advance the bus to before @p time_ns, for a device. */
static int reach(struct engine *engine, uint64_t time_ns, uint64_t now_ns,
                 struct cue_budget *budget)
{
	int r;

	if (!is_overloaded(engine, now_ns))
		return cue_bus_advance_before_within(engine->bus, time_ns, budget);
	r = cue_bus_overtake(engine->bus, time_ns, false, budget);
	if (r >= 0 && cue_bus_overdue(engine->bus, time_ns) > 0)
		engine->wake_totals.overtaken++;
	return r;
}

/**
 * Read and feed the ready edges; afterwards the bus is at the last edge's time.
 * @return 0; -EAGAIN the budget is used up.
 */
static int feed_ready(struct engine *engine, uint64_t now_ns, struct cue_budget *budget)
{
	struct wake_buffers *b = engine->buffers;
	int r = 0;

	collect(engine);
	while (r >= 0 && b->n_fed < b->n_edges) {
		struct pending_edge p = b->edges[b->n_fed];
		uint64_t time_ns = p.edge.time_ns < now_ns ? p.edge.time_ns : now_ns;

		/* An edge older than the bus's now is fed unchanged: its event keeps the kernel's
		 * time, although timers due before it have fired. */
		r = reach(engine, time_ns, now_ns, budget);
		if (r < 0)
			break;
		b->n_fed++;
		input_feed(p.input, &p.edge, time_ns);
	}
	while (r >= 0 && b->n_failures > 0) {
		struct failure failure = b->failures[0];

		/* A due retry must not run before the failure is known. */
		r = reach(engine, now_ns, now_ns, budget);
		if (r < 0)
			break;
		b->n_failures--;
		memmove(b->failures, b->failures + 1, b->n_failures * sizeof(*b->failures));
		input_fail(failure.input, strerrordesc_np(-failure.error));
	}
	return r;
}

/** Whether an edge, a failure or the end of a debounce has to wait for the dispatch. */
static bool is_device_waiting(const struct engine *engine, uint64_t now_ns)
{
	const struct wake_buffers *b = engine->buffers;

	return b->n_fed < b->n_edges || b->n_failures > 0 ||
	       cue_bus_is_urgent_due(engine->bus, now_ns);
}

static void cut_backlog_in_time(struct engine *engine, uint64_t now_ns)
{
	uint64_t patience_ns;

	if (!engine->fair || !cue_bus_has_waiting(engine->bus)) {
		engine->backlog_since_ns = 0;
		return;
	}
	collect(engine);
	if (engine->backlog_since_ns == 0)
		engine->backlog_since_ns = now_ns;
	patience_ns = is_device_waiting(engine, now_ns) ? DEVICE_PATIENCE_NS : PATIENCE_NS;
	if (now_ns - engine->backlog_since_ns >= patience_ns)
		cue_bus_cut_backlog(engine->bus);
}

int engine_wake_within(struct engine *engine, uint64_t now_ns, struct cue_budget *budget)
{
	int r;

	cut_backlog_in_time(engine, now_ns);
	r = feed_ready(engine, now_ns, budget);
	if (r >= 0 && is_overloaded(engine, now_ns))
		r = cue_bus_overtake(engine->bus, now_ns, true, budget);
	if (r >= 0)
		r = cue_bus_advance_within(engine->bus, now_ns, budget);
	engine->behind = r == -EAGAIN;
	engine->wake_totals.unfinished += r == -EAGAIN;
	return r;
}

int engine_admit(struct engine *engine, uint64_t now_ns, struct cue_budget *budget)
{
	int r = feed_ready(engine, now_ns, budget);

	if (r < 0)
		return r;
	if (is_overloaded(engine, now_ns)) {
		r = cue_bus_overtake(engine->bus, now_ns, true, budget);
		engine->wake_totals.overtaken += r >= 0;
		return r;
	}
	r = cue_bus_advance_within(engine->bus, now_ns, budget);
	if (r == -EAGAIN)
		engine->behind = true;
	return r;
}

void engine_wake(struct engine *engine, uint64_t now_ns)
{
	(void)engine_wake_within(engine, now_ns, NULL);
}

void engine_get_wake_totals(const struct engine *engine, struct engine_wake_totals *ret_totals)
{
	*ret_totals = engine->wake_totals;
}

uint64_t engine_next_deadline(struct engine *engine)
{
	uint64_t next_ns = cue_bus_next_deadline(engine->bus);

	for (size_t i = 0; i < engine->inputs.n; i++) {
		const struct driver *driver = input_driver(engine_input(engine, i));
		uint64_t ns = driver ? driver->ops->next_ns(driver) : UINT64_MAX;

		if (ns < next_ns)
			next_ns = ns;
	}
	return next_ns;
}

size_t engine_fds(struct engine *engine, int *fds, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < engine->inputs.n; i++) {
		const struct driver *driver = input_driver(engine_input(engine, i));
		int fd;

		for (unsigned k = 0; driver && (fd = driver->ops->fd(driver, k)) >= 0; k++) {
			if (n < max)
				fds[n] = fd;
			n++;
		}
	}
	return n;
}

int engine_input_set(struct engine *engine, const char *name, unsigned line, bool level,
                     uint64_t time_ns)
{
	struct input *input = engine_find_input(engine, name);
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
	if (engine->fair) {
		struct cue_budget budget = { .steps = STEPS_FOR_ONE_EDGE };

		/* The caller has called engine_admit(), so the bus is at the right time. Edges
		 * beyond the budget are fed in the next wake-up. */
		if (input_driver(input))
			(void)feed_ready(engine, time_ns, &budget);
		else
			input_feed(input, &edge, time_ns);
		return 0;
	}
	/* Feed earlier edges of other inputs first, as in a wake-up. */
	(void)feed_ready(engine, time_ns, NULL);
	(void)cue_bus_advance_before(engine->bus, time_ns);
	if (!input_driver(input))
		input_feed(input, &edge, time_ns);
	return 0;
}
