/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for a definition. Each refusal names the place in the configuration and the remedy. */
#include "predicate.h"

#include <cuebus/gesture.h>
#include <cuebus/playlist.h>
#include <cuebus/utf8.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAYS_MAX (CUE_DURATION_MAX_NS / (86400ULL * CUE_NS_PER_S))

static const struct cue_place root = { 0 };

#define REFUSE(error, member, ...)                                                                 \
	cue_predicate_fail(error, &(struct cue_place){ .parent = &root, .key = (member) },         \
	                   __VA_ARGS__)

static const char reserved_text[] =
        "a gesture can't emit a type that begins with event., gateway., gesture. or input.: these "
        "are reserved";

static int check_name(const char *name, struct cue_predicate_error *error)
{
	size_t len = name ? strlen(name) : 0;

	if (len == 0 || len > CUE_GESTURE_NAME_MAX)
		return cue_predicate_fail(error, &root, "a gesture's name has 1 to %u bytes",
		                          CUE_GESTURE_NAME_MAX);
	return cue_utf8_is_valid(name)
	               ? 0
	               : cue_predicate_fail(error, &root, "a gesture's name must be UTF-8");
}

static int check_type(const char *type, const struct cue_place *place,
                      struct cue_predicate_error *error)
{
	const char *reason;

	if (!type)
		return cue_predicate_fail(error, place, "an event type is missing");
	if (!cue_type_is_valid(type, strlen(type), &reason))
		return cue_predicate_fail(error, place, "not an event type: %s", reason);
	return 0;
}

/** @param needed whether `emit` is required. */
static int check_emit(const char *emit, bool needed, struct cue_predicate_error *error)
{
	struct cue_place place = cue_place_member(&root, "emit");
	int r;

	if (!emit && !needed)
		return 0;
	r = check_type(emit, &place, error);
	if (r < 0 || !cue_type_is_reserved(emit))
		return r;
	return cue_predicate_fail(error, &place, "%s", reserved_text);
}

/** Append the path inside a predicate to that of the predicate. */
static int refuse_predicate(struct cue_predicate_error *error, const struct cue_place *place,
                            const struct cue_predicate_error *inner)
{
	size_t len, inner_len = strlen(inner->path);

	if (!error)
		return -EINVAL;
	cue_predicate_fail(error, place, "%s", inner->text);
	len = strlen(error->path);
	if (len + inner_len < sizeof(error->path))
		memcpy(error->path + len, inner->path, inner_len + 1);
	return -EINVAL;
}

static int check_match(const struct cJSON *match, const struct cue_place *filter,
                       struct cue_predicate_error *error)
{
	struct cue_place place = cue_place_member(filter, "match");
	struct cue_predicate_error inner;
	struct cue_match *compiled;
	int r;

	if (!match)
		return 0;
	r = cue_match_new(match, &compiled, &inner);
	if (r == -EINVAL)
		return refuse_predicate(error, &place, &inner);
	if (r < 0)
		return r;
	cue_match_free(compiled);
	return 0;
}

static int check_when(const struct cJSON *when, struct cue_predicate_error *error)
{
	struct cue_place place = cue_place_member(&root, "when");
	struct cue_predicate_error inner;
	struct cue_when *compiled;
	int r;

	if (!when)
		return 0;
	r = cue_when_new(when, &compiled, &inner);
	if (r == -EINVAL)
		return refuse_predicate(error, &place, &inner);
	if (r < 0)
		return r;
	cue_when_free(compiled);
	return 0;
}

static int check_filter(const struct cue_filter *filter, const struct cue_place *place,
                        struct cue_predicate_error *error)
{
	int r = check_type(filter->type, place, error);

	return r < 0 ? r : check_match(filter->match, place, error);
}

static int check_duration(const char *key, uint64_t ns, bool zero_allowed,
                          struct cue_predicate_error *error)
{
	if (ns == 0 && !zero_allowed)
		return REFUSE(error, key, "\"%s\" is missing or 0: give a duration above 0", key);
	if (ns > CUE_DURATION_MAX_NS)
		return REFUSE(error, key, "\"%s\" is too long: %llu days at most", key, DAYS_MAX);
	return 0;
}

static int check_number(const char *key, uint32_t value, unsigned min, unsigned max,
                        struct cue_predicate_error *error)
{
	if (value >= min && value <= max)
		return 0;
	return REFUSE(error, key, "\"%s\" is %u: give a number from %u to %u", key, (unsigned)value,
	              min, max);
}

