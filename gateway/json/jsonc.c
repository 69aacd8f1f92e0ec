/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonc.h"

#include <cuebus/payload.h>
#include <cuebus/utf8.h>

#include <errno.h>
#include <string.h>

#include "jsonc_string.h"

struct parser {
	struct arena *arena;
	struct diag *diag;
	const char *file;
	const char *text;
	size_t len;
	size_t at;
	unsigned line;
	size_t line_start;
	unsigned depth, max_depth;
	bool strict;
};

static struct jsonc_place place_at(const struct parser *p, size_t offset)
{
	return (struct jsonc_place){ p->line, (unsigned)(offset - p->line_start + 1), offset };
}

static int fail_at(struct parser *p, struct jsonc_place place, const char *message)
{
	diag_add(p->diag, DIAG_ERROR, (struct diag_place){ p->file, place.line, place.column, "" },
	         "syntax", "%s", message);
	return -EINVAL;
}

static int fail(struct parser *p, const char *message)
{
	return fail_at(p, place_at(p, p->at), message);
}

static bool more(const struct parser *p)
{
	return p->at < p->len;
}

static bool looking_at(const struct parser *p, const char *word)
{
	size_t len = strlen(word);

	return p->len - p->at >= len && memcmp(p->text + p->at, word, len) == 0;
}

static void newline(struct parser *p)
{
	p->line++;
	p->line_start = p->at + 1;
}

/** Skip one comment; the parser is at its "/". */
static int skip_comment(struct parser *p)
{
	struct jsonc_place start = place_at(p, p->at);
	bool block = looking_at(p, "/*");

	if (p->strict)
		return fail(p, "comments are not allowed here");
	if (!block && !looking_at(p, "//"))
		return fail(p, "a comment begins with // or /*");
	for (p->at += 2; more(p); p->at++) {
		size_t bytes = cue_utf8_sequence(p->text + p->at, p->len - p->at);

		if (p->text[p->at] == '\n') {
			if (!block)
				return 0;
			newline(p);
		} else if (block && looking_at(p, "*/")) {
			p->at += 2;
			return 0;
		} else if (bytes == 0) {
			return fail(p, "not valid UTF-8");
		} else {
			p->at += bytes - 1;
		}
	}
	return block ? fail_at(p, start, "this comment is not closed with */") : 0;
}

static int skip_space(struct parser *p)
{
	for (; more(p); p->at++) {
		char c = p->text[p->at];
		int r;

		if (c == '\n') {
			newline(p);
		} else if (c == '/') {
			r = skip_comment(p);
			if (r < 0)
				return r;
			p->at--;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return 0;
		}
	}
	return 0;
}

/** Parse a string; the parser is at its opening quotation mark. */
static int parse_string(struct parser *p, const char **ret_text, size_t *ret_len)
{
	struct jsonc_string_error error;
	struct jsonc_string string;
	int r;

	r = jsonc_string_decode(p->arena, p->text + p->at, p->len - p->at, &string, &error);
	if (r == -EINVAL)
		return fail_at(p, place_at(p, p->at + error.offset), error.text);
	if (r < 0)
		return r;
	p->at += string.used;
	*ret_text = string.text;
	*ret_len = string.len;
	return 0;
}

static size_t digits(struct parser *p)
{
	size_t start = p->at;

	while (more(p) && p->text[p->at] >= '0' && p->text[p->at] <= '9')
		p->at++;
	return p->at - start;
}

static int parse_number(struct parser *p, struct jsonc_node *node)
{
	size_t start = p->at;
	struct jsonc_place place = place_at(p, start);

	if (p->text[p->at] == '-')
		p->at++;
	if (more(p) && p->text[p->at] == '0') {
		p->at++;
		if (digits(p) > 0)
			return fail_at(p, place, "a number can't begin with 0 and another digit");
	} else if (digits(p) == 0) {
		return fail_at(p, place, "a digit must follow the minus sign");
	}
	if (more(p) && p->text[p->at] == '.') {
		p->at++;
		if (digits(p) == 0)
			return fail_at(p, place, "a digit must follow the decimal point");
	}
	if (more(p) && (p->text[p->at] == 'e' || p->text[p->at] == 'E')) {
		p->at++;
		if (more(p) && (p->text[p->at] == '+' || p->text[p->at] == '-'))
			p->at++;
		if (digits(p) == 0)
			return fail_at(p, place, "a digit must follow the exponent's e");
	}
	node->type = JSONC_NUMBER;
	node->text_len = p->at - start;
	node->text = arena_strndup(p->arena, p->text + start, node->text_len);
	return node->text ? 0 : -ENOMEM;
}

static int parse_word(struct parser *p, struct jsonc_node *node)
{
	static const struct {
		const char *word;
		enum jsonc_type type;
		bool boolean;
	} words[] = { { "true", JSONC_BOOL, true },
		      { "false", JSONC_BOOL, false },
		      { "null", JSONC_NULL, false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word);
		char after;

		if (!looking_at(p, words[i].word))
			continue;
		after = p->at + len < p->len ? p->text[p->at + len] : ' ';
		if ((after >= 'a' && after <= 'z') || (after >= '0' && after <= '9'))
			break;
		node->type = words[i].type;
		node->boolean = words[i].boolean;
		p->at += len;
		return 0;
	}
	return fail(p, "a value is expected: an object, an array, a string in \"…\", a number, "
	               "true, false or null");
}

