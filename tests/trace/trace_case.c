/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_case.h"

#include <cuebus/event.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"

int trace_seconds(const char *text, uint64_t *ret_ns)
{
	char buf[64];

	if (snprintf(buf, sizeof(buf), "%ss", text) >= (int)sizeof(buf))
		return -EINVAL;
	return duration_parse(buf, strlen(buf), ret_ns, NULL) < 0 ? -EINVAL : 0;
}

char *trace_case_sibling(const struct trace_case *c, const char *name)
{
	const char *slash = strrchr(c->path, '/');
	char *path;

	if (asprintf(&path, "%.*s%s", slash ? (int)(slash - c->path + 1) : 0, c->path, name) < 0)
		return NULL;
	return path;
}

static int read_file(const char *path, char **ret_text)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;

	if (!file)
		return -errno;
	/* No NUL in the file: the whole is one "line". */
	len = getdelim(&text, &cap, '\0', file);
	fclose(file);
	if (len < 0) {
		free(text);
		return -ENODATA;
	}
	*ret_text = text;
	return 0;
}

static int fault(const struct trace_case *c, unsigned line, const char *text)
{
	fprintf(stderr, "%s:%u: %s\n", c->path, line, text);
	return -EINVAL;
}

static int add_directive(struct trace_case *c, unsigned line, uint64_t time_ns, char *text)
{
	struct directive *d =
	        realloc(c->directives, (c->n_directives + 1) * sizeof(*c->directives));
	char *args = strchr(text, ' ');

	if (!d)
		return -ENOMEM;
	c->directives = d;
	if (args)
		*args++ = '\0';
	d[c->n_directives++] = (struct directive){
		.time_ns = time_ns,
		.line = line,
		.verb = strdup(text + 1),
		.args = strdup(args ? args : ""),
	};
	return 0;
}

static int take_header(struct trace_case *c, unsigned line, const char *text)
{
	if (strncmp(text, "# config: ", 10) == 0) {
		free(c->config_path);
		c->config_path = trace_case_sibling(c, text + 10);
		return c->config_path ? 0 : -ENOMEM;
	}
	if (strncmp(text, "# until: ", 9) == 0 &&
	    duration_parse(text + 9, strlen(text + 9), &c->until_ns, NULL) < 0)
		return fault(c, line, "until: not a duration");
	return 0;
}

/**
 * Look at one line (NUL-terminated copy).
 * @param ret_is_trace whether it is for the trace reader.
 */
static int take_line(struct trace_case *c, unsigned line, char *text, bool *ret_is_trace)
{
	char *at = strstr(text, " @");
	uint64_t time_ns;

	*ret_is_trace = false;
	if (text[0] == '#')
		return take_header(c, line, text);
	if (text[0] == '@')
		return add_directive(c, line, DIRECTIVE_FIRST, text);
	if (at && strcspn(text, " ") == (size_t)(at - text)) {
		*at++ = '\0';
		if (trace_seconds(text, &time_ns) < 0)
			return fault(c, line,
			             "the time before a directive must be seconds, absolute");
		return add_directive(c, line, time_ns, at);
	}
	*ret_is_trace = true;
	return 0;
}

/** Split the input part; directives are blanked out in @p input, so that the
 *  reader's line numbers hold. */
static int split_input(struct trace_case *c, char *input)
{
	unsigned line = 1;

	for (char *s = input; *s; line++) {
		size_t len = strcspn(s, "\n");
		bool more = s[len] == '\n', is_trace;
		char *copy = strndup(s, len);
		int r;

		if (!copy)
			return -ENOMEM;
		r = take_line(c, line, copy, &is_trace);
		free(copy);
		if (r < 0)
			return r;
		if (!is_trace && len > 0)
			memset(s, '#', len);
		s += len + (more ? 1 : 0);
	}
	for (size_t i = 1; i < c->n_directives; i++) {
		const struct directive *d = &c->directives[i];

		if (d->time_ns == DIRECTIVE_FIRST
		            ? d[-1].time_ns != DIRECTIVE_FIRST
		            : d[-1].time_ns != DIRECTIVE_FIRST && d->time_ns < d[-1].time_ns)
			return fault(c, d->line, "directives must be in order of time");
	}
	return 0;
}

int trace_case_read(const char *path, struct trace_case *ret_case)
{
	struct trace_case c = { .path = path, .until_ns = CUE_TIME_NONE };
	struct trace_error error = { 0 };
	char *blank, *input = NULL;
	int r;

	r = read_file(path, &c.text);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", path, strerrordesc_np(-r));
		return r;
	}
	blank = strstr(c.text, "\n\n");
	c.expected = blank ? blank + 2 : c.text + strlen(c.text);
	c.expected_len = strlen(c.expected);
	input = strndup(c.text, blank ? (size_t)(blank - c.text) + 1 : strlen(c.text));
	r = input ? split_input(&c, input) : -ENOMEM;
	if (r >= 0 && !c.config_path)
		r = fault(&c, 1, "there is no line \"# config: FILE\"");
	if (r >= 0) {
		r = trace_parse(input, strlen(input), &c.trace, &error);
		if (r < 0)
			fprintf(stderr, "%s:%u:%u: %s\n", path, error.line, error.column,
			        error.text);
	}
	free(input);
	if (r < 0) {
		trace_case_clear(&c);
		return r;
	}
	*ret_case = c;
	return 0;
}

void trace_case_clear(struct trace_case *c)
{
	for (size_t i = 0; i < c->n_directives; i++) {
		free(c->directives[i].verb);
		free(c->directives[i].args);
	}
	free(c->directives);
	trace_free(c->trace);
	free(c->config_path);
	free(c->text);
	*c = (struct trace_case){ 0 };
}

int trace_case_update(const struct trace_case *c, const char *actual, size_t len)
{
	size_t head = (size_t)(c->expected - c->text);
	bool blank = head >= 2 && c->text[head - 2] == '\n';
	FILE *file = fopen(c->path, "wb");

	if (!file)
		return -errno;
	fwrite(c->text, 1, head, file);
	if (!blank)
		fputc('\n', file);
	fwrite(actual, 1, len, file);
	return fclose(file) != 0 ? -errno : 0;
}
