/* SPDX-License-Identifier: Apache-2.0 */
#include "config_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void freep(char **p)
{
	free(*p);
}

static int read_all(int fd, size_t max, char **ret_text, size_t *ret_len)
{
	__attribute__((cleanup(freep))) char *text = NULL;
	size_t len = 0, capacity = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= capacity) {
			char *grown;

			capacity = capacity ? capacity * 2 : 16384;
			grown = realloc(text, capacity);
			if (!grown)
				return -ENOMEM;
			text = grown;
		}
		n = read(fd, text + len, capacity - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	text[len] = '\0';
	*ret_text = text;
	*ret_len = len;
	text = NULL;
	return 0;
}

int config_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	__attribute__((cleanup(closep))) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return read_all(fd, max, ret_text, ret_len);
}

int config_d_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	/* O_NONBLOCK, because opening a FIFO would otherwise wait for a writer. */
	__attribute__((cleanup(closep))) int fd =
	        open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	return read_all(fd, max, ret_text, ret_len);
}

static int is_config_or_meant_so(const struct dirent *entry)
{
	int flags = FNM_PERIOD | FNM_CASEFOLD;

	return fnmatch("*.json", entry->d_name, flags) == 0 ||
	       fnmatch("*.jsonc", entry->d_name, flags) == 0;
}

bool config_d_is_read(const char *path)
{
	return fnmatch("*.json", path, 0) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

void config_d_free(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

static void free_entries(struct dirent **entries, int n)
{
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
}

int config_d_list(const char *path, char ***ret_paths, size_t *ret_n)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path + 1) : 0;
	__attribute__((cleanup(freep))) char *name = NULL;
	struct dirent **entries;
	char **paths;
	int n;

	if (asprintf(&name, "%.*sconf.d", folder, path) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	n = scandir(name, &entries, is_config_or_meant_so, by_name);
	if (n < 0 && errno != ENOENT)
		return -errno;
	if (n <= 0) {
		if (n == 0)
			free(entries);
		*ret_paths = NULL;
		*ret_n = 0;
		return 0;
	}
	paths = (unsigned)n > CONFIG_D_FILES_MAX ? NULL : calloc((size_t)n, sizeof(char *));
	for (int i = 0; paths && i < n; i++) {
		if (asprintf(&paths[i], "%s/%s", name, entries[i]->d_name) < 0) {
			paths[i] = NULL;
			config_d_free(paths, (size_t)n);
			paths = NULL;
		}
	}
	free_entries(entries, n);
	if (!paths)
		return (unsigned)n > CONFIG_D_FILES_MAX ? -E2BIG : -ENOMEM;
	*ret_paths = paths;
	*ret_n = (size_t)n;
	return 0;
}
