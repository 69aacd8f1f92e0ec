/* SPDX-License-Identifier: Apache-2.0 */
/* The reference in man(7). The table's texts are Markdown with `code` and *emphasis*; characters
 * with a meaning in roff are escaped. */
#include "schema_config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "schema_text.h"

/** Whether a sentence ends here: in man pages the next one starts on a new line. */
static bool ends_sentence(const char *p)
{
	return p[0] == ' ' && p[-1] == '.' && p[1] >= 'A' && p[1] <= 'Z';
}

static void print_char(FILE *out, const char *p, bool line_begins)
{
	switch (*p) {
	case '\\':
		fputs("\\(rs", out);
		break;
	case '-':
		fputs("\\-", out);
		break;
	case '\'':
		fputs("\\(aq", out);
		break;
	case '^':
		fputs("\\(ha", out);
		break;
	case '~':
		fputs("\\(ti", out);
		break;
	case '.':
		fputs(line_begins ? "\\&." : ".", out);
		break;
	default:
		fputc(*p, out);
	}
}

/** @p text in Markdown, not empty. */
static void print_roff(FILE *out, const char *text)
{
	bool code = false, emphasis = false, line_begins = true;

	for (const char *p = text; *p; p++) {
		if (*p == '`') {
			fputs(code ? "\\fR" : "\\fB", out);
			code = !code;
		} else if (*p == '*' && !code) {
			fputs(emphasis ? "\\fR" : "\\fI", out);
			emphasis = !emphasis;
		} else if (*p == '\\' && !code && p[1]) {
			print_char(out, ++p, line_begins); /* escaped in Markdown */
		} else if (!code && p > text && ends_sentence(p)) {
			fputc('\n', out);
			line_begins = true;
			continue;
		} else {
			print_char(out, p, line_begins);
		}
		line_begins = false;
	}
}

/** Type or (with the table) doc of a field, converted. @return 0; -ENOMEM. */
static int print_text(FILE *out, const struct config_table *table, const struct config_field *field)
{
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		return -ENOMEM;
	if (table)
		schema_text_doc(stream, table, field);
	else
		schema_text_type(stream, field);
	if (fclose(stream) != 0) {
		free(text);
		return -ENOMEM;
	}
	print_roff(out, text);
	free(text);
	return 0;
}

static int print_field(FILE *out, const struct config_table *table,
                       const struct config_field *field)
{
	int r;

	fprintf(out, ".TP\n\\fB%s\\fR (", field->key);
	r = print_text(out, NULL, field);
	if (r < 0)
		return r;
	if (field->required) {
		fputs("; required", out);
	} else if (field->initial && *field->initial) {
		fputs("; default \\fB", out);
		for (const char *p = field->initial; *p; p++)
			print_char(out, p, false);
		fputs("\\fR", out);
	}
	fputs(")\n", out);
	r = print_text(out, table, field);
	fputc('\n', out);
	return r;
}

static int print_table(FILE *out, const struct config_table *table)
{
	int r = 0;

	fputs(".SS ", out);
	print_roff(out, table->title);
	fputc('\n', out);
	for (size_t i = 0; i < table->n_fields && r >= 0; i++)
		r = print_field(out, table, &table->fields[i]);
	for (size_t i = 0; i < table->n_fields && r >= 0; i++) {
		if (table->fields[i].table)
			r = print_table(out, table->fields[i].table);
	}
	return r;
}

int schema_config_man(FILE *stream)
{
	return print_table(stream, &config_table_root);
}
