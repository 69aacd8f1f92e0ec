/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output: a line whose level follows an event, set while that event is dispatched. In every
 * state except OPEN the line is at safe_value, if the driver can still set it.
 *
 *   state  | event                   | close        | check due        | retry due
 *   CLOSED | -                       | -            | impossible       | impossible
 *   OPEN   | a level: set line;      | safe_value,  | line gone: as    | impossible
 *          | older than the last one |              |                  |
 *          | that set it: count it;  |              |                  |
 *          | anything else: count    | give it back | when setting     |
 *          | it, emit once           |              |                  |
 *          | gateway.output_ignored; |              |                  |
 *          | setting fails:          | -> CLOSED    | fails            |
 *          | gateway.output_failed,  |              |                  |
 *          | safe_value, close,      |              |                  |
 *          | retry in 1 s -> FAILED  |              |                  |
 *   FAILED | count it                | -> CLOSED    | impossible       | open at safe_value:
 *          |                         |              |                  | output_restored -> OPEN;
 *          |                         |              |                  | else twice the delay,
 *          |                         |              |                  | 30 s at most
 *
 * Missed events are not applied later: after a failure the line stays at safe_value until the next
 * event. A virtual output (simulate) is OPEN without a driver.
 */
#include "engine_internal.h"

#include <cuebus/pointer.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_text.h"
#include "output_value.h"
#include "retry.h"

/** Before gestures and playlists, so that the line is set before events that follow. */
#define OUTPUT_PRIORITY (CUE_PRIORITY_INTERRUPT + 1)

static const struct device_text text = {
	.kind = "output",
	.drivers = "gpio and sim",
	.types_exceed = "its event type exceeds",
};

enum output_state { OUTPUT_CLOSED, OUTPUT_OPEN, OUTPUT_FAILED };

struct output {
	struct engine *engine;
	const struct config_output *config;
	const struct output_ops *ops; /**< NULL: virtual */
	struct output_driver *driver;
	struct cue_pointer *value;
	struct cue_subscription *subscription;
	struct cue_timer *check;
	struct retry retry;
	enum output_state state;
	bool is_ignored_told; /**< gateway.output_ignored was emitted: once for an output */
	bool failing; /**< gateway.output_failed was emitted, gateway.output_restored not yet */
	bool level;   /**< as it was last set */
	enum engine_output_why why;
	uint64_t since_ns; /**< time of the last change of level or why */
	uint64_t event_ns; /**< time of the latest event that set it */
	bool resume_level; /**< as it was before output_close() */
	enum engine_output_why resume_why;
};

const struct config_output *output_config(const struct output *output)
{
	return output->config;
}

void output_rebind(struct output *output, const struct config_output *config)
{
	output->config = config;
}

/** Record the line's level, if the driver could set it, and notify the owner. */
static void note(struct output *output, bool level, enum engine_output_why why)
{
	const struct engine_config *ec = &output->engine->config;

	if (output->since_ns && output->level == level && output->why == why)
		return;
	output->level = level;
	output->why = why;
	output->since_ns = cue_bus_now(output->engine->bus);
	if (ec->output_changed)
		ec->output_changed(ec->user, output->config->name);
}

/* ---- fail ---- */

static void emit_state(struct output *output, const char *type, const char *reason,
                       uint64_t cause_seq)
{
	engine_emit_caused(output->engine, type,
	                   device_event_data(output->engine, &text, output->config->name, reason,
	                                     output->retry.attempts),
	                   cause_seq);
}

/** Set safe_value and close. @return the error of setting, 0 if there was nothing to set. */
static int release(struct output *output, enum engine_output_why why)
{
	int r = 0;

	note(output, output->config->safe_value != 0, why);
	cue_timer_disarm(output->check);
	if (!output->driver)
		return 0;
	r = output->driver->ops->set(output->driver, output->level);
	output->driver->ops->close(output->driver);
	output->driver = NULL;
	return r;
}

