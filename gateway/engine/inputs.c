/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One input: a driver that delivers edges, a decoder that turns them into changes, and one timer on
 * the bus for the decoder's deadline, so that the end of a debounce is ordered with all other
 * deadlines.
 *
 *   state  | edge         | gap                  | read fails             | retry due
 *   CLOSED | impossible   | impossible           | impossible             | impossible
 *   OPEN   | decode, emit | input.resync, resync | input.failed, close,   | impossible
 *          |              |                      | retry in 1 s -> FAILED |
 *   FAILED | impossible   | impossible           | impossible             | open: input.restored,
 *          |              |                      |                        | resync -> OPEN; else
 *          |              |                      |                        | twice the delay, 30 s
 *          |              |                      |                        | at most
 *
 * A refused reload closes inputs and opens them again. A FAILED input that then opens is restored
 * too; one that does not open stays FAILED without another event.
 *
 * A virtual input (simulate) is OPEN without a driver.
 */
#include "engine_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_text.h"
#include "input_event.h"
#include "retry.h"
#include "wake_buffers.h"

static const struct device_text text = {
	.kind = "input",
	.drivers = "gpio, sim and replay",
	.types_exceed = "its event types exceed",
};

enum input_state { INPUT_CLOSED, INPUT_OPEN, INPUT_FAILED };

struct input {
	struct engine *engine;
	const struct config_input *config;
	const struct driver_ops *ops; /**< NULL: virtual */
	struct driver *driver;
	struct decoder *decoder;
	struct cue_timer *tick;
	struct retry retry;
	char *extra; /**< the configured data, see input_event_extra() */
	enum input_state state;
	bool failing; /**< input.failed was emitted, input.restored not yet */
	bool levels[DRIVER_LINES_MAX];
	struct cue_payload *value; /**< last event's data */
	uint64_t value_time_ns;
	uint64_t edges, gaps;
};

const struct config_input *input_config(const struct input *input)
{
	return input->config;
}

struct driver *input_driver(const struct input *input)
{
	return input->driver;
}

unsigned input_lines(const struct input *input)
{
	return input->config->decoder.kind == DECODER_ROTARY ? 2 : 1;
}

bool input_is_sim(const struct input *input)
{
	return !input->ops || strcmp(input->ops->name, "sim") == 0;
}

void input_rebind(struct input *input, const struct config_input *config)
{
	input->config = config;
}

/* ---- events ---- */

/** @param data a reference is taken. */
static void set_value(struct input *input, struct cue_payload *data, uint64_t time_ns)
{
	struct engine *engine = input->engine;

	cue_payload_unref(input->value);
	input->value = cue_payload_ref(data);
	input->value_time_ns = time_ns;
	if (engine->config.input_changed)
		engine->config.input_changed(engine->config.user, input->config->name);
}

static void emit_change(struct input *input, const struct decoder_change *change)
{
	const struct config_input *config = input->config;
	const char *type = change->type == DECODER_RELEASED ? config->release_event : config->event;
	struct engine *engine = input->engine;
	struct cue_payload *data = NULL;

	(void)input_event_data(config->name, change, input->extra, &data);
	if (data)
		set_value(input, data, change->time_ns);
	/* A release without release_event still changes the input's value. */
	if (type)
		engine_emit(engine, type, config->producer_id, data, change->time_ns);
	else
		cue_payload_unref(data);
}

static void emit_changes(struct input *input, const struct decoder_change *changes, int n)
{
	uint64_t deadline_ns;

	for (int i = 0; i < n; i++)
		emit_change(input, &changes[i]);
	deadline_ns = decoder_deadline(input->decoder);
	if (deadline_ns == UINT64_MAX)
		cue_timer_disarm(input->tick);
	else
		cue_timer_arm(input->tick, deadline_ns);
}

static void on_tick(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	struct input *input = user;

	(void)bus;
	emit_changes(input, changes, decoder_tick(input->decoder, deadline_ns, changes));
}

static void emit_resync(struct input *input, const struct driver_edge *edge, uint64_t time_ns)
{
	struct cue_payload *data = NULL;
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_writer_key(&w, "input");
	cue_writer_string(&w, input->config->name);
	cue_writer_key(&w, "line");
	cue_writer_u64(&w, edge->line);
	cue_writer_key(&w, "level");
	cue_writer_bool(&w, edge->level);
	cue_writer_key(&w, "lost"); /* the kernel doesn't say how many */
	cue_writer_null(&w);
	cue_writer_object_end(&w);
	(void)cue_writer_finish_payload(&w, &data);
	engine_emit(input->engine, "input.resync", input->config->producer_id, data, time_ns);
}

