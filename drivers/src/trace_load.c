/* SPDX-License-Identifier: Apache-2.0 */
#include <drivers/trace.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MIN 65536U

struct buffer {
	char *bytes;
	size_t len, cap;
};

static int grow(struct buffer *buffer)
{
	size_t cap = buffer->cap ? 2 * buffer->cap : READ_MIN;
	char *bytes = realloc(buffer->bytes, cap);

	if (!bytes)
		return -ENOMEM;
	buffer->bytes = bytes;
	buffer->cap = cap;
	return 0;
}

/** Read until the end instead of using the size from stat(), so that pipes work too. */
static int read_all(int fd, uint64_t max_bytes, struct buffer *buffer)
{
	for (;;) {
		ssize_t n;

		if (buffer->len == buffer->cap && grow(buffer) < 0)
			return -ENOMEM;
		n = read(fd, buffer->bytes + buffer->len, buffer->cap - buffer->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buffer->len += (size_t)n;
		if (buffer->len > max_bytes)
			return -EFBIG;
	}
}

static int load(const char *path, uint64_t max_bytes, struct buffer *buffer)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = read_all(fd, max_bytes, buffer);
	close(fd);
	return r;
}

int trace_load(const char *path, uint64_t max_bytes, struct trace **ret_trace,
               struct trace_error *ret_error)
{
	struct buffer buffer = { 0 };
	int r = load(path, max_bytes, &buffer);

	if (r < 0) {
		ret_error->line = ret_error->column = 0;
		if (r == -EFBIG)
			snprintf(ret_error->text, sizeof(ret_error->text), "larger than %llu bytes",
			         (unsigned long long)max_bytes);
		else
			snprintf(ret_error->text, sizeof(ret_error->text), "can't be read: %s",
			         strerrordesc_np(-r));
	} else {
		r = trace_parse(buffer.bytes, buffer.len, ret_trace, ret_error);
	}
	free(buffer.bytes);
	return r;
}