static int check_windowed(const struct cue_gesture_config *config,
                          struct cue_predicate_error *error)
{
	struct cue_place place = cue_place_member(&root, "source");
	int r;

	r = check_filter(&config->source, &place, error);
	if (r >= 0)
		r = check_duration("window", config->window_ns, false, error);
	if (r >= 0 && config->type == CUE_GESTURE_MULTI_TAP)
		r = check_number("count", config->count, 2, CUE_GESTURE_COUNT_MAX, error);
	if (r >= 0 && config->type == CUE_GESTURE_SIMULTANEOUS)
		r = check_number("required_sources", config->required_sources, 2,
		                 CUE_GESTURE_SOURCES_MAX, error);
	return r < 0 ? r : check_emit(config->emit, true, error);
}

static int check_count(const char *key, size_t n, size_t min, size_t max,
                       struct cue_predicate_error *error)
{
	if (n >= min && n <= max)
		return 0;
	return REFUSE(error, key, "\"%s\" has %zu entries: give %zu to %zu", key, n, min, max);
}

static int check_sequence(const struct cue_gesture_config *config,
                          struct cue_predicate_error *error)
{
	struct cue_place steps = cue_place_member(&root, "steps");
	int r;

	r = check_count("steps", config->n_steps, 1, CUE_GESTURE_STEPS_MAX, error);
	for (size_t i = 0; r >= 0 && i < config->n_steps; i++) {
		struct cue_place place = cue_place_item(&steps, i);

		r = check_filter(&config->steps[i], &place, error);
	}
	if (r >= 0)
		r = check_duration("timeout", config->timeout_ns, true, error);
	return r < 0 ? r : check_emit(config->emit, true, error);
}

static int check_optional_filter(const char *key, const struct cue_filter *filter,
                                 struct cue_predicate_error *error)
{
	struct cue_place place = cue_place_member(&root, key);

	return filter->type ? check_filter(filter, &place, error) : 0;
}

/** The event types of a click, and the times that they need. */
static int check_clicks(const struct cue_gesture_config *config, struct cue_predicate_error *error)
{
	struct cue_place emit = cue_place_member(&root, "emit");
	bool any = false;

	for (size_t i = 0; i < CUE_CLICKS; i++) {
		const char *name = cue_click_name((enum cue_click)i);
		struct cue_place place = cue_place_member(&emit, name);
		int r = config->clicks[i] ? check_type(config->clicks[i], &place, error) : 0;

		if (r < 0)
			return r;
		any |= config->clicks[i] != NULL;
		if (config->clicks[i] && cue_type_is_reserved(config->clicks[i]))
			return cue_predicate_fail(error, &place, "%s", reserved_text);
		if (config->clicks[i] && i >= CUE_CLICK_HOLD && config->hold_ns == 0)
			return cue_predicate_fail(error, &place,
			                          "\"%s\" needs \"hold\", the time after which a "
			                          "press is one",
			                          name);
		if (config->clicks[i] && i == CUE_CLICK_REPEAT && config->repeat_ns == 0)
			return cue_predicate_fail(error, &place,
			                          "\"repeat\" needs \"repeat\" beside \"hold\", "
			                          "the time between repeats");
	}
	return any ? 0
	           : cue_predicate_fail(error, &emit,
	                                "a click needs at least one event type, such as "
	                                "\"single\"");
}

static int check_click(const struct cue_gesture_config *config, struct cue_predicate_error *error)
{
	struct cue_place source = cue_place_member(&root, "source");
	int r;

	r = check_filter(&config->source, &source, error);
	if (r >= 0)
		r = check_optional_filter("release", &config->release, error);
	if (r >= 0)
		r = check_duration("window", config->window_ns, false, error);
	if (r >= 0)
		r = check_duration("hold", config->hold_ns, true, error);
	if (r >= 0)
		r = check_duration("repeat", config->repeat_ns, true, error);
	if (r < 0)
		return r;
	if (config->hold_ns > 0 && !config->release.type)
		return REFUSE(error, "hold",
		              "\"hold\" needs \"release\": without it a press has no end");
	if (config->repeat_ns > 0 && config->hold_ns == 0)
		return REFUSE(error, "repeat", "\"repeat\" needs \"hold\": a hold is repeated");
	if (config->repeat_ns > 0 && config->repeat_ns < CUE_GESTURE_REPEAT_MIN_NS)
		return REFUSE(error, "repeat", "\"repeat\" is too short: 10ms at least");
	r = check_when(config->when, error);
	return r < 0 ? r : check_clicks(config, error);
}