void input_feed(struct input *input, const struct driver_edge *edge, uint64_t time_ns)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	int n;

	if (edge->line >= input_lines(input))
		return;
	input->edges++;
	input->levels[edge->line] = edge->level;
	if (edge->gap) {
		input->gaps++;
		emit_resync(input, edge, time_ns);
		n = decoder_resync(input->decoder, edge->line, edge->level, time_ns, changes);
	} else {
		n = decoder_edge(input->decoder, edge->line, edge->level, time_ns, changes);
	}
	emit_changes(input, changes, n);
}

/** Show the position of a rotary with a range in the retained view, although no event had it. */
static void show_position(struct input *input)
{
	uint64_t now_ns = cue_bus_now(input->engine->bus);
	struct cue_payload *data = NULL;
	struct decoder_change change;

	if (decoder_get_position(input->decoder, now_ns, &change) < 0)
		return;
	(void)input_event_data(input->config->name, &change, input->extra, &data);
	if (!data)
		return;
	set_value(input, data, now_ns);
	cue_payload_unref(data);
}

int input_set_position(struct input *input, int64_t position, uint64_t time_ns, int64_t *ret_change)
{
	struct decoder_change change;
	int r = decoder_set_position(input->decoder, position, time_ns, &change);

	if (r < 0)
		return r;
	if (r > 0)
		emit_change(input, &change);
	*ret_change = r > 0 ? change.change : 0;
	return 0;
}

void input_start(struct input *input)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	uint64_t now_ns = cue_bus_now(input->engine->bus);

	for (unsigned line = 0; line < input_lines(input); line++)
		emit_changes(
		        input, changes,
		        decoder_start(input->decoder, line, input->levels[line], now_ns, changes));
	show_position(input);
}

static void resync_lines(struct input *input)
{
	struct decoder_change changes[DECODER_CHANGES_MAX];
	uint64_t now_ns = cue_bus_now(input->engine->bus);

	for (unsigned line = 0; line < input_lines(input); line++)
		emit_changes(
		        input, changes,
		        decoder_resync(input->decoder, line, input->levels[line], now_ns, changes));
}

/* ---- open, fail, retry ---- */

static int read_levels(struct input *input, char error[ENGINE_ERROR_SIZE])
{
	for (unsigned line = 0; line < input_lines(input); line++) {
		int r = input->ops->get(input->driver, line, &input->levels[line]);

		if (r < 0) {
			snprintf(error, ENGINE_ERROR_SIZE,
			         "input \"%s\": can't read the level of line %u: %s",
			         input->config->name, line, strerrordesc_np(-r));
			return r;
		}
	}
	return 0;
}

static void close_driver(struct input *input)
{
	if (input->driver)
		input->ops->close(input->driver);
	input->driver = NULL;
}

static uint64_t driver_clock(void *user)
{
	return engine_now(user);
}

/** The driver's lines; a sim input without lines in the configuration gets those of its kind. */
static struct driver_config driver_config(const struct input *input, const char *consumer)
{
	const struct config_input *config = input->config;
	struct driver_config dc = {
		.input = config->name,
		.consumer = consumer,
		.chip = config->chip,
		.n_lines = config->n_lines,
		.bias = config->bias,
		.active_low = config->active_low,
		.file = config->file,
		.now_ns = engine_now(input->engine),
		.clock_ns = driver_clock,
		.clock_user = input->engine,
	};

	for (size_t i = 0; i < config->n_lines; i++)
		dc.lines[i] = config->lines[i];
	if (config->n_lines == 0) {
		dc.n_lines = input_lines(input);
		for (size_t i = 0; i < dc.n_lines; i++)
			dc.lines[i] = i == 0 ? "0" : "1";
	}
	return dc;
}

int input_open(struct input *input, char error[ENGINE_ERROR_SIZE])
{
	struct driver_config dc;
	char consumer[128];
	int r;

	if (!input->ops) {
		input->state = INPUT_OPEN;
		return 0;
	}
	snprintf(consumer, sizeof(consumer), "cuebus:%s", cue_bus_gateway_id(input->engine->bus));
	dc = driver_config(input, consumer);
	error[0] = '\0';
	r = input->ops->open(&dc, &input->driver, error);
	if (r < 0) {
		input->driver = NULL;
		device_open_error(&text, input->config->name, input->ops->name, r, error);
		return r;
	}
	r = read_levels(input, error);
	if (r < 0) {
		close_driver(input);
		return r;
	}
	input->state = INPUT_OPEN;
	return 0;
}

void input_close(struct input *input)
{
	close_driver(input);
	wake_buffers_forget_input(input->engine->buffers, input);
	cue_timer_disarm(input->tick);
	retry_stop(&input->retry);
	input->state = INPUT_CLOSED;
}

