/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for a definition. All later code relies on them, above all on sums of times that can't
 * overflow. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static int refuse(struct cue_predicate_error *error,
                                                        const char *path, const char *format, ...)
{
	va_list args;

	if (!error)
		return -EINVAL;
	snprintf(error->path, sizeof(error->path), "%s", path);
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

static int check_name(const char *name, struct cue_predicate_error *error)
{
	if (!name || !*name)
		return refuse(error, "/name", "a playlist needs a name");
	if (strnlen(name, PLAYLIST_NAME_MAX_LEN + 1) > PLAYLIST_NAME_MAX_LEN)
		return refuse(error, "/name", "a playlist's name has %u bytes at most",
		              PLAYLIST_NAME_MAX_LEN);
	for (const char *c = name; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f || strchr("+#/", *c))
			return refuse(error, "/name",
			              "a playlist's name is part of a topic: no '+', '#', '/' or "
			              "control characters");
	}
	return 0;
}

static int check_type(const char *type, const char *path, struct cue_predicate_error *error)
{
	const char *reason;

	if (!type)
		return refuse(error, path, "an event type is required");
	if (!cue_type_is_valid(type, strnlen(type, CUE_TYPE_MAX_LEN + 1), &reason))
		return refuse(error, path, "\"%.40s\" is not an event type: %s", type, reason);
	return 0;
}

static int check_emitted(const char *type, const char *path, struct cue_predicate_error *error)
{
	int r = check_type(type, path, error);

	if (r < 0)
		return r;
	if (cue_type_is_reserved(type))
		return refuse(error, path,
		              "a playlist can't emit \"%.40s\": types beginning with event., "
		              "gateway., gesture. and input. are reserved",
		              type);
	return 0;
}

static int check_filter(const struct cue_filter *filter, const char *path,
                        struct cue_predicate_error *error)
{
	struct cue_predicate_error inner;
	struct cue_match *match = NULL;
	int r;

	r = check_type(filter->type, path, error);
	if (r < 0 || !filter->match)
		return r;
	r = cue_match_new(filter->match, &match, &inner);
	if (r >= 0) {
		cue_match_free(match);
		return 0;
	}
	if (r == -EINVAL) {
		/* A long inner path is cut at its end: the beginning is the most useful part. */
		char whole[sizeof(inner.path) + 80];

		snprintf(whole, sizeof(whole), "%s/match%s", path, inner.path);
		return refuse(error, whole, "%s", inner.text);
	}
	return r;
}

