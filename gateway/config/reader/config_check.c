/* SPDX-License-Identifier: Apache-2.0 */
#include "config_check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "config_reader.h"

/** The member of @p node, or @p node itself, to place a finding on. */
static const struct jsonc_node *at(const struct jsonc_node *node, const char *key)
{
	const struct jsonc_node *child = jsonc_get(node, key);

	return child ? child : node;
}

/* ---- inputs and outputs ---- */

static bool is_driver(const struct config_input *input, const char *driver)
{
	return input->driver && strcmp(input->driver, driver) == 0;
}

/** A rotary has two lines, every other kind one. */
static void check_lines(struct config_reader *reader, const struct jsonc_node *node,
                        const struct config_input *input)
{
	const struct jsonc_node *line = jsonc_get(node, "line"), *lines = jsonc_get(node, "lines");
	size_t wanted = input->decoder.kind == DECODER_ROTARY ? 2 : 1;

	if (line && lines) {
		config_key_finding(reader, DIAG_ERROR, lines, "lines",
		                   "give either \"line\" or \"lines\"");
	} else if (!line && !lines) {
		if (is_driver(input, "gpio"))
			config_finding(reader, DIAG_ERROR, node, "missing-key",
			               "key \"%s\" is missing; driver \"gpio\" needs it",
			               wanted == 2 ? "lines" : "line");
	} else if (input->n_lines != wanted) {
		config_finding(reader, DIAG_ERROR, line ? line : lines, "lines",
		               wanted == 2
		                       ? "a rotary has two lines, such as \"lines\": [\"GPIO5\", "
		                         "\"GPIO6\"]"
		                       : "only a rotary has two lines");
	}
}

static void check_offsets(struct config_reader *reader, const struct jsonc_node *node,
                          const char *chip)
{
	const struct jsonc_node *line = jsonc_get(node, "line");

	if (!line && jsonc_get(node, "lines"))
		line = jsonc_get(node, "lines")->first;
	for (; line && !chip; line = line->key ? NULL : line->next) {
		if (line->type == JSONC_NUMBER)
			config_finding(reader, DIAG_ERROR, line, "missing-key",
			               "a line given by its offset needs \"chip\"");
	}
}

static bool has_true(const struct jsonc_node *node)
{
	return node && node->type == JSONC_BOOL && node->boolean;
}

/** Check the range's numbers and complete them. */
static void check_range(struct config_reader *reader, const struct jsonc_node *range,
                        struct decoder_range *bounds)
{
	int64_t width = bounds->max - bounds->min;

	if (width <= 0) {
		config_finding(reader, DIAG_ERROR, at(range, "max"), "rotary-range",
		               "\"max\" must be above \"min\", which is %" PRId64, bounds->min);
		return;
	}
	if (bounds->step > width)
		config_finding(reader, DIAG_ERROR, at(range, "step"), "rotary-range",
		               "\"step\" must be at most max - min, which is %" PRId64, width);
	if (jsonc_get(range, "initial") &&
	    (bounds->initial < bounds->min || bounds->initial > bounds->max))
		config_finding(reader, DIAG_ERROR, at(range, "initial"), "rotary-range",
		               "\"initial\" must be from %" PRId64 " to %" PRId64
		               ", the \"min\" and \"max\" of this range",
		               bounds->min, bounds->max);
	if (bounds->initial < bounds->min)
		bounds->initial = bounds->min;
	if (bounds->initial > bounds->max)
		bounds->initial = bounds->max;
	bounds->present = true;
}

static void check_acceleration(struct config_reader *reader, const struct jsonc_node *list,
                               const struct decoder_config *decoder)
{
	for (size_t i = 1; i < decoder->n_acceleration; i++) {
		for (size_t k = 0; k < i; k++) {
			if (decoder->acceleration[i].within_ns !=
			    decoder->acceleration[k].within_ns)
				continue;
			config_finding(reader, DIAG_ERROR, jsonc_element(list, i), "rotary-range",
			               "an earlier entry has the same \"within\": give each time "
			               "once");
			return;
		}
	}
}

/** @param input its range is completed and put into force. */
static void check_rotary(struct config_reader *reader, const struct jsonc_node *node,
                         struct config_input *input)
{
	const struct jsonc_node *range = jsonc_get(node, "range");
	const struct jsonc_node *restore = jsonc_get(node, "restore");
	const struct jsonc_node *in_range = range ? jsonc_get(range, "restore") : NULL;

	check_acceleration(reader, jsonc_get(node, "acceleration"), &input->decoder);
	if (!range)
		return;
	check_range(reader, range, &input->range.bounds);
	if (restore && in_range && has_true(restore) != has_true(in_range))
		config_finding(reader, DIAG_ERROR, in_range, "rotary-range",
		               "\"restore\" of the range differs from that of the input: give it "
		               "once");
	input->decoder.range = input->range.bounds;
	input->restore |= input->range.restore;
}

void config_check_input(struct config_reader *reader, const struct jsonc_node *node, void *object,
                        bool sound)
{
	struct config_input *input = object;

	/* After errors in the fields the checks between them would be guesswork. */
	if (!sound)
		return;
	check_lines(reader, node, input);
	check_offsets(reader, node, input->chip);
	if (input->decoder.steps_per_detent == 3)
		config_finding(reader, DIAG_ERROR, at(node, "steps_per_detent"), "range",
		               "\"steps_per_detent\" must be 1, 2 or 4");
	check_rotary(reader, node, input);
}

