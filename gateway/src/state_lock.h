/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file state_lock.h
 * @brief One gateway has a state folder for itself.
 *
 * A file `lock` in it is locked as long as the process lives, however it ends (an open
 * file description lock, see fcntl(2)). It says who has it. Thread: any, one at a time.
 */
#ifndef CUEBUS_STATE_LOCK_H
#define CUEBUS_STATE_LOCK_H

#define STATE_LOCK_ERROR_SIZE 512U

/**
 * @param dir        made if only its last part does not exist.
 * @param gateway_id for the one who finds it locked.
 * @param ret_fd     to be closed to give the lock back.
 * @param error      STATE_LOCK_ERROR_SIZE bytes; with -EBUSY a sentence that names the holder.
 * @return 0; -EBUSY another process has it; else why it can't be locked: the folder can't be
 *         written in, or its file system has no locks.
 */
int state_lock(const char *dir, const char *gateway_id, int *ret_fd, char *error);

#endif
