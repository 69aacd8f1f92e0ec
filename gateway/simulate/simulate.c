/* SPDX-License-Identifier: Apache-2.0 */
#include "simulate.h"

#include <cuebus/cuebus.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "envelope.h"

/** Times on the wire are computed from signed nanoseconds, so later times have no timestamp. Sums
 * of earlier times and durations do not overflow. */
#define TIME_MAX_NS ((uint64_t)INT64_MAX)

struct simulation {
	struct simulation_config config;
	struct engine *engine;
	struct commands *commands;
	struct cue_subscription *bridge;
	struct envelope_context envelope;
	uint64_t random_state;
	size_t next_entry;
	int error; /**< the first failure inside a callback */
};

/*
 * splitmix64: G. L. Steele Jr., D. Lea, C. H. Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014; constants as in S. Vigna's
 * public domain version. Good enough for ids that only have to be distinct and
 * the same every time.
 */
static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int fixed_random(void *user, void *buf, size_t len)
{
	struct simulation *simulation = user;
	unsigned char *bytes = buf;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t value = splitmix64(&simulation->random_state);

		/* byte by byte, most significant first: the same on every machine */
		for (size_t k = 0; k < 8 && i + k < len; k++)
			bytes[i + k] = (unsigned char)(value >> (56 - 8 * k));
	}
	return 0;
}

static uint64_t clock_now(void *user)
{
	struct simulation *simulation = user;

	return simulation->config.clock_ns(simulation->config.user);
}

static int on_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct simulation *simulation = user;
	struct cue_writer w = { 0 };
	char *line;
	size_t len;
	int r;

	(void)bus;
	if (event->seq == 0)
		return 0; /* not bridged */
	envelope_write(&w, &simulation->envelope, event);
	r = cue_writer_finish(&w, &line, &len);
	if (r < 0) {
		simulation->error = r;
		return r;
	}
	simulation->config.event(simulation->config.user, event, line, len);
	free(line);
	return 0;
}

/* ---- portions ---- */

static struct cue_budget portion(const struct simulation *simulation)
{
	uint32_t steps = simulation->config.budget;

	return (struct cue_budget){ .steps = steps ? steps : UINT32_MAX };
}

int simulation_settle(struct simulation *simulation)
{
	struct cue_bus *bus = engine_bus(simulation->engine);
	int r;

	do {
		struct cue_budget budget = portion(simulation);

		r = cue_bus_dispatch(bus, &budget);
	} while (r == -EAGAIN);
	return r;
}

static int advance(struct simulation *simulation, uint64_t now_ns, bool inclusive)
{
	struct cue_bus *bus = engine_bus(simulation->engine);
	int r;

	do {
		struct cue_budget budget = portion(simulation);

		r = inclusive ? cue_bus_advance_within(bus, now_ns, &budget)
		              : cue_bus_advance_before_within(bus, now_ns, &budget);
	} while (r == -EAGAIN);
	return r;
}

/* ---- entries ---- */

static const struct trace_entry *entry_at(const struct simulation *simulation, size_t i)
{
	const struct trace *trace = simulation->config.trace;

	return trace && i < trace->n ? &trace->entries[i] : NULL;
}

static int run_command(struct simulation *simulation, const struct trace_entry *entry)
{
	struct command_request request = {
		.name = entry->name,
		.now_ns = cue_bus_now(engine_bus(simulation->engine)),
	};
	char *reply;
	size_t len;
	int r;

	request.payload = cue_payload_bytes(entry->data, &request.payload_len);
	r = commands_run(simulation->commands, &request, &reply, &len);
	if (r < 0)
		return r;
	/* The events of the command come before its reply. */
	r = simulation_settle(simulation);
	if (simulation->config.reply)
		simulation->config.reply(simulation->config.user, entry->name, reply, len);
	free(reply);
	return r;
}

