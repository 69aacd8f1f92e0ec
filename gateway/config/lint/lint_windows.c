/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of gestures that are not above the debounce of their inputs. */
#include "lint.h"

#include <stdlib.h>
#include <string.h>

#include "duration.h"

struct source {
	const char *type;
	const struct config_input *input;
};

static int by_type(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	if (order != 0)
		return order;
	/* The longest debounce of a type comes first: it decides. */
	if (x->input->decoder.debounce_ns != y->input->decoder.debounce_ns)
		return x->input->decoder.debounce_ns > y->input->decoder.debounce_ns ? -1 : 1;
	return x->input < y->input ? -1 : x->input > y->input;
}

static const struct source *find(const struct source *sources, size_t n, const char *type)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(sources[middle].type, type) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && strcmp(sources[low].type, type) == 0 ? &sources[low] : NULL;
}

static void check(struct lint *lint, size_t i, const char *key, uint64_t window_ns,
                  const struct source *source)
{
	const struct jsonc_node *place = jsonc_get(lint->gestures[i], key);
	char window[DURATION_TEXT_SIZE], debounce[DURATION_TEXT_SIZE], quoted[JSONC_QUOTE_SIZE];

	if (!source || source->input->decoder.debounce_ns == 0 ||
	    window_ns > source->input->decoder.debounce_ns)
		return;
	duration_format(window_ns, window);
	duration_format(source->input->decoder.debounce_ns, debounce);
	config_finding(
	        lint->reader, DIAG_WARNING, place ? place : lint->gestures[i], "window-debounce",
	        "\"%s\" of %s is not above the debounce of %s of input %s, which emits \"%s\"", key,
	        window, debounce, jsonc_quote(quoted, source->input->name), source->type);
}

static void check_gesture(struct lint *lint, size_t i, const struct source *sources, size_t n)
{
	const struct cue_gesture_config *def = &lint->config->gestures[i].def;
	const struct source *worst = NULL;

	switch (def->type) {
	case CUE_GESTURE_DOUBLE_TAP:
	case CUE_GESTURE_MULTI_TAP:
	case CUE_GESTURE_SIMULTANEOUS:
		check(lint, i, "window", def->window_ns, find(sources, n, def->source.type));
		break;
	case CUE_GESTURE_SEQUENCE:
		for (size_t k = 0; def->timeout_ns > 0 && k < def->n_steps; k++) {
			const struct source *source = find(sources, n, def->steps[k].type);

			if (source && (!worst || source->input->decoder.debounce_ns >
			                                 worst->input->decoder.debounce_ns))
				worst = source;
		}
		check(lint, i, "timeout", def->timeout_ns, worst);
		break;
	case CUE_GESTURE_CLICK:
		worst = find(sources, n, def->source.type);
		check(lint, i, "window", def->window_ns, worst);
		if (def->hold_ns > 0)
			check(lint, i, "hold", def->hold_ns, worst);
		break;
	case CUE_GESTURE_CYCLE:
	case CUE_GESTURE_GATED_MIRROR:
	case CUE_GESTURE_GATED_PLAYLIST:
		break;
	}
}

void lint_windows(struct lint *lint)
{
	const struct config *config = lint->config;
	struct source *sources = config_alloc(lint->reader, config->n_inputs * 2, sizeof(*sources));
	size_t n = 0;

	if (!sources)
		return;
	for (size_t i = 0; i < config->n_inputs; i++) {
		const struct config_input *input = &config->inputs[i];

		if (input->event)
			sources[n++] = (struct source){ input->event, input };
		if (input->release_event)
			sources[n++] = (struct source){ input->release_event, input };
	}
	qsort(sources, n, sizeof(*sources), by_type);
	for (size_t i = 0; i < config->n_gestures; i++) {
		if (lint_gesture_is_sound(lint, i))
			check_gesture(lint, i, sources, n);
	}
}
