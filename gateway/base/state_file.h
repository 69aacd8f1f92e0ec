/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file state_file.h
 * @brief Files in `gateway.state_dir`, robust against anything that is there.
 *
 * No function here follows a symbolic link below the folder, waits for a FIFO or a device, or
 * overwrites a file that it did not create. A damaged file, or one that is not regular, is renamed
 * to `NAME.corrupt-TIME` and kept for inspection; the oldest copies are deleted if there are too
 * many.
 *
 * Thread: any; one at a time for one folder. All functions wait for the disk.
 */
#ifndef CUEBUS_STATE_FILE_H
#define CUEBUS_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct log;

#define STATE_FILE_NAME_SIZE 256U
/** Separates the name from the time in the name of a renamed file. */
#define STATE_FILE_ASIDE ".corrupt-"
/** Copies kept of one file. */
#define STATE_FILE_COPIES_MAX 4U

/** "a symbolic link", "a FIFO" … */
const char *state_file_kind(mode_t mode);

/** Open @p dir; its own path may contain links. @return fd or negative errno. */
int state_file_open_dir(const char *dir);

/**
 * Open a regular file, never waiting.
 * @param flags O_RDONLY, O_RDWR.
 * @return fd; -ENOENT; -EMEDIUMTYPE not a regular file (also a link); other negative errno.
 */
int state_file_open(int dir_fd, const char *name, int flags, struct stat *ret_stat);

/**
 * Read a file.
 * @param ret_text malloc()ed, followed by a NUL.
 * @return as state_file_open(); -EFBIG more than @p max_bytes; -ENOMEM.
 */
int state_file_read(int dir_fd, const char *name, uint64_t max_bytes, char **ret_text,
                    size_t *ret_len);

/**
 * Replace a file atomically: after a power cut it is the old one or the new one, once
 * state_file_sync() has returned. Uses a new temporary file `NAME.tmp`; anything of that name is
 * removed, not followed.
 * @return 0 or negative errno.
 */
int state_file_write(int dir_fd, const char *name, const void *text, size_t len);
int state_file_sync(int dir_fd);

/** Whether @p name is a copy of state_file_set_aside(). */
bool state_file_is_aside(const char *name);

/**
 * Make room for one more copy.
 * @param family   the file whose copies count for @p copies; NULL: copies of all files.
 * @param copies   the oldest copies are deleted, with their `-wal` and `-shm`, until there are
 *                 fewer.
 * @param ret_name STATE_FILE_NAME_SIZE bytes: an unused name for a copy of @p name.
 * @return 0; -EDQUOT too many copies can't be deleted (folders); negative errno.
 */
int state_file_aside_name(int dir_fd, const char *name, const char *family, unsigned copies,
                          char ret_name[STATE_FILE_NAME_SIZE]);

/**
 * Rename @p name to the name of state_file_aside_name().
 * @param ret_name STATE_FILE_NAME_SIZE bytes; may be NULL.
 * @return 0; -ENOENT; -EDQUOT too many copies can't be deleted (folders); negative errno.
 */
int state_file_set_aside(int dir_fd, const char *name, const char *family, unsigned copies,
                         char ret_name[STATE_FILE_NAME_SIZE]);

/** Log a warning with the remedy if others can write to the folder. */
void state_file_check_dir(const char *dir, struct log *log);

#endif
