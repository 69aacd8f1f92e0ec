/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_store.h
 * @brief Definitions made by command, kept in `state_dir` across restarts.
 *
 * One file, `definitions.json`:
 * `{"version":1,"playlists":{name:text},"gestures":{name:text}}` with each
 * definition as JSON in a string, so that its spelling is kept,
 * replaced as a whole (temporary file, fsync, rename, fsync of the directory),
 * so that it is always the old one or the new one. Writing is done by a thread
 * of the store's own: the loop never waits for the disk. Reads and changes are
 * made from the loop thread.
 */
#ifndef CUEBUS_DEFINITION_STORE_H
#define CUEBUS_DEFINITION_STORE_H

#include <cuebus/payload.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct definition_store;

enum definition_kind { DEFINITION_PLAYLIST, DEFINITION_GESTURE };

/**
 * @param state_dir NULL: in memory only.
 * @param written called by the store's thread after each write, done or
 *        failed: look at definition_store_written(). May be NULL.
 * @param error 512 bytes; on failure what was wrong with which file.
 * @return 0; -errno of reading; -EBADMSG the file is not what was written (it
 *         is left as it is); -ENOMEM.
 */
int definition_store_new(const char *state_dir, void (*written)(void *user), void *user,
                         struct definition_store **ret_store, char *error);
/** Waits for what is not yet written (definition_store_flush()). */
struct definition_store *definition_store_free(struct definition_store *store);

/** Keep, or replace. The payload is referenced. @return 0; -ENOMEM. */
int definition_store_put(struct definition_store *store, enum definition_kind kind,
                         const char *name, struct cue_payload *definition);
/** @return 0; -ENOENT. */
int definition_store_remove(struct definition_store *store, enum definition_kind kind,
                            const char *name);
bool definition_store_has(const struct definition_store *store, enum definition_kind kind,
                          const char *name);
/** In order of name. Non-zero from @p visit stops and is returned. */
int definition_store_foreach(struct definition_store *store, enum definition_kind kind,
                             int (*visit)(void *user, const char *name,
                                          struct cue_payload *definition),
                             void *user);

/** Number of the newest change, from 1; 0 before the first (and always in memory only). */
uint64_t definition_store_newest(const struct definition_store *store);
/**
 * Number of the newest change that a write was tried for; what is not over it
 * is on disk if @p ret_error is 0, and else was not written when last tried.
 * Any thread.
 */
uint64_t definition_store_written(struct definition_store *store, int *ret_error);

/** Block until everything is on disk. @return 0 or the negative errno of the last write. */
int definition_store_flush(struct definition_store *store);

/** The last write's result: 0 or negative errno; any thread. */
int definition_store_error(struct definition_store *store);

#endif