static void emit_driver_event(struct input *input, const char *type, const char *reason)
{
	const struct engine_config *ec = &input->engine->config;
	const char *name = input->config->name;

	if (ec->input_failed)
		ec->input_failed(ec->user, name, reason);
	engine_emit(input->engine, type, input->config->producer_id,
	            device_event_data(input->engine, &text, name, reason, input->retry.attempts),
	            CUE_TIME_NONE);
}

void input_fail(struct input *input, const char *reason)
{
	close_driver(input);
	cue_timer_disarm(input->tick);
	input->state = INPUT_FAILED;
	retry_begin(&input->retry, cue_bus_now(input->engine->bus));
	if (input->failing)
		return;
	input->failing = true;
	emit_driver_event(input, "input.failed", reason);
}

static void restored(struct input *input)
{
	input->failing = false;
	emit_driver_event(input, "input.restored", NULL);
	resync_lines(input);
}

static void on_retry(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	char error[ENGINE_ERROR_SIZE];
	struct input *input = user;

	(void)bus;
	(void)deadline_ns;
	input->retry.attempts++;
	if (input_open(input, error) < 0) {
		retry_again(&input->retry, engine_now(input->engine));
		return;
	}
	restored(input);
}

void input_resume(struct input *input)
{
	input->retry.attempts++;
	if (input->failing)
		restored(input);
	else
		resync_lines(input);
}

/* ---- life ---- */

/** Intern the types that the input emits. */
static int intern_types(struct cue_bus *bus, const struct config_input *config)
{
	const struct cue_type *type;
	int r = cue_bus_intern(bus, config->event, &type);

	return r < 0 || !config->release_event ? r
	                                       : cue_bus_intern(bus, config->release_event, &type);
}

int input_new(struct engine *engine, const struct config_input *config, struct input **ret_input,
              char error[ENGINE_ERROR_SIZE])
{
	struct input *input = calloc(1, sizeof(*input));
	int r = -ENOMEM;

	if (!input)
		goto fail;
	input->engine = engine;
	input->config = config;
	if (!engine->config.virtual_devices) {
		input->ops = engine->config.find_driver ? engine->config.find_driver(config->driver)
		                                        : driver_find(config->driver);
		if (!input->ops) {
			r = -ENODEV;
			goto fail;
		}
	}
	r = input_event_extra(config->decoder.kind, config->data, &input->extra);
	if (r < 0)
		goto fail;
	r = intern_types(engine->bus, config);
	if (r < 0)
		goto fail;
	r = decoder_new(&config->decoder, &input->decoder);
	if (r < 0)
		goto fail;
	r = cue_timer_new_urgent(engine->bus, on_tick, input, &input->tick);
	if (r < 0)
		goto fail;
	r = retry_init(&input->retry, engine->bus, on_retry, input);
	if (r < 0)
		goto fail;
	*ret_input = input;
	return 0;
fail:
	device_create_error(&text, config->name, config->driver, r, error);
	input_free(input);
	return r;
}

struct input *input_free(struct input *input)
{
	if (!input)
		return NULL;
	close_driver(input);
	wake_buffers_forget_input(input->engine->buffers, input);
	cue_timer_free(input->tick);
	retry_clear(&input->retry);
	decoder_free(input->decoder);
	cue_payload_unref(input->value);
	free(input->extra);
	free(input);
	return NULL;
}

int input_restore(struct input *input, enum decoder_kind kind, int64_t value)
{
	if (!input->config->restore || input->config->decoder.kind != kind)
		return -ENOENT;
	decoder_add_value(input->decoder, value);
	show_position(input);
	return 0;
}

void input_inherit(struct input *input, const struct input *old)
{
	const struct decoder_config *now = &input->config->decoder, *was = &old->config->decoder;
	bool both_keep = input->config->restore && old->config->restore;
	bool both_have_range = now->range.present && was->range.present;

	if (now->kind == was->kind && (both_keep || both_have_range))
		decoder_add_value(input->decoder, decoder_get_value(old->decoder));
}

void input_get_info(const struct input *input, struct engine_input_info *ret_info)
{
	struct decoder_stats stats = { 0 };

	decoder_get_stats(input->decoder, &stats);
	*ret_info = (struct engine_input_info){
		.name = input->config->name,
		.driver = input->config->driver,
		.kind = input->config->decoder.kind,
		.producer_id = input->config->producer_id,
		.value = input->value,
		.time_ns = input->value_time_ns,
		.failed = input->state == INPUT_FAILED,
		.edges = input->edges,
		.bounces = stats.bounces,
		.gaps = input->gaps,
		.counted = decoder_get_value(input->decoder),
		.counted_from = input->config->decoder.range.initial,
		.limited = stats.limited,
		.restore = input->config->restore,
	};
}
