/* SPDX-License-Identifier: Apache-2.0 */
#include "input_event.h"

#include <cjson/cJSON.h>
#include <cuebus/json_writer.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000ULL

bool input_event_owns_key(enum decoder_kind kind, const char *key)
{
	static const char *const fields[][4] = {
		[DECODER_BUTTON] = { "pressed", "held_ms" },
		[DECODER_SWITCH] = { "state", "initial" },
		[DECODER_ROTARY] = { "position", "delta", "change", "limited" },
		[DECODER_COUNTER] = { "count", "interval_ms" },
	};

	for (size_t i = 0; i < 4 && fields[kind][i]; i++) {
		if (strcmp(key, fields[kind][i]) == 0)
			return true;
	}
	return strcmp(key, "input") == 0;
}

/** Length of the member that begins at @p s in compact valid JSON, up to its comma or the object's
 * end. */
static size_t member_length(const char *s)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0;; i++) {
		if (in_string) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in_string = false;
		} else if (s[i] == '"') {
			in_string = true;
		} else if (s[i] == '{' || s[i] == '[') {
			depth++;
		} else if (depth == 0 && (s[i] == ',' || s[i] == '}')) {
			return i;
		} else if (s[i] == '}' || s[i] == ']') {
			depth--;
		}
	}
}

/*
 * Copies the values from the bytes instead of printing the tree, so that numbers keep their
 * spelling. The tree has the keys unescaped, in the same order.
 */
int input_event_extra(enum decoder_kind kind, struct cue_payload *data, char **ret_extra)
{
	const cJSON *tree, *member;
	const char *s;
	char *extra;
	size_t size, len = 0;

	if (!data) {
		extra = strdup("");
		if (!extra)
			return -ENOMEM;
		*ret_extra = extra;
		return 0;
	}
	tree = cue_payload_json(data);
	if (!tree)
		return -ENOMEM;
	if (!cJSON_IsObject(tree))
		return -EINVAL;
	s = cue_payload_bytes(data, &size) + 1;
	extra = malloc(size + 1);
	if (!extra)
		return -ENOMEM;
	cJSON_ArrayForEach(member, tree)
	{
		size_t n = member_length(s);

		if (!input_event_owns_key(kind, member->string)) {
			if (len > 0)
				extra[len++] = ',';
			memcpy(extra + len, s, n);
			len += n;
		}
		s += n + 1;
	}
	extra[len] = '\0';
	*ret_extra = extra;
	return 0;
}

static void write_position(struct cue_writer *w, const struct decoder_change *change)
{
	cue_writer_key(w, "position");
	cue_writer_i64(w, change->position);
	if (change->type == DECODER_ROTATED) {
		cue_writer_key(w, "delta");
		cue_writer_i64(w, change->delta);
	}
	cue_writer_key(w, "change");
	cue_writer_i64(w, change->change);
	if (change->limited) {
		cue_writer_key(w, "limited");
		cue_writer_bool(w, true);
	}
}

static void write_change(struct cue_writer *w, const struct decoder_change *change)
{
	switch (change->type) {
	case DECODER_PRESSED:
		cue_writer_key(w, "pressed");
		cue_writer_bool(w, true);
		break;
	case DECODER_RELEASED:
		cue_writer_key(w, "pressed");
		cue_writer_bool(w, false);
		cue_writer_key(w, "held_ms");
		cue_writer_u64(w, change->held_ns / NS_PER_MS);
		break;
	case DECODER_STATE:
		cue_writer_key(w, "state");
		cue_writer_bool(w, change->state);
		if (change->initial) {
			cue_writer_key(w, "initial");
			cue_writer_bool(w, true);
		}
		break;
	case DECODER_ROTATED:
	case DECODER_POSITIONED:
		write_position(w, change);
		break;
	case DECODER_COUNTED:
		cue_writer_key(w, "count");
		cue_writer_u64(w, change->count);
		cue_writer_key(w, "interval_ms");
		cue_writer_u64(w, change->interval_ns / NS_PER_MS);
		break;
	}
}

int input_event_data(const char *input, const struct decoder_change *change, const char *extra,
                     struct cue_payload **ret_data)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_writer_key(&w, "input");
	cue_writer_string(&w, input);
	write_change(&w, change);
	if (*extra) {
		/* Raw text counts as one value: the writer places the comma. */
		cue_writer_raw(&w, extra, strlen(extra));
	}
	cue_writer_object_end(&w);
	return cue_writer_finish_payload(&w, ret_data);
}
