/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions as JSON: `steps` of event.playlist.created, and the whole in the
 * configuration's form. */
#include "playlist_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "json_tree.h"

int cue_playlist_steps_json(const struct playlist_def *def, struct cue_payload **ret_payload)
{
	struct cue_writer w = { 0 };

	cue_writer_array_begin(&w);
	for (uint32_t i = 0; i < def->n_steps; i++) {
		const struct playlist_step *step = &def->steps[i];

		cue_writer_object_begin(&w);
		cue_writer_key(&w, "event_type");
		cue_writer_string(&w, cue_type_name(step->type));
		cue_writer_key(&w, "offset");
		cue_writer_seconds(&w, step->offset_ns);
		cue_writer_key(&w, "repeat");
		cue_writer_u64(&w, step->repeat);
		cue_writer_key(&w, "interval");
		cue_writer_seconds(&w, step->repeat > 1 ? step->interval_ns : 0);
		cue_writer_key(&w, "producer_id");
		cue_writer_u64(&w, step->producer_id);
		cue_writer_key(&w, "data");
		cue_writer_payload(&w, step->data);
		cue_writer_object_end(&w);
	}
	cue_writer_array_end(&w);
	return cue_writer_finish_payload(&w, ret_payload);
}

/** An exact duration string in the largest unit that needs no fraction. */
static void write_duration(struct cue_writer *w, const char *key, uint64_t ns)
{
	char text[40];

	if (ns % CUE_NS_PER_S == 0)
		snprintf(text, sizeof(text), "%" PRIu64 "s", ns / (uint64_t)CUE_NS_PER_S);
	else if (ns % CUE_NS_PER_MS == 0)
		snprintf(text, sizeof(text), "%" PRIu64 "ms", ns / (uint64_t)CUE_NS_PER_MS);
	else if (ns % CUE_NS_PER_US == 0)
		snprintf(text, sizeof(text), "%" PRIu64 "us", ns / (uint64_t)CUE_NS_PER_US);
	else
		snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64 "s",
		         ns / (uint64_t)CUE_NS_PER_S, ns % (uint64_t)CUE_NS_PER_S);
	cue_writer_key(w, key);
	cue_writer_string(w, text);
}

static void write_filter(struct cue_writer *w, const struct cue_filter *filter)
{
	if (!filter->match && !filter->has_debounce) {
		cue_writer_string(w, filter->type);
		return;
	}
	cue_writer_object_begin(w);
	cue_writer_key(w, "event");
	cue_writer_string(w, filter->type);
	if (filter->match) {
		cue_writer_key(w, "match");
		cue_json_tree_write(w, filter->match);
	}
	if (filter->has_debounce)
		write_duration(w, "debounce", filter->debounce_ns);
	cue_writer_object_end(w);
}

/** @param may_be_single write one filter without an array around it. */
static void write_filters(struct cue_writer *w, const char *key, const struct cue_filter *filters,
                          size_t n, bool may_be_single)
{
	bool array = n > 1 || !may_be_single;

	if (n == 0)
		return;
	cue_writer_key(w, key);
	if (array)
		cue_writer_array_begin(w);
	for (size_t i = 0; i < n; i++)
		write_filter(w, &filters[i]);
	if (array)
		cue_writer_array_end(w);
}

static const char *action_name(enum cue_steer_action action)
{
	switch (action) {
	case CUE_STEER_PAUSE:
		return "pause";
	case CUE_STEER_RESUME:
		return "resume";
	case CUE_STEER_TOGGLE:
		return "toggle";
	case CUE_STEER_SEEK:
		return "seek";
	case CUE_STEER_TEMPO:
		return "tempo";
	}
	return "pause";
}

