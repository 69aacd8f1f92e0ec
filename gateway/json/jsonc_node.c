/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct jsonc_node *jsonc_get(const struct jsonc_node *object, const char *key)
{
	if (!object || object->type != JSONC_OBJECT)
		return NULL;
	for (struct jsonc_node *child = object->first; child; child = child->next) {
		if (strcmp(child->key, key) == 0)
			return child;
	}
	return NULL;
}

void jsonc_append(struct jsonc_node *parent, struct jsonc_node *child)
{
	child->parent = parent;
	child->index = parent->n++;
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

void jsonc_remove(struct jsonc_node *child)
{
	struct jsonc_node *parent = child->parent;
	struct jsonc_node *previous = NULL;

	for (struct jsonc_node *node = parent->first; node != child; node = node->next)
		previous = node;
	if (previous)
		previous->next = child->next;
	else
		parent->first = child->next;
	if (parent->last == child)
		parent->last = previous;
	for (struct jsonc_node *node = child->next; node; node = node->next)
		node->index--;
	parent->n--;
	child->next = NULL;
	child->parent = NULL;
}

/** Write one part of a pointer, escaped by RFC 6901. @p out may be NULL. @return its length. */
static size_t pointer_part(const struct jsonc_node *node, char *out)
{
	char number[24];
	size_t n = 0;
	const char *s = node->key;

	if (!s) {
		snprintf(number, sizeof(number), "%zu", node->index);
		s = number;
	}
	if (out)
		out[n] = '/';
	n++;
	for (; *s; s++) {
		bool special = *s == '~' || *s == '/';

		if (out) {
			out[n] = special ? '~' : *s;
			if (special)
				out[n + 1] = *s == '~' ? '0' : '1';
		}
		n += special ? 2 : 1;
	}
	return n;
}

char *jsonc_pointer(const struct jsonc_node *node)
{
	size_t len = 0;
	char *text;

	for (const struct jsonc_node *n = node; n->parent; n = n->parent)
		len += pointer_part(n, NULL);
	text = malloc(len + 1);
	if (!text)
		return NULL;
	text[len] = '\0';
	for (const struct jsonc_node *n = node; n->parent; n = n->parent) {
		len -= pointer_part(n, NULL);
		pointer_part(n, text + len);
	}
	return text;
}

/** Whether a pointer's part (to the next "/" or the end) names this child. */
static bool part_names(const char *part, size_t len, const struct jsonc_node *child)
{
	char own[32];
	size_t n;

	if (child->key) {
		n = pointer_part(child, NULL) - 1;
		if (n != len)
			return false;
		for (const char *k = child->key; *k; k++) {
			char c = *part++;

			if (c == '~')
				c = *part++ == '0' ? '~' : '/';
			else if (*k == '~' || *k == '/')
				return false;
			if (c != *k)
				return false;
		}
		return true;
	}
	n = (size_t)snprintf(own, sizeof(own), "%zu", child->index);
	return n == len && memcmp(own, part, len) == 0;
}

const struct jsonc_node *jsonc_resolve(const struct jsonc_node *node, const char *pointer)
{
	while (*pointer == '/') {
		const char *part = pointer + 1;
		size_t len = strcspn(part, "/");
		const struct jsonc_node *child = node->first;

		pointer = part + len;
		while (child && !part_names(part, len, child))
			child = child->next;
		if (child)
			node = child;
		else if (node->type == JSONC_ARRAY || len != 1 || *part != '0')
			break;
	}
	return node;
}

/** A JSON number split so that its value is digits * 10^exponent. */
struct decimal {
	bool negative;
	const char *digits; /**< from the first digit that is not 0; may contain a '.' */
	size_t n_digits;    /**< without the '.' and without the zeros at the end */
	int64_t exponent;
};

/** Far outside of 64 bits in both directions: larger exponents need not be distinguished. */
#define EXPONENT_MAX 1000000

static int64_t read_exponent(const char *s)
{
	bool negative = *s == '-';
	int64_t value = 0;

	if (*s == '-' || *s == '+')
		s++;
	for (; *s && value < EXPONENT_MAX; s++)
		value = value * 10 + (*s - '0');
	return negative ? -value : value;
}

static struct decimal split_number(const char *text)
{
	struct decimal d = { .negative = *text == '-' };
	size_t n = 0, zeros = 0; /* digits so far, and zeros at their end */
	bool in_fraction = false;
	const char *s;

	for (s = text + d.negative; *s && *s != 'e' && *s != 'E'; s++) {
		if (*s == '.') {
			in_fraction = true;
			continue;
		}
		d.exponent -= in_fraction;
		if (n == 0 && *s == '0')
			continue;
		if (n++ == 0)
			d.digits = s;
		zeros = *s == '0' ? zeros + 1 : 0;
	}
	d.n_digits = n - zeros;
	d.exponent += (int64_t)zeros + (*s ? read_exponent(s + 1) : 0);
	return d;
}

/** Read sign and magnitude. @return 0; -EINVAL not an integer; -ERANGE over 64 bits. */
static int read_whole(const struct jsonc_node *node, bool *ret_negative, uint64_t *ret_value)
{
	uint64_t value = 0;
	struct decimal d;
	const char *s;

	if (node->type != JSONC_NUMBER)
		return -EINVAL;
	d = split_number(node->text);
	s = d.digits;
	if (d.n_digits > 0 && d.exponent < 0)
		return -EINVAL;
	for (size_t n = 0; n < d.n_digits; s++) {
		if (*s == '.')
			continue;
		n++;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return -ERANGE;
	}
	for (int64_t i = 0; value > 0 && i < d.exponent; i++) {
		if (__builtin_mul_overflow(value, 10, &value))
			return -ERANGE;
	}
	*ret_negative = d.negative;
	*ret_value = value;
	return 0;
}

int jsonc_u64(const struct jsonc_node *node, uint64_t *ret_value)
{
	uint64_t value;
	bool negative;
	int r = read_whole(node, &negative, &value);

	if (r == 0 && negative && value > 0)
		r = -ERANGE;
	if (r == 0)
		*ret_value = value;
	return r;
}

int jsonc_i64(const struct jsonc_node *node, int64_t *ret_value)
{
	uint64_t value;
	bool negative;
	int r = read_whole(node, &negative, &value);

	if (r == 0 && value > (uint64_t)INT64_MAX + negative)
		r = -ERANGE;
	if (r == 0)
		*ret_value = negative ? (int64_t)-value : (int64_t)value;
	return r;
}

const char *jsonc_type_name(enum jsonc_type type)
{
	switch (type) {
	case JSONC_NULL:
		return "null";
	case JSONC_BOOL:
		return "a boolean";
	case JSONC_NUMBER:
		return "a number";
	case JSONC_STRING:
		return "a string";
	case JSONC_ARRAY:
		return "an array";
	case JSONC_OBJECT:
		return "an object";
	}
	return "nothing";
}

/** Whether a terminal would not show the character, or would change the text around it. */
static bool is_hidden(uint32_t c)
{
	return utf8_is_control(c) || utf8_is_noncharacter(c) || c == 0x200E || c == 0x200F ||
	       (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

const char *jsonc_quote(char buf[JSONC_QUOTE_SIZE], const char *text)
{
	const size_t room = JSONC_QUOTE_SIZE - 6; /* quotation marks, "...", NUL */
	size_t len = 0, n;

	buf[len++] = '"';
	for (; *text; text += n) {
		uint32_t c = utf8_code_point(text, &n);
		bool hidden = is_hidden(c) && c <= 0xFFFF;

		if (len - 1 + (hidden ? 6 : n) > room)
			break;
		if (hidden)
			len += (size_t)snprintf(buf + len, 7, "\\u%04x", (unsigned)c);
		else
			len = (size_t)((char *)mempcpy(buf + len, text, n) - buf);
	}
	snprintf(buf + len, JSONC_QUOTE_SIZE - len, "%s\"", *text ? "..." : "");
	return buf;
}

const struct jsonc_node *jsonc_element(const struct jsonc_node *list, size_t i)
{
	const struct jsonc_node *child = list->first;

	if (list->type != JSONC_ARRAY)
		return list;
	while (i-- > 0)
		child = child->next;
	return child;
}
