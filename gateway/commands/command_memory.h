/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file command_memory.h
 * @brief The replies of the last 60 s, so that a request delivered twice is executed once and
 *        answered twice.
 *
 * A request is recognised by command, request id (or correlation data) and payload together, so two
 * clients that both count from 1 don't get each other's replies. The number of entries, the bytes
 * of the requests and the bytes of the replies are bounded; the oldest are evicted first. A request
 * whose reply was evicted is still known to have been executed. Thread: the loop's.
 *
 * With `struct command_notes` the newest COMMAND_NOTES_MAX requests that must not be executed twice
 * survive a restart, identified by a hash and with replies of at most COMMAND_NOTE_REPLY_MAX bytes.
 */
#ifndef CUEBUS_COMMAND_MEMORY_H
#define CUEBUS_COMMAND_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_MEMORY_NS (60ULL * 1000000000ULL)

#define COMMAND_NOTES_MAX      1000U
#define COMMAND_NOTE_REPLY_MAX 1024U
#define COMMAND_NOTE_PREFIX    "request/"

struct command_memory;

/** The store of notes. All members may be NULL: no store. */
struct command_notes {
	/** Keep @p text (not terminated) under @p key; NULL: remove it. Failures are not
	 * reported. */
	void (*note)(void *user, const char *key, const char *text, size_t len);
	/** The wall clock, in ms since 1970: the only clock that survives a restart. */
	int64_t (*wall_ms)(void *user);
	void *user;
};

/** The identity of a request. Borrowed for the call. */
struct command_key {
	const char *name;
	const void *id; /**< correlation data, or the request_id's text */
	size_t id_len;
	const void *payload;
	size_t payload_len;
};

/** Create a memory. @param max_bytes for the requests, and the same for their replies. @param notes
 * copied; NULL: none. */
int command_memory_new(size_t max_entries, size_t max_bytes, const struct command_notes *notes,
                       struct command_memory **ret_memory);
/** Free the memory; the notes stay in their store. */
struct command_memory *command_memory_free(struct command_memory *memory);

/** Whether the request came before, within the last 60 s. @param ret_reply its reply, valid until
 * the next call; NULL: evicted. */
bool command_memory_find(struct command_memory *memory, const struct command_key *key,
                         uint64_t now_ns, const char **ret_reply, size_t *ret_len);

/** The reply to a request. Borrowed for the call. */
struct command_answer {
	const char *text;
	size_t len;
	bool noted; /**< keep it across a restart, too */
};

/** Keep a reply. @return 0; -ENOMEM (a second delivery
 * would then be executed again); -EMSGSIZE the request is larger than the whole memory. */
int command_memory_put(struct command_memory *memory, const struct command_key *key,
                       uint64_t now_ns, const struct command_answer *answer);

/**
 * Restore a note of an earlier boot. A note that is invalid, or by the wall clock older than 60 s
 * or in the future, is removed.
 * @param key including its prefix.
 */
void command_memory_restore(struct command_memory *memory, uint64_t now_ns, const char *key,
                            const char *text, size_t len);

/** Entries kept now. */
size_t command_memory_count(const struct command_memory *memory);

#endif
