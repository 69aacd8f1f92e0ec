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
 * The same for a file of conf.d, which must be a regular one: nobody means a
 * pipe there, and a reload must not wait for its writer.
 * @return as above; -ENOTSUP no regular file.
 */
int config_d_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len);

/** The most files conf.d may hold. */
#define CONFIG_D_FILES_MAX 1024U

/**
 * The files ending in `.json` or `.jsonc`, in letters of either case, in the folder `conf.d`
 * beside @p path in order of name (bytes), hidden ones left out. No such folder is no error.
 * @param ret_paths n malloc()ed paths in a malloc()ed array, see config_d_free().
 * @return 0; -E2BIG too many files; -ENOMEM; the errno of reading the folder.
 */
int config_d_list(const char *path, char ***ret_paths, size_t *ret_n);

/** Whether the name is one that is read: it ends in `.json` to the letter. */
bool config_d_is_read(const char *path);
void config_d_free(char **paths, size_t n);

#endif
