/* SPDX-License-Identifier: Apache-2.0 */
#include "json_indent.h"

#include <stdbool.h>

static void new_line(FILE *stream, unsigned depth)
{
	fputc('\n', stream);
	for (unsigned i = 0; i < depth; i++)
		fputs("  ", stream);
}

/** Copy a string; @return its closing quotation mark. */
static const char *copy_string(const char *s, FILE *stream)
{
	do {
		fputc(*s, stream);
		if (*s == '\\')
			fputc(*++s, stream);
		s++;
	} while (*s != '"');
	fputc(*s, stream);
	return s;
}

void json_indent(const char *compact, FILE *stream)
{
	unsigned depth = 0;

	for (const char *s = compact; *s; s++) {
		bool open = *s == '{' || *s == '[', close = *s == '}' || *s == ']';

		if (*s == '"') {
			s = copy_string(s, stream);
		} else if (open && (s[1] == '}' || s[1] == ']')) {
			fputc(*s++, stream);
			fputc(*s, stream);
		} else if (open) {
			fputc(*s, stream);
			new_line(stream, ++depth);
		} else if (close) {
			new_line(stream, --depth);
			fputc(*s, stream);
		} else if (*s == ',') {
			fputc(*s, stream);
			new_line(stream, depth);
		} else {
			fputc(*s, stream);
			if (*s == ':')
				fputc(' ', stream);
		}
	}
	fputc('\n', stream);
}
