/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file state_lock.h
 * @brief The lock of a state folder: only one gateway may use it.
 *
 * The file `lock` in the folder is locked until the process ends, in whatever way (an open file
 * description lock, see fcntl(2)). It names its holder. Call state_lock_hold() before writing to
 * the folder: a folder that was removed and created again, or replaced, is locked again, or not
 * written to.
 *
 * Thread: any.
 */
#ifndef CUEBUS_STATE_LOCK_H
#define CUEBUS_STATE_LOCK_H

struct log;
struct state_lock;

#define STATE_LOCK_ERROR_SIZE 512U

/**
 * Create the lock and try to acquire it.
 * @param dir        created if only its last part does not exist.
 * @param gateway_id written to the file, for the message of another process.
 * @param log        borrowed; NULL: no log.
 * @param error      with -EBUSY a sentence that names the holder.
 * @return 0, also if the folder can't be locked yet for another reason: state_lock_hold() reports
 *         it and tries again; -EBUSY another process holds it; -ENOMEM.
 */
int state_lock_new(const char *dir, const char *gateway_id, struct log *log,
                   struct state_lock **ret_lock, char error[STATE_LOCK_ERROR_SIZE]);
/** Release the folder. NULL is allowed. @return NULL. */
struct state_lock *state_lock_free(struct state_lock *lock);

/**
 * Check or acquire the lock. Waits for the disk.
 * @param error the reason of a failure.
 * @return 0 this process holds the folder (or its file system has no locks, which is logged once);
 *         -EBUSY another process holds it; other negative errno: it does not exist, or can't be
 *         written to.
 */
int state_lock_hold(struct state_lock *lock, char error[STATE_LOCK_ERROR_SIZE]);

#endif
