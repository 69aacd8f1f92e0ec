/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs that do not work as intended: data without effect, a debounce that suppresses a rotary's
 * steps, a debounce mode without debounce, two inputs that a gesture can't distinguish. */
#include "lint.h"

#include <cuebus/match.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "input_event.h"

/** A quick hand turns a rotary one step every 2 to 4 ms, so each of its lines changes every 4 to 8
 * ms. Its bounce is shorter. */
#define ROTARY_DEBOUNCE_MAX_NS (5 * CUE_NS_PER_MS)

static void check_data(struct lint *lint, const struct config_input *input,
                       const struct jsonc_node *node)
{
	const struct jsonc_node *data = jsonc_get(node, "data");

	/* A value that is not an object was reported already, and has no keys. */
	for (const struct jsonc_node *c = data && data->type == JSONC_OBJECT ? data->first : NULL;
	     c; c = c->next) {
		char quoted[JSONC_QUOTE_SIZE];

		if (input_event_owns_key(input->decoder.kind, c->key))
			config_key_finding(lint->reader, DIAG_WARNING, c, "data-key",
			                   "%s is set by the input itself; the value here has no "
			                   "effect",
			                   jsonc_quote(quoted, c->key));
	}
}

static void check_debounce_mode(struct lint *lint, const struct config_input *input,
                                const struct jsonc_node *node)
{
	if (input->decoder.debounce_eager && input->decoder.debounce_ns == 0)
		config_finding(lint->reader, DIAG_WARNING, jsonc_get(node, "debounce_mode"),
		               "debounce-mode",
		               "\"debounce_mode\" has no effect without \"debounce\": every edge "
		               "counts at once");
}

static void check_rotary(struct lint *lint, const struct config_input *input,
                         const struct jsonc_node *node)
{
	char debounce[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];

	if (input->decoder.kind != DECODER_ROTARY ||
	    input->decoder.debounce_ns <= ROTARY_DEBOUNCE_MAX_NS)
		return;
	duration_format(input->decoder.debounce_ns, debounce);
	duration_format(ROTARY_DEBOUNCE_MAX_NS, most);
	config_finding(lint->reader, DIAG_WARNING, jsonc_get(node, "debounce"), "rotary-debounce",
	               "turned quickly, a line changes again before %s are over, and the steps are "
	               "lost as bounce; use %s at most, or none: a rotary ignores bounce anyway",
	               debounce, most);
}

/* ---- inputs that share event and producer ---- */

/** With more checks of an input's data than this the rule costs too much. */
#define LOOKS_MAX 200000U

/** One event type of one input. */
struct source {
	const char *type;
	const struct config_input *input;
	struct cue_payload *data[2]; /* its possible data, if known; else NULL */
};

struct sources {
	struct source *items; /* by type, then producer */
	size_t n;
	size_t looks;
};

static int by_type_and_producer(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	if (order != 0)
		return order;
	if (x->input->producer_id != y->input->producer_id)
		return x->input->producer_id < y->input->producer_id ? -1 : 1;
	return x->input < y->input ? -1 : x->input > y->input;
}

static int compare_type(const void *key, const void *element)
{
	return strcmp(key, ((const struct source *)element)->type);
}

static struct cue_payload *data_of(struct lint *lint, const struct config_input *input,
                                   const struct decoder_change *change)
{
	struct cue_payload *data = NULL;
	char *extra = NULL;
	int r = input_event_extra(input->decoder.kind, input->data, &extra);

	if (r >= 0)
		r = input_event_data(input->name, change, extra, &data);
	if (r < 0)
		lint->reader->error = r;
	free(extra);
	return data;
}

/** Fill in the possible data; the numbers of a rotary or counter are unknown. */
static void fill_data(struct lint *lint, struct source *source, bool released)
{
	struct decoder_change change = { 0 };

	switch (source->input->decoder.kind) {
	case DECODER_BUTTON:
		change.type = released ? DECODER_RELEASED : DECODER_PRESSED;
		source->data[0] = data_of(lint, source->input, &change);
		break;
	case DECODER_SWITCH:
		change.type = DECODER_STATE;
		source->data[0] = data_of(lint, source->input, &change);
		change.state = true;
		source->data[1] = data_of(lint, source->input, &change);
		break;
	case DECODER_ROTARY:
	case DECODER_COUNTER:
		break;
	}
}

static void add(struct lint *lint, struct sources *sources, const struct config_input *input,
                bool released)
{
	struct source *source = &sources->items[sources->n];
	const char *type = released ? input->release_event : input->event;

	if (!type)
		return;
	sources->n++;
	*source = (struct source){ .type = type, .input = input };
	fill_data(lint, source, released);
}

