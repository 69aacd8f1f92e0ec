/* SPDX-License-Identifier: Apache-2.0 */
#include "diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hide.h"

#define FINDINGS_MAX 1000U

/** Copy a text without control characters: a finding is one line. */
static char *one_line(const char *s)
{
	static const char digits[] = "0123456789abcdef";
	char *copy = malloc(strlen(s) * 4 + 1);
	char *out = copy;

	if (!copy)
		return NULL;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != 0x7F) {
			*out++ = *s;
			continue;
		}
		*out++ = '\\';
		*out++ = 'x';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 15U];
	}
	*out = '\0';
	return copy;
}

static int reserve(struct diag *diag)
{
	struct diag_finding *findings;
	size_t capacity;

	/* The capacity is a power of two, so the array is full at each power of two. */
	if ((diag->n & (diag->n - 1)) != 0)
		return 0;
	capacity = diag->n ? diag->n * 2 : 1;
	findings = realloc(diag->findings, capacity * sizeof(*findings));
	if (!findings)
		return -1;
	diag->findings = findings;
	return 0;
}

static void finding_clear(struct diag_finding *finding)
{
	free(finding->file);
	free(finding->path);
	free(finding->message);
}

int diag_hide(struct diag *diag, const char *name, const char *value)
{
	int r = diag->hide ? 0 : hide_new(&diag->hide);

	return r < 0 ? r : hide_add(diag->hide, name, value);
}

/** @p text is freed. @return NULL: no memory. */
static char *hidden(const struct diag *diag, char *text)
{
	char *safe = NULL;

	if (!text || !diag->hide)
		return text;
	(void)hide_text(diag->hide, text, &safe);
	free(text);
	return safe;
}

void diag_add(struct diag *diag, enum diag_severity severity, struct diag_place place,
              const char *rule, const char *format, ...)
{
	struct diag_finding finding = {
		.severity = severity, .line = place.line, .column = place.column, .rule = rule
	};
	char *text = NULL;
	va_list args;

	/* Count first: an error must count even if there is no memory for its text. */
	if (severity == DIAG_ERROR)
		diag->n_errors++;
	if (diag->n >= FINDINGS_MAX) {
		diag->n_dropped++;
		return;
	}
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	text = hidden(diag, text);
	finding.file = one_line(place.file ? place.file : "");
	finding.path = one_line(place.path ? place.path : "");
	finding.message = text ? one_line(text) : NULL;
	free(text);
	if (!finding.file || !finding.path || !finding.message || reserve(diag) < 0) {
		finding_clear(&finding);
		diag->n_dropped++;
		return;
	}
	diag->findings[diag->n++] = finding;
}

static int compare(const struct diag_finding *a, const struct diag_finding *b)
{
	int order = strcmp(a->file, b->file);

	if (order != 0)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return 0;
}

void diag_sort(struct diag *diag)
{
	/* Insertion sort: stable, in place, and there are at most FINDINGS_MAX. */
	for (size_t i = 1; i < diag->n; i++) {
		struct diag_finding finding = diag->findings[i];
		size_t j = i;

		for (; j > 0 && compare(&diag->findings[j - 1], &finding) > 0; j--)
			diag->findings[j] = diag->findings[j - 1];
		diag->findings[j] = finding;
	}
}

void diag_print(const struct diag *diag, FILE *stream)
{
	for (size_t i = 0; i < diag->n; i++) {
		const struct diag_finding *f = &diag->findings[i];

		fprintf(stream, "%s:%u:%u: %s: %s [%s]\n", f->file, f->line, f->column,
		        f->severity == DIAG_ERROR ? "error" : "warning", f->message, f->rule);
	}
}

void diag_clear(struct diag *diag)
{
	for (size_t i = 0; i < diag->n; i++)
		finding_clear(&diag->findings[i]);
	free(diag->findings);
	hide_free(diag->hide);
	*diag = (struct diag){ 0 };
}