/** @param single path of the only filter of its kind, or NULL if it is always an array. */
static int check_filters(const struct cue_filter *filters, size_t n, const char *single,
                         const char *many, struct cue_predicate_error *error)
{
	char path[64];

	if (n > PLAYLIST_FILTERS_MAX)
		return refuse(error, many, "%zu event types; %u at most", n, PLAYLIST_FILTERS_MAX);
	for (size_t i = 0; i < n; i++) {
		int r;

		snprintf(path, sizeof(path), "%s/%zu", many, i);
		r = check_filter(&filters[i], n == 1 && single ? single : path, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_step(const struct cue_step *step, size_t i, struct cue_predicate_error *error)
{
	uint32_t repeat = step->repeat ? step->repeat : 1;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/steps/%zu/emit", i);
	r = check_emitted(step->emit, path, error);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/steps/%zu/offset", i);
	if (step->offset_ns > CUE_DURATION_MAX_NS)
		return refuse(error, path, "an offset is 3650 days at most");
	snprintf(path, sizeof(path), "/steps/%zu/repeat", i);
	if (repeat > PLAYLIST_REPEAT_MAX)
		return refuse(error, path, "repeat is %u at most", PLAYLIST_REPEAT_MAX);
	snprintf(path, sizeof(path), "/steps/%zu/interval", i);
	if (step->interval_ns > CUE_DURATION_MAX_NS)
		return refuse(error, path, "an interval is 3650 days at most");
	if (repeat > 1 && step->interval_ns == 0)
		return refuse(error, path,
		              "an interval above 0 is required when repeat is above 1");
	if (repeat > 1 &&
	    step->interval_ns > (CUE_DURATION_MAX_NS - step->offset_ns) / (repeat - 1))
		return refuse(error, path,
		              "the last repeat would be later than 3650 days after the start");
	return 0;
}

static int check_policy(const struct cue_playlist_config *config, struct cue_predicate_error *error)
{
	if (config->mode < CUE_MODE_PARALLEL || config->mode > CUE_MODE_QUEUED)
		return refuse(error, "/mode", "one of parallel, single, restart, queued");
	if (config->late < CUE_LATE_BURST || config->late > CUE_LATE_SKIP)
		return refuse(error, "/late", "one of burst, skip");
	if (config->on_restart < CUE_ON_RESTART_ABORT || config->on_restart > CUE_ON_RESTART_SKIP)
		return refuse(error, "/on_restart", "one of abort, resume, skip");
	if (config->interrupt_debounce_ns > CUE_DURATION_MAX_NS)
		return refuse(error, "/interrupt_debounce", "3650 days at most");
	for (size_t i = 0; i < config->n_interrupts; i++) {
		if (config->interrupts[i].debounce_ns > CUE_DURATION_MAX_NS)
			return refuse(error, "/interrupts", "a debounce of 3650 days at most");
	}
	return 0;
}

static int check_steering(const struct cue_steering *steering, struct cue_predicate_error *error)
{
	const struct cue_steer *steer = &steering->steer;
	struct cue_pointer *pointer;
	char path[CUE_TYPE_MAX_LEN + 8];
	int r = check_type(steering->event, "/on", error);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/on/%s", steering->event);
	if (steer->action < CUE_STEER_PAUSE || steer->action > CUE_STEER_TEMPO)
		return refuse(error, path, "one of pause, resume, toggle, seek, tempo");
	if (steering->pointer) {
		r = cue_pointer_new(steering->pointer, &pointer);
		if (r >= 0)
			cue_pointer_free(pointer);
		return r == -EINVAL ? refuse(error, path, "a JSON Pointer is expected") : r;
	}
	if (steer->action == CUE_STEER_SEEK && steer->offset_ns > CUE_DURATION_MAX_NS)
		return refuse(error, path, "an offset is 3650 days at most");
	if (steer->action == CUE_STEER_TEMPO &&
	    (steer->tempo < CUE_TEMPO_MIN || steer->tempo > CUE_TEMPO_MAX))
		return refuse(error, path, "a tempo is a number from 0.01 to 100");
	return 0;
}

static int check_steerings(const struct cue_playlist_config *config,
                           struct cue_predicate_error *error)
{
	int r = 0;

	if (config->n_steerings > CUE_STEERINGS_MAX)
		return refuse(error, "/on", "%zu event types; %u at most", config->n_steerings,
		              CUE_STEERINGS_MAX);
	for (size_t i = 0; i < config->n_steerings && r >= 0; i++)
		r = check_steering(&config->steerings[i], error);
	return r;
}

int cue_playlist_check(const struct cue_playlist_config *config,
                       struct cue_predicate_error *ret_error)
{
	int r;

	r = check_name(config->name, ret_error);
	if (r >= 0)
		r = check_filters(config->triggers, config->n_triggers, "/trigger", "/trigger",
		                  ret_error);
	if (r >= 0)
		r = check_filters(config->interrupts, config->n_interrupts, NULL, "/interrupts",
		                  ret_error);
	if (r >= 0 && config->completion)
		r = check_emitted(config->completion, "/completion", ret_error);
	if (r >= 0)
		r = check_policy(config, ret_error);
	if (r >= 0)
		r = check_steerings(config, ret_error);
	if (r < 0)
		return r;
	if (config->n_steps == 0)
		return refuse(ret_error, "/steps", "a playlist needs at least one step");
	if (config->n_steps > PLAYLIST_STEPS_MAX)
		return refuse(ret_error, "/steps", "%zu steps; %u at most", config->n_steps,
		              PLAYLIST_STEPS_MAX);
	for (size_t i = 0; i < config->n_steps && r >= 0; i++)
		r = check_step(&config->steps[i], i, ret_error);
	return r;
}
