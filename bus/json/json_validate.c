/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict RFC 8259 validator that compacts in the same pass.
 *
 * The grammar as a state machine over tokens (white space between them is
 * skipped), with a stack of the open arrays and objects instead of recursion:
 *
 * state         | token            | action          | next
 * --------------+------------------+-----------------+---------------------
 * VALUE         | {                | open object     | KEY_OR_END
 *               | [                | open array      | VALUE_OR_END
 *               | string, scalar   | -               | AFTER, or DONE at depth 0
 * VALUE_OR_END  | ]                | close array     | AFTER, or DONE at depth 0
 *               | else             | as VALUE        |
 * KEY_OR_END    | }                | close object    | AFTER, or DONE at depth 0
 *               | else             | as KEY          |
 * KEY           | string           | remember key    | COLON
 * COLON         | :                | -               | VALUE
 * AFTER         | , in array       | -               | VALUE
 *               | , in object      | -               | KEY
 *               | ] in array       | close array     | AFTER, or DONE at depth 0
 *               | } in object      | close object    | AFTER, or DONE at depth 0
 * DONE          | end of text      | accept          |
 *
 * Anything else is a fault. Closing an object sorts its keys and looks for
 * equal neighbours, so that duplicates cost O(n log n) whatever the keys are.
 */
#include "json_validate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"

enum state { VALUE, VALUE_OR_END, KEY_OR_END, KEY, COLON, AFTER, DONE };

/* Payloads of usual size need no allocation for their keys. */
#define INLINE_KEYS    32U
#define LEVEL_IS_ARRAY SIZE_MAX

struct machine {
	struct cue_json_scan scan;
	enum state state;
	unsigned max_depth;
	unsigned depth;
	char *out;                    /* place of the next output byte, or NULL */
	struct cue_json_string *keys; /* of all open objects, innermost last */
	size_t n_keys;
	size_t cap_keys;
	size_t levels[CUE_JSON_DEPTH_MAX]; /* LEVEL_IS_ARRAY, or the object's first key */
	struct cue_json_string inline_keys[INLINE_KEYS];
};

static void copy_out(struct machine *m, const char *from)
{
	size_t len = (size_t)(m->scan.pos - from);

	if (!m->out)
		return;
	memcpy(m->out, from, len);
	m->out += len;
}

static void take_byte(struct machine *m)
{
	const char *from = m->scan.pos++;

	copy_out(m, from);
}

static bool in_array(const struct machine *m)
{
	return m->levels[m->depth - 1] == LEVEL_IS_ARRAY;
}

static enum state after_value(const struct machine *m)
{
	return m->depth ? AFTER : DONE;
}

/* ---- keys ---- */

static int push_key(struct machine *m, const struct cue_json_string *key)
{
	if (m->n_keys == m->cap_keys) {
		size_t cap = m->cap_keys * 2;
		bool was_inline = m->keys == m->inline_keys;
		struct cue_json_string *keys =
		        reallocarray(was_inline ? NULL : m->keys, cap, sizeof(*keys));

		if (!keys)
			return -ENOMEM;
		if (was_inline)
			memcpy(keys, m->inline_keys, sizeof(m->inline_keys));
		m->keys = keys;
		m->cap_keys = cap;
	}
	m->keys[m->n_keys++] = *key;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct cue_json_string *ka = a;
	const struct cue_json_string *kb = b;
	int order = cue_json_string_compare(ka, kb);

	return order ? order : (ka->text > kb->text) - (ka->text < kb->text);
}

/* Refuse the first key in the text that repeats an earlier key of its object. */
static int check_keys(struct machine *m, size_t first_key)
{
	struct cue_json_string *keys = m->keys + first_key;
	size_t n = m->n_keys - first_key;
	const char *repeated = NULL;

	if (n < 2)
		return 0;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++) {
		if (cue_json_string_compare(&keys[i - 1], &keys[i]) == 0 &&
		    (!repeated || keys[i].text < repeated))
			repeated = keys[i].text;
	}
	if (repeated)
		return cue_json_scan_fail(&m->scan, repeated - 1,
		                          "duplicate key: each key may be in an object only once");
	return 0;
}

/* ---- arrays and objects ---- */

static int open_level(struct machine *m, size_t level, enum state next)
{
	if (m->depth == m->max_depth) {
		cue_json_scan_fail(&m->scan, m->scan.pos,
		                   "arrays and objects are nested deeper than the limit");
		return -E2BIG;
	}
	m->levels[m->depth++] = level;
	take_byte(m);
	m->state = next;
	return 0;
}

static int close_level(struct machine *m)
{
	if (!in_array(m)) {
		size_t first_key = m->levels[m->depth - 1];
		int r = check_keys(m, first_key);

		if (r < 0)
			return r;
		m->n_keys = first_key;
	}
	m->depth--;
	take_byte(m);
	m->state = after_value(m);
	return 0;
}

/* ---- one handler for each state ---- */

