/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gestures that begin with all steps of a shorter one (the shorter one fires first), and gestures
 * that wait for the same events (both fire). Each gesture is written as a text, one part for each
 * event. After sorting these texts, a prefix comes before its continuations, with only other
 * continuations between, and equal texts are adjacent.
 */
#include "lint.h"

#include <cuebus/json_writer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc_write.h"

struct spelled {
	char *text;
	size_t len;
	size_t gesture;
};

static int by_text(const void *a, const void *b)
{
	const struct spelled *x = a, *y = b;
	size_t shorter = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->text, y->text, shorter);

	if (order != 0)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->gesture < y->gesture ? -1 : x->gesture > y->gesture;
}

/** Write one event: ["type",match]. JSON text is self-delimiting, so no part is a prefix of
 * another. */
static void spell_filter(struct cue_writer *w, const struct jsonc_node *node)
{
	const struct jsonc_node *match =
	        node->type == JSONC_OBJECT ? jsonc_get(node, "match") : NULL;

	cue_writer_array_begin(w);
	jsonc_write(w, node->type == JSONC_OBJECT ? jsonc_get(node, "event") : node, JSONC_PLAIN);
	if (match)
		jsonc_write(w, match, JSONC_PLAIN);
	cue_writer_array_end(w);
}

/** @return 1 spelled; 0 not a gesture with an order; -ENOMEM. */
static int spell(const struct lint *lint, size_t i, struct spelled *ret)
{
	const struct cue_gesture_config *def = &lint->config->gestures[i].def;
	const struct jsonc_node *node = lint->gestures[i];
	const struct jsonc_node *step = NULL;
	struct cue_writer w = { 0 };
	unsigned n_source = 0; /* events of its source */
	uint64_t kind = def->type;
	int r;

	switch (def->type) {
	case CUE_GESTURE_DOUBLE_TAP:
		n_source = 2;
		kind = CUE_GESTURE_MULTI_TAP;
		break;
	case CUE_GESTURE_MULTI_TAP:
		n_source = def->count;
		break;
	case CUE_GESTURE_SIMULTANEOUS:
		n_source = def->required_sources;
		break;
	case CUE_GESTURE_SEQUENCE:
		step = jsonc_element(jsonc_get(node, "steps"), 0);
		break;
	case CUE_GESTURE_CLICK: /* lint_clicks.c */
	case CUE_GESTURE_CYCLE:
	case CUE_GESTURE_GATED_MIRROR:
	case CUE_GESTURE_GATED_PLAYLIST:
		return 0;
	}
	/* Different kinds are not compared: their times have different meanings. */
	cue_writer_u64(&w, kind);
	for (unsigned k = 0; k < n_source; k++)
		spell_filter(&w, jsonc_get(node, "source"));
	for (; step; step = step->key ? NULL : step->next)
		spell_filter(&w, step);
	ret->gesture = i;
	r = cue_writer_finish(&w, &ret->text, &ret->len);
	return r < 0 ? r : 1;
}

static bool begins(const struct spelled *prefix, const struct spelled *whole)
{
	return prefix->len < whole->len && memcmp(prefix->text, whole->text, prefix->len) == 0;
}

static bool equal(const struct spelled *a, const struct spelled *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void tell_equal(struct lint *lint, const struct spelled *one, const struct spelled *other)
{
	const struct jsonc_node *first = lint->gestures[one->gesture];
	char quoted[JSONC_QUOTE_SIZE];

	config_key_finding(lint->reader, DIAG_WARNING, lint->gestures[other->gesture], "both-fire",
	                   "gesture %s (line %u) waits for the same events: both fire",
	                   jsonc_quote(quoted, first->key), first->key_place.line);
}

static void tell(struct lint *lint, const struct spelled *shorter, const struct spelled *longer)
{
	const struct jsonc_node *prefix = lint->gestures[shorter->gesture];
	char quoted[JSONC_QUOTE_SIZE];

	config_key_finding(lint->reader, DIAG_WARNING, lint->gestures[longer->gesture], "shadowed",
	                   "gesture %s (line %u) is the beginning of this one and fires on the way",
	                   jsonc_quote(quoted, prefix->key), prefix->key_place.line);
}

void lint_sequences(struct lint *lint)
{
	size_t total = lint->config->n_gestures, n = 0, depth = 0;
	struct spelled *all = config_alloc(lint->reader, total, sizeof(*all));
	const struct spelled **open = config_alloc(lint->reader, total, sizeof(*open));

	for (size_t i = 0; all && open && i < total && !lint->reader->error; i++) {
		int r = lint_gesture_is_sound(lint, i) ? spell(lint, i, &all[n]) : 0;

		if (r < 0)
			lint->reader->error = r;
		else
			n += (size_t)r;
	}
	if (lint->reader->error)
		goto out;
	qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 0; i < n; i++) {
		while (depth > 0 && !begins(open[depth - 1], &all[i]))
			depth--;
		if (depth > 0)
			tell(lint, open[depth - 1], &all[i]);
		if (i > 0 && equal(&all[i - 1], &all[i]))
			tell_equal(lint, &all[i - 1], &all[i]);
		open[depth++] = &all[i];
	}
out:
	for (size_t i = 0; all && i < n; i++)
		free(all[i].text);
}
