/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_store.h
 * @brief Definitions made by command, kept in `state_dir` across restarts.
 *
 * One file for each, `definitions/<number>.def` (definition_file.h), replaced as
 * a whole (temporary file, fsync, rename, fsync of the folder), so that it is
 * always the old one or the new one, and a change writes what it changed and no
 * more. Writing is done by a thread of the store's own: the loop never waits for
 * the disk. All functions are called on the loop's thread unless said otherwise.
 *
 *   found at the start              | what becomes of it
 *   good                            | kept
 *   spoilt, no regular file         | renamed (state_file.h), named in the log
 *   of a newer version, unreadable  | left as it is, named in the log
 *   over max_bytes                  | passed over: left as it is, named in the log; a define or
 *                                   | remove of its name works
 *   definitions.json (up to 0.1)    | each of its definitions gets a file, then it is renamed to
 *                                   | definitions.json.migrated
 */
#ifndef CUEBUS_DEFINITION_STORE_H
#define CUEBUS_DEFINITION_STORE_H

#include <cuebus/payload.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "definition_file.h"

struct log;
struct definition_store;

struct definition_store_config {
	const char *state_dir; /**< NULL: in memory only. Copied. */
	uint64_t max_bytes;    /**< of all files together (limits.kept_definition_bytes) */
	struct log *log;       /**< borrowed; NULL: say nothing */
	/** Called by the store's thread after each write, done or failed: look at
	 *  definition_store_state(). May be NULL. */
	void (*written)(void *user);
	/** Asked by the store's thread before each write whether the folder is this gateway's; a
	 *  negative errno is the write's result. May be NULL. */
	int (*may_write)(void *user);
	void *user;
};

/**
 * Reads what is kept. Nothing in the folder makes it fail.
 * @return 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int definition_store_new(const struct definition_store_config *config,
                         struct definition_store **ret_store);
/**
 * Waits for what is not yet written, as definition_store_flush() does with
 * DEFINITION_STORE_FREE_NS. A thread that a disk holds is left behind with the store.
 * NULL is allowed. @return NULL.
 */
struct definition_store *definition_store_free(struct definition_store *store);
#define DEFINITION_STORE_FREE_NS 1000000000ULL

/** From the next change on. */
void definition_store_set_max_bytes(struct definition_store *store, uint64_t max_bytes);

/**
 * Whether definition_store_put() has room.
 * @param len bytes of the definition.
 * @return 0; -EDQUOT over max_bytes, which is counted.
 */
int definition_store_check(struct definition_store *store, enum definition_kind kind,
                           const char *name, size_t len);
/** Keep, or replace. The definition is copied. @return 0; -EDQUOT; -ENOMEM. */
int definition_store_put(struct definition_store *store, enum definition_kind kind,
                         const char *name, const struct cue_payload *definition);
/** @return 0; -ENOENT. */
int definition_store_remove(struct definition_store *store, enum definition_kind kind,
                            const char *name);
/** Those that were passed over included. */
bool definition_store_has(const struct definition_store *store, enum definition_kind kind,
                          const char *name);
/**
 * In order of name, without those that were passed over at the start. Non-zero
 * from @p visit stops and is returned. The payload is valid during the call.
 * @return 0; -ENOMEM.
 */
int definition_store_foreach(struct definition_store *store, enum definition_kind kind,
                             int (*visit)(void *user, const char *name,
                                          struct cue_payload *definition),
                             void *user);

/** Note whether a kept definition could be made on the bus; true when it is put. */
void definition_store_set_in_force(struct definition_store *store, enum definition_kind kind,
                                   const char *name, bool in_force);
bool definition_store_is_in_force(const struct definition_store *store, enum definition_kind kind,
                                  const char *name);

/** Number of the newest change, from 1; 0 before the first (and always in memory only). */
uint64_t definition_store_newest(const struct definition_store *store);
/**
 * How the write of one change ended. Of the newest DEFINITION_STORE_CHANGES each
 * is known; for an older one the last write's result stands.
 * @return 0 it is on disk; -EAGAIN not yet tried; else the negative errno of the write, which is
 *         tried again later.
 */
int definition_store_state(struct definition_store *store, uint64_t change);
#define DEFINITION_STORE_CHANGES 2048U

/** Block until everything was tried. @return 0; the negative errno of a write that failed;
 * -ETIMEDOUT. */
int definition_store_flush(struct definition_store *store, uint64_t timeout_ns);

/** 0 all is on disk, or is being written; else why something is not. */
int definition_store_error(struct definition_store *store);

struct definition_store_stats {
	uint64_t definitions; /**< kept, those passed over included */
	uint64_t bytes;       /**< of their files */
	uint64_t refused;     /**< for max_bytes */
	uint64_t set_aside;   /**< found spoilt at the start, and renamed or left */
	uint64_t passed_over; /**< kept, and not in force */
};
void definition_store_get_stats(struct definition_store *store,
                                struct definition_store_stats *ret_stats);

#endif