static int feed(struct simulation *simulation, const struct trace_entry *entry)
{
	uint64_t time_ns = simulation->config.start_ns + entry->time_ns;
	struct cue_bus *bus = engine_bus(simulation->engine);
	struct cue_emit emit = {
		.type = entry->name,
		.producer_id = entry->producer_id,
		.payload = entry->data,
		.time_ns = time_ns,
	};
	int r;

	r = advance(simulation, time_ns, false);
	if (r < 0)
		return r;
	switch (entry->type) {
	case TRACE_EVENT:
		/* The bus itself counts and reports a refusal (a limit). */
		(void)cue_bus_emit(bus, &emit, NULL);
		return simulation_settle(simulation);
	case TRACE_INPUT_SET:
		r = engine_input_set(simulation->engine, entry->name, entry->input_line,
		                     entry->level, time_ns);
		return r < 0 ? r : simulation_settle(simulation);
	case TRACE_COMMAND:
		return run_command(simulation, entry);
	}
	return -EINVAL;
}

static const struct config_input *find_input(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_inputs; i++) {
		if (strcmp(config->inputs[i].name, name) == 0)
			return &config->inputs[i];
	}
	return NULL;
}

static int check_entry(const struct config *config, const struct trace_entry *entry,
                       char error[SIMULATION_ERROR_SIZE])
{
	const struct config_input *input;

	if (entry->time_ns > CUE_DURATION_MAX_NS) {
		snprintf(error, SIMULATION_ERROR_SIZE, "the time is over 10 years after the start");
		return -EINVAL;
	}
	switch (entry->type) {
	case TRACE_EVENT:
		if (!cue_type_is_reserved(entry->name))
			return 0;
		snprintf(
		        error, SIMULATION_ERROR_SIZE,
		        "\"%s\" is a reserved event type: the simulation itself emits these, leave "
		        "them out of the trace",
		        entry->name);
		return -EINVAL;
	case TRACE_INPUT_SET:
		input = find_input(config, entry->name);
		if (!input) {
			snprintf(error, SIMULATION_ERROR_SIZE,
			         "there is no input \"%s\" in the configuration", entry->name);
			return -EINVAL;
		}
		if (entry->input_line >= (input->decoder.kind == DECODER_ROTARY ? 2U : 1U)) {
			snprintf(
			        error, SIMULATION_ERROR_SIZE,
			        "input \"%s\" has no line %u (a rotary has 0 and 1, any other kind "
			        "0)",
			        entry->name, entry->input_line);
			return -EINVAL;
		}
		return 0;
	case TRACE_COMMAND:
		return 0; /* its reply has the error */
	}
	return -EINVAL;
}

static int check_trace(const struct simulation_config *config, char error[SIMULATION_ERROR_SIZE],
                       unsigned *ret_line)
{
	for (size_t i = 0; config->trace && i < config->trace->n; i++) {
		int r = check_entry(config->config, &config->trace->entries[i], error);

		if (r < 0) {
			*ret_line = config->trace->entries[i].line;
			return r;
		}
	}
	return 0;
}

/* ---- life ---- */

static int make_parts(struct simulation *simulation)
{
	const struct simulation_config *config = &simulation->config;
	struct engine_config ec = {
		.config = config->config,
		.start_ns = config->start_ns,
		.wall_offset_ns = -(int64_t)config->start_ns,
		.random = fixed_random,
		.clock_ns = config->clock_ns ? clock_now : NULL,
		.user = simulation,
		.virtual_devices = true,
	};
	struct commands_config cc = {
		.boot_id = SIMULATION_BOOT_ID,
		.start_ns = config->start_ns,
	};
	struct cue_subscription_config sub = {
		.type = "*",
		.priority = CUE_PRIORITY_BRIDGE,
		.handler = on_event,
		.user = simulation,
		.name = "simulation",
	};
	int r;

	r = engine_new(&ec, &simulation->engine);
	if (r < 0)
		return r;
	engine_be_fair(simulation->engine);
	cc.engine = simulation->engine;
	r = commands_new(&cc, &simulation->commands);
	if (r < 0)
		return r;
	return cue_bus_subscribe(engine_bus(simulation->engine), &sub, &simulation->bridge);
}

