/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file state_lock.h
 * @brief One gateway has a state folder for itself.
 *
 * A file `lock` in it is locked as long as the process lives, however it ends (an open
 * file description lock, see fcntl(2)). It says who has it. Whoever writes in the folder
 * asks state_lock_hold() before: a folder that was removed and made anew, or in whose
 * place another was put, is locked again, or not written in.
 *
 * Thread: any.
 */
#ifndef CUEBUS_STATE_LOCK_H
#define CUEBUS_STATE_LOCK_H

struct log;
struct state_lock;

#define STATE_LOCK_ERROR_SIZE 512U

/**
 * @param dir        made if only its last part does not exist.
 * @param gateway_id for the one who finds it locked.
 * @param log        borrowed; NULL: say nothing.
 * @param error      STATE_LOCK_ERROR_SIZE bytes; with -EBUSY a sentence that names the holder.
 * @return 0, also when the folder can't be locked yet for another reason: state_lock_hold() says
 *         which and tries again; -EBUSY another process has it; -ENOMEM.
 */
int state_lock_new(const char *dir, const char *gateway_id, struct log *log,
                   struct state_lock **ret_lock, char *error);
/** Gives the folder back. NULL is allowed. @return NULL. */
struct state_lock *state_lock_free(struct state_lock *lock);

/**
 * Waits for the disk.
 * @param error STATE_LOCK_ERROR_SIZE bytes; why not.
 * @return 0 the folder is this process's (or its file system has no locks, which is logged once);
 *         -EBUSY another process has it; else why it can't be locked: it does not exist, or can't
 *         be written in.
 */
int state_lock_hold(struct state_lock *lock, char *error);

#endif