static int check_sets(const struct cue_gesture_config *config, struct cue_predicate_error *error)
{
	struct cue_place set = cue_place_member(&root, "set");

	for (size_t i = 0; i < config->n_sets; i++) {
		const char *type = config->sets[i].type;
		struct cue_place place = cue_place_member(&set, type ? type : "");
		int r = check_type(type, &place, error);

		if (r < 0)
			return r;
		if (config->sets[i].place >= config->n_values)
			return cue_predicate_fail(
			        error, &place,
			        "there is no value %u: \"values\" has %zu, counted "
			        "from 0",
			        (unsigned)config->sets[i].place, config->n_values);
	}
	return 0;
}

static int check_cycle(const struct cue_gesture_config *config, struct cue_predicate_error *error)
{
	struct cue_place source = cue_place_member(&root, "source");
	int r;

	r = check_filter(&config->source, &source, error);
	if (r >= 0)
		r = check_optional_filter("reset", &config->reset, error);
	if (r >= 0)
		r = check_count("values", config->n_values, 1, CUE_GESTURE_VALUES_MAX, error);
	if (r >= 0)
		r = check_count("set", config->n_sets, 0, CUE_GESTURE_VALUES_MAX, error);
	if (r >= 0)
		r = check_sets(config, error);
	if (r >= 0)
		r = check_duration("idle_reset", config->idle_reset_ns, true, error);
	return r < 0 ? r : check_emit(config->emit, true, error);
}

static int check_gate(const struct cue_gesture_config *config, size_t min,
                      struct cue_predicate_error *error)
{
	struct cue_place gate = cue_place_member(&root, "gate");
	int r;

	r = check_count("gate", config->n_gate, min, CUE_GESTURE_TYPES_MAX, error);
	for (size_t i = 0; r >= 0 && i < config->n_gate; i++) {
		struct cue_place place = cue_place_item(&gate, i);

		r = check_type(config->gate[i], &place, error);
	}
	return r < 0 ? r : check_when(config->when, error);
}

static int check_mirrored(const struct cue_gesture_config *config, const struct cue_place *place,
                          const char *type, struct cue_predicate_error *error)
{
	int r = check_type(type, place, error);

	if (r < 0 || config->emit || !cue_type_is_reserved(type))
		return r;
	return cue_predicate_fail(error, place,
	                          "a reserved type can't be emitted again as it is: give \"emit\"");
}

static int check_gated_mirror(const struct cue_gesture_config *config,
                              struct cue_predicate_error *error)
{
	struct cue_place mirror = cue_place_member(&root, "mirror");
	int r;

	if (config->n_gate == 0 && !config->when)
		return REFUSE(error, "gate",
		              "a mirror needs \"gate\" or \"when\" to tell when it is open");
	r = check_gate(config, 0, error);
	if (r >= 0)
		r = check_count("mirror", config->n_mirror, 1, CUE_GESTURE_TYPES_MAX, error);
	for (size_t i = 0; r >= 0 && i < config->n_mirror; i++) {
		struct cue_place place = cue_place_item(&mirror, i);

		r = check_mirrored(config, &place, config->mirror[i], error);
	}
	return r < 0 ? r : check_emit(config->emit, false, error);
}

static int check_gated_playlist(const struct cue_gesture_config *config,
                                struct cue_predicate_error *error)
{
	int r = check_gate(config, 1, error);

	if (r >= 0 && (!config->playlist || !*config->playlist))
		return REFUSE(error, "playlist", "the name of the playlist to start is missing");
	return r;
}

int cue_gesture_check(const struct cue_gesture_config *config,
                      struct cue_predicate_error *ret_error)
{
	int r;

	r = check_name(config->name, ret_error);
	if (r >= 0)
		r = check_duration("cooldown", config->cooldown_ns, true, ret_error);
	if (r < 0)
		return r;
	switch (config->type) {
	case CUE_GESTURE_DOUBLE_TAP:
	case CUE_GESTURE_MULTI_TAP:
	case CUE_GESTURE_SIMULTANEOUS:
		return check_windowed(config, ret_error);
	case CUE_GESTURE_SEQUENCE:
		return check_sequence(config, ret_error);
	case CUE_GESTURE_GATED_MIRROR:
		return check_gated_mirror(config, ret_error);
	case CUE_GESTURE_GATED_PLAYLIST:
		return check_gated_playlist(config, ret_error);
	case CUE_GESTURE_CLICK:
		return check_click(config, ret_error);
	case CUE_GESTURE_CYCLE:
		return check_cycle(config, ret_error);
	}
	return REFUSE(ret_error, "type", "not a type of gesture");
}
