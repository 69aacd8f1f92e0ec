/* SPDX-License-Identifier: Apache-2.0 */
/* Clicks beside another click, a double or a multi tap on the same events: both fire. A click is
 * exclusive only within itself. One with `when` may be meant for another time, and is left out. */
#include "lint.h"

#include <cuebus/json_writer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc_write.h"

struct source {
	char *text; /* of the filter, in one spelling */
	size_t gesture;
	bool is_click;
};

static int by_text(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : (x->gesture > y->gesture) - (x->gesture < y->gesture);
}

/** @return 1 written; 0 another kind of gesture, or only at times; -ENOMEM. */
static int write_source(const struct lint *lint, size_t i, struct source *ret)
{
	const struct cue_gesture_config *def = &lint->config->gestures[i].def;
	const struct jsonc_node *source = jsonc_get(lint->gestures[i], "source"), *match = NULL;
	struct cue_writer w = { 0 };
	size_t len;
	int r;

	ret->is_click = def->type == CUE_GESTURE_CLICK;
	ret->gesture = i;
	if (def->type != CUE_GESTURE_CLICK && def->type != CUE_GESTURE_DOUBLE_TAP &&
	    def->type != CUE_GESTURE_MULTI_TAP)
		return 0;
	if (def->when)
		return 0;
	if (source->type == JSONC_OBJECT)
		match = jsonc_get(source, "match");
	cue_writer_array_begin(&w);
	cue_writer_string(&w, def->source.type);
	if (match && match->n > 0)
		jsonc_write(&w, match, JSONC_PLAIN);
	cue_writer_array_end(&w);
	r = cue_writer_finish(&w, &ret->text, &len);
	return r < 0 ? r : 1;
}

static void tell(struct lint *lint, const struct source *one, const struct source *other)
{
	const struct jsonc_node *first = lint->gestures[one->gesture];
	char quoted[JSONC_QUOTE_SIZE];

	config_key_finding(lint->reader, DIAG_WARNING, lint->gestures[other->gesture], "both-fire",
	                   "gesture %s (line %u) has the same source: both fire; one click with "
	                   "several names in \"emit\" fires once",
	                   jsonc_quote(quoted, first->key), first->key_place.line);
}

/** Gestures of one source: report each beside the first click, or the clicks beside the first. */
static void check_group(struct lint *lint, const struct source *group, size_t n)
{
	const struct source *click = NULL;

	for (size_t i = 0; i < n && !click; i++)
		click = group[i].is_click ? &group[i] : NULL;
	for (size_t i = 0; click && i < n; i++) {
		if (&group[i] < click)
			tell(lint, &group[i], click);
		else if (&group[i] > click)
			tell(lint, click, &group[i]);
	}
}

void lint_clicks(struct lint *lint)
{
	size_t total = lint->config->n_gestures, n = 0, first = 0;
	struct source *all = config_alloc(lint->reader, total, sizeof(*all));

	for (size_t i = 0; all && i < total && !lint->reader->error; i++) {
		int r = lint_gesture_is_sound(lint, i) ? write_source(lint, i, &all[n]) : 0;

		if (r < 0)
			lint->reader->error = r;
		else
			n += (size_t)r;
	}
	if (lint->reader->error)
		goto out;
	qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && strcmp(all[i].text, all[first].text) == 0)
			continue;
		check_group(lint, &all[first], i - first);
		first = i;
	}
out:
	for (size_t i = 0; all && i < n; i++)
		free(all[i].text);
}
