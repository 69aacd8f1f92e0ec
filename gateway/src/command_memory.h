/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file command_memory.h
 * @brief The replies of the last 60 s, so that a request delivered twice runs
 *        once and is answered twice.
 *
 * A request is known again by command, request id (or correlation data) and
 * payload together: two clients that both count from 1 don't get each other's
 * replies. Bounded by entries and bytes, the oldest forgotten first. Thread:
 * the loop's.
 */
#ifndef CUEBUS_COMMAND_MEMORY_H
#define CUEBUS_COMMAND_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_MEMORY_NS (60ULL * 1000000000ULL)

struct command_memory;

/** What makes a request the same one. Borrowed for the call. */
struct command_key {
	const char *name;
	const void *id; /**< correlation data, or the request_id's text */
	size_t id_len;
	const void *payload;
	size_t payload_len;
};

int command_memory_new(size_t max_entries, size_t max_bytes, struct command_memory **ret_memory);
struct command_memory *command_memory_free(struct command_memory *memory);

/** The reply given before, valid until the next call; false if there is none not older than 60 s. */
bool command_memory_find(struct command_memory *memory, const struct command_key *key,
                         uint64_t now_ns, const char **ret_reply, size_t *ret_len);

/** Keep a reply. @return 0; -ENOMEM (then a second delivery would run again); -EMSGSIZE larger than the whole memory. */
int command_memory_put(struct command_memory *memory, const struct command_key *key,
                       uint64_t now_ns, const char *reply, size_t len);

/** Entries kept now. */
size_t command_memory_count(const struct command_memory *memory);

#endif