static void write_steering(struct cue_writer *w, const struct cue_steering *steering)
{
	const char *name = action_name(steering->steer.action);

	cue_writer_key(w, steering->event);
	if (steering->steer.action != CUE_STEER_SEEK && steering->steer.action != CUE_STEER_TEMPO) {
		cue_writer_string(w, name);
		return;
	}
	cue_writer_object_begin(w);
	if (steering->pointer) {
		cue_writer_key(w, name);
		cue_writer_string(w, steering->pointer);
	} else if (steering->steer.action == CUE_STEER_SEEK) {
		write_duration(w, name, steering->steer.offset_ns);
	} else {
		cue_writer_key(w, name);
		cue_writer_seconds(w, (uint64_t)steering->steer.tempo *
		                              (CUE_NS_PER_S / CUE_TEMPO_AS_WRITTEN));
	}
	cue_writer_object_end(w);
}

static void write_steerings(struct cue_writer *w, const struct cue_playlist_config *config)
{
	if (config->n_steerings == 0)
		return;
	cue_writer_key(w, "on");
	cue_writer_object_begin(w);
	for (size_t i = 0; i < config->n_steerings; i++)
		write_steering(w, &config->steerings[i]);
	cue_writer_object_end(w);
}

static void write_steps(struct cue_writer *w, const struct cue_playlist_config *config)
{
	cue_writer_key(w, "steps");
	cue_writer_array_begin(w);
	for (size_t i = 0; i < config->n_steps; i++) {
		const struct cue_step *step = &config->steps[i];

		cue_writer_object_begin(w);
		cue_writer_key(w, "emit");
		cue_writer_string(w, step->emit);
		if (step->data) {
			cue_writer_key(w, "data");
			cue_writer_payload(w, step->data);
		}
		write_duration(w, "offset", step->offset_ns);
		cue_writer_key(w, "repeat");
		cue_writer_u64(w, step->repeat ? step->repeat : 1);
		if (step->repeat > 1)
			write_duration(w, "interval", step->interval_ns);
		cue_writer_key(w, "producer_id");
		cue_writer_u64(w, step->producer_id);
		cue_writer_object_end(w);
	}
	cue_writer_array_end(w);
}

static const char *mode_name(enum cue_playlist_mode mode)
{
	switch (mode) {
	case CUE_MODE_PARALLEL:
		return "parallel";
	case CUE_MODE_SINGLE:
		return "single";
	case CUE_MODE_RESTART:
		return "restart";
	case CUE_MODE_QUEUED:
		return "queued";
	}
	return "parallel";
}

static const char *on_restart_name(enum cue_on_restart on_restart)
{
	switch (on_restart) {
	case CUE_ON_RESTART_ABORT:
		return "abort";
	case CUE_ON_RESTART_RESUME:
		return "resume";
	case CUE_ON_RESTART_SKIP:
		return "skip";
	}
	return "abort";
}

static void write_policy(struct cue_writer *w, const struct cue_playlist_config *config)
{
	cue_writer_key(w, "mode");
	cue_writer_string(w, mode_name(config->mode));
	cue_writer_key(w, "max_runs");
	cue_writer_u64(w, config->max_runs ? config->max_runs : CUE_MAX_RUNS_DEFAULT);
	cue_writer_key(w, "late");
	cue_writer_string(w, config->late == CUE_LATE_SKIP ? "skip" : "burst");
	cue_writer_key(w, "on_restart");
	cue_writer_string(w, on_restart_name(config->on_restart));
	write_duration(w, "interrupt_debounce", config->interrupt_debounce_ns);
}

int cue_playlist_json(const struct cue_playlist_config *config, struct cue_payload **ret_payload)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	write_filters(&w, "trigger", config->triggers, config->n_triggers, true);
	write_filters(&w, "interrupts", config->interrupts, config->n_interrupts, false);
	write_steerings(&w, config);
	if (config->completion) {
		cue_writer_key(&w, "completion");
		cue_writer_string(&w, config->completion);
	}
	if (config->metadata) {
		cue_writer_key(&w, "metadata");
		cue_writer_payload(&w, config->metadata);
	}
	write_policy(&w, config);
	write_steps(&w, config);
	cue_writer_object_end(&w);
	return cue_writer_finish_payload(&w, ret_payload);
}