static int parse_value(struct parser *p, struct jsonc_node **ret_node);

/** After a child: skip the comma, or stop at the end sign. @return 1 another child may follow; 0
 * the end. */
static int after_child(struct parser *p, char end)
{
	struct jsonc_place comma;
	int r = skip_space(p);

	if (r < 0)
		return r;
	if (!more(p) || (p->text[p->at] != ',' && p->text[p->at] != end))
		return fail(p,
		            end == '}' ? "a comma or } is expected" : "a comma or ] is expected");
	if (p->text[p->at] == end)
		return 0;
	comma = place_at(p, p->at++);
	r = skip_space(p);
	if (r < 0)
		return r;
	if (more(p) && p->text[p->at] == end) {
		if (p->strict)
			return fail_at(p, comma, "a trailing comma is not allowed here");
		return 0;
	}
	return 1;
}

/** Parse `"key":`, up to the value. */
static int parse_key(struct parser *p, const char **ret_key, struct jsonc_place *ret_place)
{
	size_t len;
	int r;

	if (!more(p) || p->text[p->at] != '"')
		return fail(p, "a key in \"…\" is expected");
	*ret_place = place_at(p, p->at);
	r = parse_string(p, ret_key, &len);
	if (r < 0)
		return r;
	r = skip_space(p);
	if (r < 0)
		return r;
	if (!more(p) || p->text[p->at] != ':')
		return fail(p, "a colon is expected after the key");
	p->at++;
	return skip_space(p);
}

static int parse_children(struct parser *p, struct jsonc_node *node, char end)
{
	int again, r;

	p->at++;
	r = skip_space(p);
	if (r < 0)
		return r;
	again = !(more(p) && p->text[p->at] == end);
	while (again > 0) {
		struct jsonc_node *child;
		struct jsonc_place key_place = { 0 };
		const char *key = NULL;

		r = end == '}' ? parse_key(p, &key, &key_place) : 0;
		if (r < 0)
			return r;
		r = parse_value(p, &child);
		if (r < 0)
			return r;
		child->key = key;
		child->key_place = key_place;
		jsonc_append(node, child);
		again = after_child(p, end);
	}
	if (again < 0)
		return again;
	p->at++;
	return 0;
}

static int parse_container(struct parser *p, struct jsonc_node *node)
{
	bool object = p->text[p->at] == '{';
	int r;

	if (p->depth >= p->max_depth) {
		struct jsonc_place place = place_at(p, p->at);

		diag_add(p->diag, DIAG_ERROR,
		         (struct diag_place){ p->file, place.line, place.column, "" }, "json-depth",
		         "nested deeper than %u levels", p->max_depth);
		return -EINVAL;
	}
	node->type = object ? JSONC_OBJECT : JSONC_ARRAY;
	p->depth++;
	r = parse_children(p, node, object ? '}' : ']');
	p->depth--;
	return r;
}

static int parse_value(struct parser *p, struct jsonc_node **ret_node)
{
	struct jsonc_node *node = arena_alloc(p->arena, sizeof(*node));
	char c = more(p) ? p->text[p->at] : '\0';
	int r;

	if (!node)
		return -ENOMEM;
	node->file = p->file;
	node->place = place_at(p, p->at);
	if (c == '{' || c == '[') {
		r = parse_container(p, node);
	} else if (c == '"') {
		node->type = JSONC_STRING;
		r = parse_string(p, &node->text, &node->text_len);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		r = parse_number(p, node);
	} else {
		r = parse_word(p, node);
	}
	if (r < 0)
		return r;
	node->end_offset = p->at;
	*ret_node = node;
	return 0;
}

int jsonc_parse(struct arena *arena, const struct jsonc_source *source,
                const struct jsonc_options *options, struct diag *diag,
                struct jsonc_node **ret_root)
{
	static const char byte_order_mark[] = "\xEF\xBB\xBF";
	struct parser p = { .arena = arena,
		            .diag = diag,
		            .text = source->text,
		            .len = source->len,
		            .line = 1,
		            .strict = options->strict,
		            .max_depth = options->max_depth };
	struct jsonc_node *root;
	int r;

	p.file = arena_strndup(arena, source->file, strlen(source->file));
	if (!p.file)
		return -ENOMEM;
	if (p.max_depth == 0)
		p.max_depth = CUE_JSON_DEPTH_DEFAULT;
	if (!p.strict && looking_at(&p, byte_order_mark))
		p.at = p.line_start = strlen(byte_order_mark);
	r = skip_space(&p);
	if (r < 0)
		return r;
	if (!more(&p))
		return fail(&p, "the text is empty; an object { … } is expected");
	r = parse_value(&p, &root);
	if (r < 0)
		return r;
	r = skip_space(&p);
	if (r < 0)
		return r;
	if (more(&p))
		return fail(&p, "nothing may follow the value");
	r = jsonc_drop_duplicates(root, diag);
	if (r < 0)
		return r;
	*ret_root = root;
	return 0;
}
