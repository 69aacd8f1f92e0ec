/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file engine_fixture.h
 * @brief An engine on a driver whose edges and faults the test decides, and a
 *        log of what comes out of it. One per test; not thread-safe.
 */
#ifndef CUEBUS_ENGINE_FIXTURE_H
#define CUEBUS_ENGINE_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define FAKES      4U
#define FAKE_EDGES 32U

/** The source behind a "fake" input, by the digit at the end of its line's name. */
struct fake_source {
	struct driver base;
	struct driver_edge edges[FAKE_EDGES];
	size_t n_edges;
	bool level;
	bool is_open;
	int open_error; /**< what open() fails with, 0 for success */
	int read_error; /**< what read() fails with once its edges are read */
	unsigned opened, closed;
};

static struct fake_source fakes[FAKES];

static int fake_open(const struct driver_config *config, struct driver **ret_driver, char *error);
static int fake_fd(const struct driver *driver, unsigned index)
{
	(void)driver;
	(void)index;
	return -1;
}

static struct fake_source *fake_of(struct driver *driver)
{
	return (struct fake_source *)(void *)driver; /* `base` is the first member */
}

static int fake_read(struct driver *driver, struct driver_edge *edges, size_t max_edges)
{
	struct fake_source *fake = fake_of(driver);
	size_t n = fake->n_edges < max_edges ? fake->n_edges : max_edges;

	if (n == 0)
		return fake->read_error;
	memcpy(edges, fake->edges, n * sizeof(*edges));
	memmove(fake->edges, fake->edges + n, (fake->n_edges - n) * sizeof(*edges));
	fake->n_edges -= n;
	return (int)n;
}

static int fake_get(struct driver *driver, unsigned line, bool *ret_level)
{
	(void)line;
	*ret_level = fake_of(driver)->level;
	return 0;
}

static uint64_t fake_next_ns(const struct driver *driver)
{
	(void)driver;
	return UINT64_MAX;
}

static void fake_close(struct driver *driver)
{
	fake_of(driver)->closed++;
	fake_of(driver)->is_open = false;
}

static const struct driver_ops fake_ops = {
	.name = "fake",
	.open = fake_open,
	.fd = fake_fd,
	.read = fake_read,
	.get = fake_get,
	.next_ns = fake_next_ns,
	.close = fake_close,
};

static int fake_open(const struct driver_config *config, struct driver **ret_driver, char *error)
{
	struct fake_source *fake = &fakes[config->lines[0][strlen(config->lines[0]) - 1] - '0'];

	if (fake->is_open || fake->open_error) {
		snprintf(error, DRIVER_ERROR_SIZE, "%s is %s", config->lines[0],
		         fake->is_open ? "busy" : "broken");
		return fake->is_open ? -EBUSY : fake->open_error;
	}
	fake->base.ops = &fake_ops;
	fake->is_open = true;
	fake->opened++;
	*ret_driver = &fake->base;
	return 0;
}

static const struct driver_ops *fake_find(const char *name)
{
	return strcmp(name, "fake") == 0 ? &fake_ops : driver_find(name);
}

static inline void fake_edge(unsigned i, uint64_t time_ns, bool level, bool gap)
{
	fakes[i].level = level;
	fakes[i].edges[fakes[i].n_edges++] =
	        (struct driver_edge){ .time_ns = time_ns, .level = level, .gap = gap };
}

/** The engine and the text of its log: `type@time_ns data` a line. */
struct fixture {
	struct engine *engine;
	struct cue_subscription *watch;
	FILE *out;
	char *log;
	size_t log_len;
	uint64_t counter;
	char failures[512]; /**< texts passed to input_failed() or output_unsafe() */
};

static int fixture_random(void *user, void *buf, size_t len)
{
	struct fixture *f = user;
	unsigned char *bytes = buf;

	f->counter++;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)(f->counter >> (8 * (i % 8)));
	return 0;
}

static int fixture_on_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct fixture *f = user;

	(void)bus;
	fprintf(f->out, "%s@%llu %s\n", cue_event_type_name(event),
	        (unsigned long long)event->time_ns, cue_payload_bytes(event->payload, NULL));
	return 0;
}

static void fixture_input_failed(void *user, const char *input, const char *error)
{
	struct fixture *f = user;
	size_t len = strlen(f->failures);

	snprintf(f->failures + len, sizeof(f->failures) - len, "%s: %s\n", input,
	         error ? error : "restored");
}

/** For tests of outputs, to be set before fixture_set_up(). */
static const struct output_ops *(*fixture_find_output)(const char *name);
static void (*fixture_output_unsafe)(void *user, const char *output, int error);

static inline void fixture_set_up(struct fixture *f, const struct config *config)
{
	struct engine_config ec = {
		.config = config,
		.random = fixture_random,
		.input_failed = fixture_input_failed,
		.find_driver = fake_find,
		.find_output = fixture_find_output,
		.output_unsafe = fixture_output_unsafe,
		.user = f,
	};
	struct cue_subscription_config sub = {
		.type = "*",
		.priority = CUE_PRIORITY_BRIDGE,
		.handler = fixture_on_event,
		.user = f,
	};

	memset(fakes, 0, sizeof(fakes));
	*f = (struct fixture){ 0 };
	f->out = open_memstream(&f->log, &f->log_len);
	cr_assert_not_null(f->out);
	cr_assert_eq(engine_new(&ec, &f->engine), 0);
	cr_assert_eq(cue_bus_subscribe(engine_bus(f->engine), &sub, &f->watch), 0);
}

/** What was logged since the last call. Valid until the next. */
static inline const char *fixture_log(struct fixture *f)
{
	static char copy[8192];

	fflush(f->out);
	snprintf(copy, sizeof(copy), "%s", f->log);
	/* All of it: a text that is shorter than the one before does not cover it. */
	memset(f->log, 0, strlen(f->log));
	rewind(f->out);
	fflush(f->out);
	return copy;
}

static inline void fixture_tear_down(struct fixture *f)
{
	cue_subscription_cancel(f->watch);
	engine_free(f->engine);
	fclose(f->out);
	free(f->log);
}

#endif