/** @param cause_seq the event that should have set the line, 0 for none. */
static void fail(struct output *output, const char *reason, uint64_t cause_seq)
{
	(void)release(output, ENGINE_OUTPUT_FAILED);
	output->state = OUTPUT_FAILED;
	retry_begin(&output->retry, cue_bus_now(output->engine->bus));
	if (output->failing)
		return;
	output->failing = true;
	output->engine->output_totals.failures++;
	emit_state(output, "gateway.output_failed", reason, cause_seq);
}

static void fail_with(struct output *output, const char *what, int r, uint64_t cause_seq)
{
	char reason[ENGINE_ERROR_SIZE];

	snprintf(reason, sizeof(reason), "%s: %s", what, strerrordesc_np(-r));
	fail(output, reason, cause_seq);
}

/** Set the line. @return false: it failed, and the output is FAILED now. */
static bool set_line(struct output *output, bool level, enum engine_output_why why,
                     uint64_t cause_seq)
{
	int r = output->driver ? output->driver->ops->set(output->driver, level) : 0;

	if (r < 0) {
		fail_with(output, "the line can't be set", r, cause_seq);
		return false;
	}
	note(output, level, why);
	return true;
}

/* ---- events and timers ---- */

/** @param value NULL: there is none. */
static void ignore(struct output *output, const struct cJSON *value, uint64_t cause_seq)
{
	char reason[OUTPUT_VALUE_TEXT_SIZE];

	output->engine->output_totals.ignored++;
	if (output->is_ignored_told)
		return;
	output->is_ignored_told = true;
	emit_state(output, "gateway.output_ignored",
	           output_value_describe(output->config, value, reason), cause_seq);
}

static int set_by_event(struct output *output, const struct cue_event *event)
{
	const struct cJSON *value = NULL;
	bool level;
	int r = cue_pointer_get(output->value, event->payload, &value);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 || output_value_level(output->config, value, &level) < 0) {
		ignore(output, value, event->seq);
		return 0;
	}
	/* A longer debounce or an overload delayed the event: the event with the later time
	 * counts. */
	if (event->time_ns < output->event_ns) {
		output->engine->output_totals.ignored++;
		return 0;
	}
	output->event_ns = event->time_ns;
	if (set_line(output, level, ENGINE_OUTPUT_EVENT, event->seq))
		output->engine->output_totals.set++;
	return 0;
}

static int on_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct output *output = user;

	(void)bus;
	switch (output->state) {
	case OUTPUT_CLOSED:
		return 0;
	case OUTPUT_OPEN:
		return set_by_event(output, event);
	case OUTPUT_FAILED:
		output->engine->output_totals.ignored++;
		return 0;
	}
	return -EINVAL; /* not reached: the switch is exhaustive */
}

static void arm_check(struct output *output)
{
	if (output->driver && output->driver->ops->check_ns > 0)
		cue_timer_arm(output->check,
		              engine_now(output->engine) + output->driver->ops->check_ns);
}

static void on_check(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct output *output = user;
	bool level;
	int r = output->driver->ops->get(output->driver, &level);

	(void)bus;
	(void)deadline_ns;
	/* Do not check the level itself: the connected circuit may hold it. */
	if (r < 0)
		fail_with(output, "the line is gone", r, 0);
	else
		arm_check(output);
}

static void restored(struct output *output)
{
	output->failing = false;
	note(output, output->level, ENGINE_OUTPUT_SAFE);
	emit_state(output, "gateway.output_restored", NULL, 0);
}

static void on_retry(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	char error[ENGINE_ERROR_SIZE];
	struct output *output = user;

	(void)bus;
	(void)deadline_ns;
	output->retry.attempts++;
	if (output_open(output, error) < 0)
		retry_again(&output->retry, engine_now(output->engine));
	else
		restored(output);
}

/* ---- open and close ---- */

