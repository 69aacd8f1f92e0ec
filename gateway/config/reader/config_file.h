/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_file.h
 * @brief The configuration's files on disk.
 */
#ifndef CUEBUS_CONFIG_FILE_H
#define CUEBUS_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Read a whole file. May be a pipe: `cuebus check <(make-config)`.
 * @param ret_text malloc()ed, NUL-terminated; the caller frees it.
 * @return 0; -EFBIG over @p max bytes; -EISDIR; -ENOMEM; the errno of opening or reading.
 */
int config_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len);

/**
 * As config_file_read(), for a file of conf.d, which must be a regular file: a reload must not wait
 * for the writer of a pipe.
 * @return as config_file_read(); -ENOTSUP not a regular file.
 */
int config_d_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len);

/** Largest number of files in conf.d. */
#define CONFIG_D_FILES_MAX 1024U

/**
 * List the files ending in `.json` or `.jsonc`, in any case, in the folder `conf.d` beside @p path,
 * in order of name (bytes), without hidden files. A missing folder is not an error.
 * @param ret_paths n malloc()ed paths in a malloc()ed array, see config_d_free().
 * @return 0; -E2BIG too many files; -ENOMEM; the errno of reading the folder.
 */
int config_d_list(const char *path, char ***ret_paths, size_t *ret_n);

/** Whether a file of that name is read: it ends in exactly `.json`. */
bool config_d_is_read(const char *path);
void config_d_free(char **paths, size_t n);

#endif
