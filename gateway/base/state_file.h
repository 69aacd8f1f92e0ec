/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file state_file.h
 * @brief Files in `gateway.state_dir`, whatever somebody has put there.
 *
 * No function here follows a symbolic link below the folder, waits for a FIFO
 * or a device, or writes over a file that it did not make. What is not a
 * regular file, or is spoilt, is renamed to `NAME.corrupt-TIME` and stays for a
 * person to look at; the oldest copies are deleted when there are too many.
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
/** Stands between the name and the time of what was set aside. */
#define STATE_FILE_ASIDE ".corrupt-"
/** Copies kept of one file. */
#define STATE_FILE_COPIES_MAX 4U

/** "a symbolic link", "a FIFO" … */
const char *state_file_kind(mode_t mode);

/** Open @p dir; its own path may have links in it. @return fd or negative errno. */
int state_file_open_dir(const char *dir);

/**
 * Open a regular file, never waiting.
 * @param flags O_RDONLY, O_RDWR.
 * @return fd; -ENOENT; -EMEDIUMTYPE it is no regular file (a link included); other negative errno.
 */
int state_file_open(int dir_fd, const char *name, int flags, struct stat *ret_stat);

/**
 * @param ret_text malloc()ed, with a NUL behind its end.
 * @return as state_file_open(); -EFBIG more than @p max_bytes; -ENOMEM.
 */
int state_file_read(int dir_fd, const char *name, uint64_t max_bytes, char **ret_text,
                    size_t *ret_len);

/**
 * Replace a file as a whole: after a power cut it is the old one or the new
 * one, once state_file_sync() has returned. A temporary file `NAME.tmp` is made
 * anew; what stands at its name is removed, not followed.
 * @return 0 or negative errno.
 */
int state_file_write(int dir_fd, const char *name, const void *text, size_t len);
int state_file_sync(int dir_fd);

/** Whether @p name is that of a copy which state_file_set_aside() made. */
bool state_file_is_aside(const char *name);

/**
 * Make room for one more copy.
 * @param family   the file whose copies count towards @p copies; NULL: all files'.
 * @param copies   the oldest are deleted, with their `-wal` and `-shm`, until there are fewer.
 * @param ret_name STATE_FILE_NAME_SIZE bytes: a name for a copy of @p name that is free.
 * @return 0; -EDQUOT there are too many that can't be deleted (folders); negative errno.
 */
int state_file_aside_name(int dir_fd, const char *name, const char *family, unsigned copies,
                          char *ret_name);

/**
 * Rename what stands at @p name, as state_file_aside_name() says.
 * @param ret_name STATE_FILE_NAME_SIZE bytes; may be NULL.
 * @return 0; -ENOENT; -EDQUOT there are too many that can't be deleted (folders); negative errno.
 */
int state_file_set_aside(int dir_fd, const char *name, const char *family, unsigned copies,
                         char *ret_name);

/** Log a warning with the remedy where others can write in the folder. */
void state_file_check_dir(const char *dir, struct log *log);

#endif
