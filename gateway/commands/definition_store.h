/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_store.h
 * @brief Definitions made by command, kept in `state_dir` across restarts.
 *
 * Each definition has its own file, `definitions/<number>.def` (definition_file.h), which is
 * replaced atomically (temporary file, fsync, rename, fsync of the folder). A change writes only
 * its own file. The store's own thread writes: the loop never waits for the disk. Call all
 * functions on the loop's thread unless stated otherwise.
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
	struct log *log;       /**< borrowed; NULL: no log */
	/** Called by the store's thread after each write, done or failed: check
	 * definition_store_state(). May be NULL. */
	void (*written)(void *user);
	/** Called by the store's thread before each write to check that the folder belongs to this
	 * gateway; a negative errno is the write's result. May be NULL. */
	int (*may_write)(void *user);
	void *user;
};

/**
 * Open the store and read its definitions. Nothing in the folder makes it fail.
 * @return 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int definition_store_new(const struct definition_store_config *config,
                         struct definition_store **ret_store);
/**
 * Wait for pending writes, as definition_store_flush() does with DEFINITION_STORE_FREE_NS, then
 * free the store. If the disk blocks the thread, thread and store are leaked. NULL is allowed.
 * @return NULL.
 */
struct definition_store *definition_store_free(struct definition_store *store);
#define DEFINITION_STORE_FREE_NS 1000000000ULL

/** Set max_bytes; applies from the next change on. */
void definition_store_set_max_bytes(struct definition_store *store, uint64_t max_bytes);

/**
 * Check that definition_store_put() has room.
 * @param len bytes of the definition.
 * @return 0; -EDQUOT over max_bytes, which is counted.
 */
int definition_store_check(struct definition_store *store, enum definition_kind kind,
                           const char *name, size_t len);
/** Add or replace a definition, which is copied. @return 0; -EDQUOT; -ENOMEM. */
int definition_store_put(struct definition_store *store, enum definition_kind kind,
                         const char *name, const struct cue_payload *definition);
/** @return 0; -ENOENT. */
int definition_store_remove(struct definition_store *store, enum definition_kind kind,
                            const char *name);
/** Whether a definition is stored, including skipped ones. */
bool definition_store_has(const struct definition_store *store, enum definition_kind kind,
                          const char *name);
/**
 * Visit the definitions in order of name, except those skipped at the start. A non-zero result of
 * @p visit stops and is returned. The payload is valid during the call.
 * @return 0; -ENOMEM.
 */
int definition_store_foreach(struct definition_store *store, enum definition_kind kind,
                             int (*visit)(void *user, const char *name,
                                          struct cue_payload *definition),
                             void *user);

/** Record whether a definition is in force on the bus; a new one is. */
void definition_store_set_in_force(struct definition_store *store, enum definition_kind kind,
                                   const char *name, bool in_force);
bool definition_store_is_in_force(const struct definition_store *store, enum definition_kind kind,
                                  const char *name);

/** Number of the newest change, from 1; 0 before the first (and always in memory only). */
uint64_t definition_store_newest(const struct definition_store *store);
/**
 * Result of the write of one change. It is known for each of the newest DEFINITION_STORE_CHANGES;
 * for an older change the result of the last write is returned.
 * @return 0 on disk; -EAGAIN not tried yet; otherwise the negative errno of the write, which is
 *         tried again later.
 */
int definition_store_state(struct definition_store *store, uint64_t change);
#define DEFINITION_STORE_CHANGES 2048U

/** Block until every pending write was tried. @return 0; the negative errno of a failed write;
 * -ETIMEDOUT. */
int definition_store_flush(struct definition_store *store, uint64_t timeout_ns);

/** 0 if everything is on disk or being written; otherwise the error. */
int definition_store_error(struct definition_store *store);

struct definition_store_stats {
	uint64_t definitions; /**< stored, including skipped ones */
	uint64_t bytes;       /**< of their files */
	uint64_t refused;     /**< for max_bytes */
	uint64_t set_aside;   /**< unusable at the start, renamed or left in place */
	uint64_t passed_over; /**< stored but not in force */
};
void definition_store_get_stats(struct definition_store *store,
                                struct definition_store_stats *ret_stats);

#endif