int simulation_new(const struct simulation_config *config, struct simulation **ret_simulation,
                   char error[SIMULATION_ERROR_SIZE], unsigned *ret_line)
{
	struct simulation *simulation;
	int r;

	error[0] = '\0';
	*ret_line = 0;
	if (config->start_ns > INT64_MAX)
		return -EINVAL;
	r = check_trace(config, error, ret_line);
	if (r < 0)
		return r;
	simulation = calloc(1, sizeof(*simulation));
	if (!simulation)
		return -ENOMEM;
	simulation->config = *config;
	simulation->envelope = (struct envelope_context){
		.boot_id = SIMULATION_BOOT_ID,
		.wall_offset_ns = -(int64_t)config->start_ns,
		.monotonic_base_ns = config->start_ns,
	};
	r = make_parts(simulation);
	if (r < 0) {
		simulation_free(simulation);
		return r;
	}
	*ret_simulation = simulation;
	return 0;
}

struct simulation *simulation_free(struct simulation *simulation)
{
	if (!simulation)
		return NULL;
	commands_free(simulation->commands);
	cue_subscription_cancel(simulation->bridge);
	engine_free(simulation->engine);
	free(simulation);
	return NULL;
}

struct engine *simulation_engine(struct simulation *simulation)
{
	return simulation->engine;
}

uint64_t simulation_events(const struct simulation *simulation)
{
	struct cue_bus_stats stats;

	cue_bus_get_stats(engine_bus(simulation->engine), &stats);
	return stats.events;
}

/* ---- time ---- */

int simulation_start(struct simulation *simulation)
{
	char error[SIMULATION_ERROR_SIZE];
	int r = engine_open_inputs(simulation->engine, error);

	return r < 0 ? r : simulation_settle(simulation);
}

static int feed_up_to(struct simulation *simulation, uint64_t time_ns, bool inclusive)
{
	const struct trace_entry *entry;

	while ((entry = entry_at(simulation, simulation->next_entry)) &&
	       (inclusive ? entry->time_ns <= time_ns : entry->time_ns < time_ns)) {
		int r = feed(simulation, entry);

		if (r < 0)
			return r;
		simulation->next_entry++;
	}
	return simulation->error;
}

int simulation_advance(struct simulation *simulation, uint64_t time_ns)
{
	int r = feed_up_to(simulation, time_ns, true);

	if (r >= 0)
		r = advance(simulation, simulation->config.start_ns + time_ns, true);
	return r < 0 ? r : simulation->error;
}

int simulation_advance_before(struct simulation *simulation, uint64_t time_ns)
{
	int r = feed_up_to(simulation, time_ns, false);

	if (r >= 0)
		r = advance(simulation, simulation->config.start_ns + time_ns, false);
	return r < 0 ? r : simulation->error;
}

uint64_t simulation_next(const struct simulation *simulation)
{
	const struct trace_entry *entry = entry_at(simulation, simulation->next_entry);
	uint64_t deadline_ns = engine_next_deadline(simulation->engine);

	if (deadline_ns > TIME_MAX_NS)
		deadline_ns = CUE_TIME_NONE;
	else
		deadline_ns = deadline_ns > simulation->config.start_ns
		                      ? deadline_ns - simulation->config.start_ns
		                      : 0;
	return entry && entry->time_ns < deadline_ns ? entry->time_ns : deadline_ns;
}

bool simulation_is_cut(const struct simulation *simulation)
{
	uint64_t deadline_ns = engine_next_deadline(simulation->engine);

	return deadline_ns > TIME_MAX_NS && deadline_ns != CUE_TIME_NONE;
}
