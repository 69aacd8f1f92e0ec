/* SPDX-License-Identifier: Apache-2.0 */
#include "hide.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define SHORT_MAX  3U /* values up to this length are hidden only between quotation marks */
#define PREFIX_MIN 8U /* this many bytes of the beginning identify a longer value */
#define CUT_MIN    4U /* or this many, at the end of a cut text */

struct hidden {
	char *shown; /* "${NAME}" */
	char *value;
	size_t len;
};

struct hide {
	struct hidden *items; /* longer values first: one may contain another */
	size_t n;
};

int hide_new(struct hide **ret_hide)
{
	struct hide *hide = calloc(1, sizeof(*hide));

	if (!hide)
		return -ENOMEM;
	*ret_hide = hide;
	return 0;
}

struct hide *hide_free(struct hide *hide)
{
	for (size_t i = 0; hide && i < hide->n; i++) {
		free(hide->items[i].shown);
		free(hide->items[i].value);
	}
	if (hide)
		free(hide->items);
	free(hide);
	return NULL;
}

static int add(struct hide *hide, const char *shown, const char *value)
{
	struct hidden item = { .len = strlen(value) };
	struct hidden *items;
	size_t at = 0;

	for (size_t i = 0; i < hide->n; i++) {
		if (strcmp(hide->items[i].value, value) == 0)
			return 0;
	}
	items = reallocarray(hide->items, hide->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	hide->items = items;
	item.shown = strdup(shown);
	item.value = strdup(value);
	if (!item.shown || !item.value) {
		free(item.shown);
		free(item.value);
		return -ENOMEM;
	}
	while (at < hide->n && items[at].len >= item.len)
		at++;
	memmove(&items[at + 1], &items[at], (hide->n - at) * sizeof(*items));
	items[at] = item;
	hide->n++;
	return 0;
}

int hide_add(struct hide *hide, const char *name, const char *value)
{
	char *shown;
	int r;

	if (!*value)
		return 0;
	if (asprintf(&shown, "${%s}", name) < 0)
		return -ENOMEM;
	r = add(hide, shown, value);
	free(shown);
	return r;
}

int hide_add_all(struct hide *hide, const struct hide *from)
{
	int r = 0;

	for (size_t i = 0; from && r >= 0 && i < from->n; i++)
		r = add(hide, from->items[i].shown, from->items[i].value);
	return r;
}

/* ---- finding ---- */

/** Bytes of @p text that spell a value's character of @p n bytes; 0: none. */
static size_t spelled(const char *text, const char *value, size_t n)
{
	size_t unused;
	uint32_t c = utf8_code_point(value, &unused);
	char escape[8];

	if (strncmp(text, value, n) == 0)
		return n;
	if (c >= 0x20 && !utf8_is_control(c) && c < 0x200B)
		return 0;
	if (c < 0x20 && *text == ' ')
		return 1;
	snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(c & 0xFFFF));
	return strncmp(text, escape, 6) == 0 ? 6 : 0;
}

/** Length of the part of the value that @p text spells. @param ret_value the same in bytes of the
 * value. */
static size_t common(const char *text, const struct hidden *item, size_t *ret_value)
{
	size_t at = 0, value = 0;

	while (value < item->len && text[at]) {
		size_t n, bytes;

		(void)utf8_code_point(item->value + value, &n);
		bytes = spelled(text + at, item->value + value, n);
		if (bytes == 0)
			break;
		at += bytes;
		value += n;
	}
	*ret_value = value;
	return at;
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

/** Bytes of @p text + @p at that show the value, whole or cut; 0: none. */
static size_t shows(const char *text, size_t at, const struct hidden *item)
{
	size_t value, len = common(text + at, item, &value);
	const char *end = text + at + len;

	if (value == item->len) {
		bool quoted = at > 0 && is_quote(text[at - 1]) && is_quote(*end);

		return item->len > SHORT_MAX || quoted ? len : 0;
	}
	if (value >= PREFIX_MIN)
		return len;
	return value >= CUT_MIN && (*end == '\0' || strncmp(end, "...", 3) == 0) ? len : 0;
}

/** The value that matches the longest part of the text; the earlier of two equal ones. */
static const struct hidden *find(const struct hide *hide, const char *text, size_t at,
                                 size_t *ret_len)
{
	const struct hidden *best = NULL;

	*ret_len = 0;
	for (size_t i = 0; i < hide->n; i++) {
		const struct hidden *item = &hide->items[i];
		size_t len = shows(text, at, item);

		/* Longer values come first: with the same length, a shorter value matches as a
		 * whole. */
		if (len > *ret_len || (len > 0 && len == *ret_len && item->len == len)) {
			*ret_len = len;
			best = item;
		}
	}
	return best;
}

/** Write the replaced text to @p out, or only count if it is NULL. @return its bytes. */
static size_t replace(const struct hide *hide, const char *text, char *out)
{
	size_t used = 0, n = 1;

	for (size_t at = 0; text[at]; at += n) {
		const struct hidden *item = find(hide, text, at, &n);
		const char *piece = item ? item->shown : text + at;
		size_t len = item ? strlen(piece) : 1;

		if (!item)
			n = 1;
		if (out)
			memcpy(out + used, piece, len);
		used += len;
	}
	return used;
}

int hide_text(const struct hide *hide, const char *text, char **ret_text)
{
	size_t len;
	char *out;

	if (!hide || hide->n == 0) {
		out = strdup(text);
	} else {
		len = replace(hide, text, NULL);
		out = malloc(len + 1);
		if (out) {
			replace(hide, text, out);
			out[len] = '\0';
		}
	}
	if (!out)
		return -ENOMEM;
	*ret_text = out;
	return 0;
}