void config_check_output(struct config_reader *reader, const struct jsonc_node *node, void *object,
                         bool sound)
{
	const struct config_output *output = object;

	if (sound)
		check_offsets(reader, node, output->chip);
}

/* ---- playlists ---- */

void config_check_step(struct config_reader *reader, const struct jsonc_node *node, void *object,
                       bool sound)
{
	const struct cue_step *step = object;
	const struct jsonc_node *interval = jsonc_get(node, "interval");

	if (!sound || step->repeat <= 1 || step->interval_ns > 0)
		return;
	if (interval)
		config_finding(reader, DIAG_ERROR, interval, "interval",
		               "\"interval\" must be above 0s when \"repeat\" is above 1");
	else
		config_finding(reader, DIAG_ERROR, at(node, "repeat"), "interval",
		               "\"repeat\" above 1 needs an \"interval\" above 0s");
}

/** Report an error of the bus at its place in the tree. */
static void tell_refused(struct config_reader *reader, const struct jsonc_node *node,
                         const struct cue_predicate_error *error)
{
	config_finding(reader, DIAG_ERROR, jsonc_resolve(node, error->path), "definition", "%s",
	               error->text);
}

/** Check the rate against `limits`. A definition made by command is checked when it is put in
 * force. */
static int check_rate(struct config_reader *reader, const struct jsonc_node *node,
                      const struct cue_playlist_config *def)
{
	struct cue_predicate_error error;
	int r = cue_playlist_check_rate(def, &reader->limits->playlist, &error);

	if (r == -EINVAL)
		config_finding(reader, DIAG_ERROR, jsonc_resolve(node, error.path), "step-rate",
		               "%s", error.text);
	return r;
}

void config_check_playlist(struct config_reader *reader, const struct jsonc_node *node,
                           void *object, bool sound)
{
	struct config_playlist *playlist = object;
	struct cue_predicate_error error;
	int r;

	if (!sound)
		return;
	r = cue_playlist_check(&playlist->def, &error);
	if (r == -EINVAL) {
		tell_refused(reader, node, &error);
		return;
	}
	if (r >= 0)
		r = check_rate(reader, node, &playlist->def);
	if (r == -EINVAL)
		return;
	if (r < 0)
		reader->error = r;
	else
		playlist->json = config_payload(reader, node);
}

/* ---- gestures ---- */

/** Without `emit` a mirror keeps the mirrored type, so that must not be reserved. */
static void check_mirror(struct config_reader *reader, const struct jsonc_node *node,
                         const struct cue_gesture_config *def)
{
	const struct jsonc_node *mirror = jsonc_get(node, "mirror");

	if (def->type != CUE_GESTURE_GATED_MIRROR || def->emit)
		return;
	for (size_t i = 0; i < def->n_mirror; i++) {
		const struct jsonc_node *type = mirror;

		for (size_t k = 0; mirror->type == JSONC_ARRAY && k <= i; k++)
			type = k == 0 ? mirror->first : type->next;
		if (cue_type_is_reserved(def->mirror[i]))
			config_finding(reader, DIAG_ERROR, type, "reserved-event",
			               "\"%s\" is the gateway's own and can't be emitted again; "
			               "give \"emit\"",
			               def->mirror[i]);
	}
}

#define CLICK_WINDOW_NS (300 * CUE_NS_PER_MS)

/** Put what was read where the definition has it; the default that only a click has. */
static void complete(struct config_gesture *gesture)
{
	gesture->def.emit = gesture->emit.type;
	memcpy(gesture->def.clicks, gesture->emit.clicks, sizeof(gesture->def.clicks));
	if (gesture->def.type == CUE_GESTURE_CLICK && gesture->def.window_ns == 0)
		gesture->def.window_ns = CLICK_WINDOW_NS;
}

/** Only a click has an object as `emit`. */
static void check_emit(struct config_reader *reader, const struct jsonc_node *node,
                       const struct config_gesture *gesture)
{
	const struct jsonc_node *emit = jsonc_get(node, "emit");
	bool is_click = gesture->def.type == CUE_GESTURE_CLICK;

	if (!emit || is_click == gesture->emit.is_object)
		return;
	config_finding(reader, DIAG_ERROR, emit, "type", "\"emit\" of a %s is %s",
	               cue_gesture_type_name(gesture->def.type),
	               is_click ? "an object of event types, such as {\"single\": …}"
	                        : "one event type, not an object");
}

void config_check_gesture(struct config_reader *reader, const struct jsonc_node *node, void *object,
                          bool sound)
{
	struct config_gesture *gesture = object;
	struct cue_predicate_error error;
	size_t errors = reader->diag->n_errors;
	int r;

	complete(gesture);
	if (!sound)
		return;
	check_emit(reader, node, gesture);
	check_mirror(reader, node, &gesture->def);
	if (gesture->def.type == CUE_GESTURE_GATED_MIRROR && gesture->def.n_gate == 0 &&
	    !gesture->def.when)
		config_finding(reader, DIAG_ERROR, at(node, "gate"), "missing-key",
		               "a gated_mirror needs \"gate\", \"when\" or both");
	if (reader->diag->n_errors != errors)
		return;
	r = cue_gesture_check(&gesture->def, &error);
	if (r == -EINVAL)
		tell_refused(reader, node, &error);
	else if (r < 0)
		reader->error = r;
	else
		gesture->json = config_payload(reader, node);
}
