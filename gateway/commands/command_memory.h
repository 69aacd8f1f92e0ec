/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file command_memory.h
 * @brief The replies of the last 60 s, so that a request delivered twice runs
 *        once and is answered twice.
 *
 * A request is known again by command, request id (or correlation data) and
 * payload together: two clients that both count from 1 don't get each other's
 * replies. Bounded by entries, and the requests and the replies in bytes each, the
 * oldest forgotten first: of a request whose reply had no room it is known all
 * the same that it was carried out. Thread: the loop's.
 *
 * With `struct command_notes` the newest COMMAND_NOTES_MAX of those that must not run twice outlast
 * a restart, by a hash of what makes them the same one and with replies of COMMAND_NOTE_REPLY_MAX
 * bytes at most.
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

/** Where notes are kept. All of it may be NULL: nowhere. */
struct command_notes {
	/** Keep @p text (not terminated) under @p key; NULL: forget it. Failures are not told. */
	void (*note)(void *user, const char *key, const char *text, size_t len);
	/** The wall clock, in ms since 1970: what else counts over a restart? */
	int64_t (*wall_ms)(void *user);
	void *user;
};

/** What makes a request the same one. Borrowed for the call. */
struct command_key {
	const char *name;
	const void *id; /**< correlation data, or the request_id's text */
	size_t id_len;
	const void *payload;
	size_t payload_len;
};

/** @param max_bytes of the requests, and as many of their replies.
 *  @param notes copied; NULL: none. */
int command_memory_new(size_t max_entries, size_t max_bytes, const struct command_notes *notes,
                       struct command_memory **ret_memory);
/** What is noted stays. */
struct command_memory *command_memory_free(struct command_memory *memory);

/** Whether the request came before, not longer than 60 s ago. @param ret_reply the reply it got,
 *  valid until the next call; NULL: it is not kept any more. */
bool command_memory_find(struct command_memory *memory, const struct command_key *key,
                         uint64_t now_ns, const char **ret_reply, size_t *ret_len);

/** Keep a reply. @param noted over a restart, too. @return 0; -ENOMEM (then a second delivery would
 *  run again); -EMSGSIZE the request is larger than the whole memory. */
int command_memory_put(struct command_memory *memory, const struct command_key *key,
                       uint64_t now_ns, const char *reply, size_t len, bool noted);

/**
 * A note of an earlier life. One that is no longer valid, or by the wall clock older than 60 s or
 * of the future, is forgotten.
 * @param key with its prefix.
 */
void command_memory_restore(struct command_memory *memory, uint64_t now_ns, const char *key,
                            const char *text, size_t len);

/** Entries kept now. */
size_t command_memory_count(const struct command_memory *memory);

#endif