static int on_value(struct machine *m)
{
	const char *from = m->scan.pos;
	struct cue_json_string string;
	int r;

	if (*from == '{')
		return open_level(m, m->n_keys, KEY_OR_END);
	if (*from == '[')
		return open_level(m, LEVEL_IS_ARRAY, VALUE_OR_END);
	if (*from == ']' && m->depth && in_array(m))
		return cue_json_scan_fail(&m->scan, from,
		                          "a value must follow ',': remove the trailing comma");
	r = *from == '"' ? cue_json_scan_string(&m->scan, &string) : cue_json_scan_scalar(&m->scan);
	if (r < 0)
		return r;
	copy_out(m, from);
	m->state = after_value(m);
	return 0;
}

static int on_value_or_end(struct machine *m)
{
	return *m->scan.pos == ']' ? close_level(m) : on_value(m);
}

static int on_key(struct machine *m)
{
	const char *from = m->scan.pos;
	struct cue_json_string key;
	int r;

	if (*from == '}')
		return cue_json_scan_fail(&m->scan, from,
		                          "a key must follow ',': remove the trailing comma");
	if (*from != '"')
		return cue_json_scan_fail(&m->scan, from,
		                          "a key is expected: a string in double quotes");
	r = cue_json_scan_string(&m->scan, &key);
	if (r < 0)
		return r;
	copy_out(m, from);
	m->state = COLON;
	return push_key(m, &key);
}

static int on_key_or_end(struct machine *m)
{
	return *m->scan.pos == '}' ? close_level(m) : on_key(m);
}

static int on_colon(struct machine *m)
{
	if (*m->scan.pos != ':')
		return cue_json_scan_fail(&m->scan, m->scan.pos, "':' is expected after the key");
	take_byte(m);
	m->state = VALUE;
	return 0;
}

static int on_after(struct machine *m)
{
	char c = *m->scan.pos;

	if (c == ',') {
		take_byte(m);
		m->state = in_array(m) ? VALUE : KEY;
		return 0;
	}
	if (c == (in_array(m) ? ']' : '}'))
		return close_level(m);
	return cue_json_scan_fail(&m->scan, m->scan.pos,
	                          in_array(m)
	                                  ? "',' or ']' is expected after a value of an array"
	                                  : "',' or '}' is expected after a value of an object");
}

static int on_done(struct machine *m)
{
	return cue_json_scan_fail(&m->scan, m->scan.pos, "only white space may follow the value");
}

static int step(struct machine *m)
{
	switch (m->state) {
	case VALUE:
		return on_value(m);
	case VALUE_OR_END:
		return on_value_or_end(m);
	case KEY_OR_END:
		return on_key_or_end(m);
	case KEY:
		return on_key(m);
	case COLON:
		return on_colon(m);
	case AFTER:
		return on_after(m);
	case DONE:
		return on_done(m);
	}
	return -EBADMSG; /* not reached: the switch is exhaustive */
}

static int at_end(struct machine *m)
{
	const char *end = m->scan.end;

	if (m->state == DONE)
		return 0;
	if (m->depth == 0)
		return cue_json_scan_fail(&m->scan, end,
		                          "the text is empty: a JSON value is expected");
	if (in_array(m))
		return cue_json_scan_fail(&m->scan, end,
		                          "the text ends inside an array: ']' is missing");
	return cue_json_scan_fail(&m->scan, end, "the text ends inside an object: '}' is missing");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int run(struct machine *m)
{
	for (;;) {
		int r;

		while (m->scan.pos < m->scan.end && is_space(*m->scan.pos))
			m->scan.pos++;
		if (m->scan.pos == m->scan.end)
			return at_end(m);
		r = step(m);
		if (r < 0)
			return r;
	}
}

int cue_json_compact(struct cue_json_text json, unsigned max_depth, char *out, size_t *ret_len,
                     struct cue_json_error *ret_error)
{
	struct machine m;
	int r;

	/* Not an initialiser: that would clear the stack of levels each time. */
	m.scan = (struct cue_json_scan){ .begin = json.text,
		                         .pos = json.text,
		                         .end = json.text + json.len };
	m.state = VALUE;
	m.max_depth = max_depth ? max_depth : CUE_JSON_DEPTH_DEFAULT;
	if (m.max_depth > CUE_JSON_DEPTH_MAX)
		m.max_depth = CUE_JSON_DEPTH_MAX;
	m.depth = 0;
	m.out = out;
	m.keys = m.inline_keys;
	m.n_keys = 0;
	m.cap_keys = INLINE_KEYS;

	r = run(&m);
	if (m.keys != m.inline_keys)
		free(m.keys);
	if (r == 0 && out)
		*ret_len = (size_t)(m.out - out);
	if ((r == -EBADMSG || r == -E2BIG) && ret_error)
		*ret_error = m.scan.error;
	return r;
}

int cue_json_validate(const char *json, size_t len, unsigned max_depth,
                      struct cue_json_error *ret_error)
{
	/* A NULL text of length 0 is an empty one; pointers are compared below. */
	struct cue_json_text text = { .text = len ? json : "", .len = len };

	return cue_json_compact(text, max_depth, NULL, NULL, ret_error);
}
