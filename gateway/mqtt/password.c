/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utf8.h"

/** Size for a byte-order mark, the longest password and its line end, so that a longer one is
 * detected. */
#define BUFFER_SIZE (PASSWORD_MAX + 7U)

/**
 * Read the beginning of the file. Uses read(2) because the buffer of stdio would keep a copy.
 * Everything after the first line is ignored.
 * @return bytes read, or negative errno.
 */
static ssize_t read_start(const char *path, char *buffer)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	/* A FIFO or a device could block forever. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	while (n > 0 && len < BUFFER_SIZE - 1) {
		n = read(fd, buffer + len, BUFFER_SIZE - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	n = n < 0 ? -errno : (ssize_t)len;
	close(fd);
	return n;
}

/**
 * Find the first line of @p n bytes, followed by a NUL. Some editors write a byte-order mark before
 * the text: it is not part of the password.
 * @param ret_line points into @p bytes.
 * @return NULL, or the error in the text.
 */
static const char *find_line(const char *bytes, size_t n, const char **ret_line, size_t *ret_len)
{
	static const char utf8_mark[] = "\xEF\xBB\xBF";
	size_t mark = n >= 3 && memcmp(bytes, utf8_mark, 3) == 0 ? 3 : 0, len;

	if (n >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0))
		return "is encoded as UTF-16: save it as UTF-8";
	bytes += mark;
	n -= mark;
	len = strcspn(bytes, "\r\n");
	if (len < n && bytes[len] == '\0')
		return "has a NUL byte in it: a password is text, in UTF-8";
	if (len == 0)
		return "has no password in its first line";
	if (len > PASSWORD_MAX)
		return "has a first line that is longer than a password can be (65535 bytes)";
	*ret_line = bytes;
	*ret_len = len;
	return NULL;
}

static int read_file(const char *path, char **ret_password, char *error, size_t error_size)
{
	char *buffer = calloc(1, BUFFER_SIZE);
	ssize_t n = buffer ? read_start(path, buffer) : -ENOMEM;
	const char *fault = NULL, *line = NULL;
	size_t len = 0;
	int r = 0;

	if (n < 0) {
		r = (int)n;
		snprintf(error, error_size, "mqtt.password_file '%.150s' can't be read: %s", path,
		         r == -EINVAL ? "it is not a regular file" : strerrordesc_np(-r));
	} else if ((fault = find_line(buffer, (size_t)n, &line, &len))) {
		r = -EINVAL;
		snprintf(error, error_size, "mqtt.password_file '%.150s' %s", path, fault);
	} else {
		*ret_password = strndup(line, len);
		if (!*ret_password)
			r = -ENOMEM;
	}
	/* The text after the first line may be a secret too. */
	if (buffer)
		explicit_bzero(buffer, BUFFER_SIZE);
	free(buffer);
	return r;
}

static int read_environment(const char *name, char **ret_password, char *error, size_t error_size)
{
	const char *value = secure_getenv(name), *fault = "is not set", *line = NULL;
	size_t len = 0;

	if (value)
		fault = *value ? find_line(value, strlen(value), &line, &len) : "is empty";
	if (fault) {
		snprintf(error, error_size, "mqtt.password_env: environment variable '%.*s' %s",
		         utf8_fit(name, 64), name, fault);
		return value ? -EINVAL : -ENOENT;
	}
	*ret_password = strndup(line, len);
	if (*ret_password)
		return 0;
	snprintf(error, error_size, "out of memory");
	return -ENOMEM;
}

int password_read(const struct mqtt_settings *settings, char **ret_password, char *error,
                  size_t error_size)
{
	if (settings->password_file)
		return read_file(settings->password_file, ret_password, error, error_size);
	if (settings->password_env)
		return read_environment(settings->password_env, ret_password, error, error_size);
	*ret_password = NULL;
	return 0;
}

char *password_forget(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
	return NULL;
}