int output_open(struct output *output, char error[ENGINE_ERROR_SIZE])
{
	const struct config_output *config = output->config;
	struct output_config oc = {
		.output = config->name,
		.chip = config->chip,
		.line = config->line,
		.active_low = config->active_low,
		.initial = config->safe_value != 0,
	};
	char consumer[128];
	int r;

	if (!output->ops) {
		output->state = OUTPUT_OPEN;
		note(output, oc.initial, ENGINE_OUTPUT_START);
		return 0;
	}
	snprintf(consumer, sizeof(consumer), "cuebus:%s", cue_bus_gateway_id(output->engine->bus));
	oc.consumer = consumer;
	error[0] = '\0';
	r = output->ops->open(&oc, &output->driver, error);
	if (r < 0) {
		output->driver = NULL;
		device_open_error(&text, config->name, output->ops->name, r, error);
		return r;
	}
	output->state = OUTPUT_OPEN;
	/* The retry of a failed output records its own reason. */
	if (!output->failing)
		note(output, oc.initial, ENGINE_OUTPUT_START);
	arm_check(output);
	return 0;
}

void output_close(struct output *output)
{
	struct engine_config *ec = &output->engine->config;
	int r;

	if (output->state == OUTPUT_CLOSED)
		return;
	output->resume_level = output->level;
	output->resume_why = output->why;
	r = release(output, ENGINE_OUTPUT_SAFE);
	retry_stop(&output->retry);
	output->state = OUTPUT_CLOSED;
	if (r < 0 && ec->output_unsafe)
		ec->output_unsafe(ec->user, output->config->name, r);
}

void output_resume(struct output *output)
{
	enum engine_output_why why = output->resume_why;
	bool level = output->resume_level;
	char error[ENGINE_ERROR_SIZE];

	output->retry.attempts++;
	if (output_open(output, error) < 0)
		fail(output, error, 0);
	else if (output->failing)
		restored(output);
	else
		(void)set_line(output, level, why, 0);
}

/* ---- life ---- */

static int make_parts(struct output *output)
{
	struct cue_bus *bus = output->engine->bus;
	struct cue_subscription_config sub = {
		.type = output->config->on_event,
		.priority = OUTPUT_PRIORITY,
		.handler = on_event,
		.user = output,
		.name = output->config->name,
	};
	int r = cue_pointer_new(output->config->value, &output->value);

	if (r >= 0)
		r = cue_timer_new_urgent(bus, on_check, output, &output->check);
	if (r >= 0)
		r = retry_init(&output->retry, bus, on_retry, output);
	return r < 0 ? r : cue_bus_subscribe(bus, &sub, &output->subscription);
}

static int find_ops(struct output *output)
{
	const struct engine_config *ec = &output->engine->config;
	const char *name = output->config->driver;

	if (ec->virtual_devices)
		return 0;
	output->ops = ec->find_output ? ec->find_output(name) : output_driver_find(name);
	return output->ops ? 0 : -ENODEV;
}

int output_new(struct engine *engine, const struct config_output *config,
               struct output **ret_output, char error[ENGINE_ERROR_SIZE])
{
	struct output *output = calloc(1, sizeof(*output));
	int r = -ENOMEM;

	if (output) {
		output->engine = engine;
		output->config = config;
		r = find_ops(output);
		if (r >= 0)
			r = make_parts(output);
	}
	if (r >= 0) {
		*ret_output = output;
		return 0;
	}
	device_create_error(&text, config->name, config->driver, r, error);
	output_free(output);
	return r;
}

struct output *output_free(struct output *output)
{
	if (!output)
		return NULL;
	output_close(output);
	cue_subscription_cancel(output->subscription);
	cue_timer_free(output->check);
	retry_clear(&output->retry);
	cue_pointer_free(output->value);
	free(output);
	return NULL;
}

void output_get_info(const struct output *output, struct engine_output_info *ret_info)
{
	*ret_info = (struct engine_output_info){
		.name = output->config->name,
		.driver = output->config->driver,
		.level = output->level,
		.failed = output->state == OUTPUT_FAILED,
		.why = output->why,
		.time_ns = output->since_ns,
	};
}