/** Whether the filter certainly matches events of this source. */
static bool takes(const struct cue_match *match, const struct source *source)
{
	if (!match)
		return true;
	for (size_t i = 0; i < 2; i++) {
		if (source->data[i] && cue_match_eval(match, source->data[i]))
			return true;
	}
	return false;
}

static void tell(struct lint *lint, const struct jsonc_node *place, const struct source *a,
                 const struct source *b)
{
	char quoted_a[JSONC_QUOTE_SIZE], quoted_b[JSONC_QUOTE_SIZE];

	config_finding(lint->reader, DIAG_WARNING, place, "shared-producer",
	               "inputs %s and %s emit \"%s\" with the same producer_id %u: this gesture, "
	               "which is per producer, treats them as one",
	               jsonc_quote(quoted_a, a->input->name), jsonc_quote(quoted_b, b->input->name),
	               a->type, (unsigned)a->input->producer_id);
}

/** Report two inputs that match the filter and share the producer. @return whether there were
 * any. */
static bool check_filter(struct lint *lint, struct sources *sources,
                         const struct cue_filter *filter, const struct jsonc_node *place)
{
	const struct source *end = sources->items + sources->n, *last = NULL;
	const struct source *at =
	        bsearch(filter->type, sources->items, sources->n, sizeof(*at), compare_type);
	struct cue_match *match = NULL;
	bool told = false;

	if (!at)
		return false;
	while (at > sources->items && strcmp(at[-1].type, filter->type) == 0)
		at--;
	if (filter->match && cue_match_new(filter->match, &match, NULL) < 0) {
		lint->reader->error = -ENOMEM;
		return false;
	}
	for (; !told && at < end && strcmp(at->type, filter->type) == 0; at++) {
		if (sources->looks++ > LOOKS_MAX || !takes(match, at))
			continue;
		if (last && last->input != at->input &&
		    last->input->producer_id == at->input->producer_id) {
			tell(lint, place, last, at);
			told = true;
		}
		last = at;
	}
	cue_match_free(match);
	return told;
}

static void check_gesture(struct lint *lint, size_t i, struct sources *sources)
{
	const struct cue_gesture_config *def = &lint->config->gestures[i].def;
	const struct jsonc_node *node = lint->gestures[i], *step;

	switch (def->type) {
	case CUE_GESTURE_DOUBLE_TAP:
	case CUE_GESTURE_MULTI_TAP:
	case CUE_GESTURE_SIMULTANEOUS:
	case CUE_GESTURE_CLICK:
		check_filter(lint, sources, &def->source, jsonc_get(node, "source"));
		break;
	case CUE_GESTURE_SEQUENCE:
		step = jsonc_element(jsonc_get(node, "steps"), 0);
		for (size_t k = 0; k < def->n_steps; k++, step = step->next) {
			if (check_filter(lint, sources, &def->steps[k], step))
				break;
		}
		break;
	case CUE_GESTURE_CYCLE: /* one for all producers */
	case CUE_GESTURE_GATED_MIRROR:
	case CUE_GESTURE_GATED_PLAYLIST:
		break;
	}
}

static void check_producers(struct lint *lint)
{
	const struct config *config = lint->config;
	struct sources sources = { 0 };

	sources.items = config_alloc(lint->reader, config->n_inputs * 2, sizeof(*sources.items));
	if (!sources.items)
		return;
	for (size_t i = 0; i < config->n_inputs; i++) {
		add(lint, &sources, &config->inputs[i], false);
		add(lint, &sources, &config->inputs[i], true);
	}
	qsort(sources.items, sources.n, sizeof(*sources.items), by_type_and_producer);
	for (size_t i = 0; i < config->n_gestures; i++) {
		if (lint_gesture_is_sound(lint, i))
			check_gesture(lint, i, &sources);
	}
	for (size_t i = 0; i < sources.n; i++) {
		cue_payload_unref(sources.items[i].data[0]);
		cue_payload_unref(sources.items[i].data[1]);
	}
}

void lint_inputs(struct lint *lint)
{
	const struct config *config = lint->config;

	for (size_t i = 0; i < config->n_inputs; i++) {
		check_data(lint, &config->inputs[i], lint->inputs[i]);
		check_debounce_mode(lint, &config->inputs[i], lint->inputs[i]);
		check_rotary(lint, &config->inputs[i], lint->inputs[i]);
	}
	if (lint->reader->diag->n_errors == 0)
		check_producers(lint);
}
