/* SPDX-License-Identifier: Apache-2.0 */
#include "command_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096U

struct entry {
	struct entry *next_in_bucket;
	struct entry *next; /* by age, oldest first */
	uint64_t hash;
	uint64_t time_ns;
	char *reply; /* NULL: forgotten */
	size_t reply_len;
	size_t key_len;
	char key[];
};

struct command_memory {
	struct entry *buckets[BUCKETS];
	struct entry *oldest, **tail;
	struct entry *replies; /* none that is older has its reply; NULL: none has */
	size_t n, key_bytes, reply_bytes;
	size_t max_entries, max_bytes;
};

int command_memory_new(size_t max_entries, size_t max_bytes, struct command_memory **ret_memory)
{
	struct command_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->tail = &memory->oldest;
	memory->max_entries = max_entries;
	memory->max_bytes = max_bytes;
	*ret_memory = memory;
	return 0;
}

static size_t size_of(const struct entry *entry)
{
	return sizeof(*entry) + entry->key_len;
}

static void forget_reply(struct command_memory *memory, struct entry *entry)
{
	if (entry->reply)
		memory->reply_bytes -= entry->reply_len;
	free(entry->reply);
	entry->reply = NULL;
	if (memory->replies == entry)
		memory->replies = entry->next;
}

static void forget_oldest(struct command_memory *memory)
{
	struct entry *entry = memory->oldest;
	struct entry **link = &memory->buckets[entry->hash % BUCKETS];

	forget_reply(memory, entry);
	while (*link != entry)
		link = &(*link)->next_in_bucket;
	*link = entry->next_in_bucket;
	memory->oldest = entry->next;
	if (!memory->oldest)
		memory->tail = &memory->oldest;
	memory->n--;
	memory->key_bytes -= size_of(entry);
	free(entry);
}

struct command_memory *command_memory_free(struct command_memory *memory)
{
	while (memory && memory->oldest)
		forget_oldest(memory);
	free(memory);
	return NULL;
}

static void forget_expired(struct command_memory *memory, uint64_t now_ns)
{
	while (memory->oldest && now_ns - memory->oldest->time_ns > COMMAND_MEMORY_NS)
		forget_oldest(memory);
}

static size_t key_length(const struct command_key *key)
{
	return strlen(key->name) + 1 + sizeof(size_t) + key->id_len + key->payload_len;
}

static char *append(char *p, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(p, bytes, len);
	return p + len;
}

/** The id's length is part of the key so that its end can't be moved into the payload. */
static void key_write(const struct command_key *key, char *p)
{
	p = append(p, key->name, strlen(key->name) + 1);
	p = append(p, &key->id_len, sizeof(key->id_len));
	p = append(p, key->id, key->id_len);
	append(p, key->payload, key->payload_len);
}

static uint64_t hash_bytes(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a, 64 bit */

	for (size_t i = 0; i < len; i++) {
		hash ^= (unsigned char)bytes[i];
		hash *= 0x100000001b3ULL;
	}
	return hash;
}

bool command_memory_find(struct command_memory *memory, const struct command_key *key,
                         uint64_t now_ns, const char **ret_reply, size_t *ret_len)
{
	size_t key_len = key_length(key);
	char *bytes;
	uint64_t hash;
	bool found = false;

	forget_expired(memory, now_ns);
	if (memory->n == 0)
		return false;
	bytes = malloc(key_len);
	if (!bytes)
		return false;
	key_write(key, bytes);
	hash = hash_bytes(bytes, key_len);
	for (struct entry *e = memory->buckets[hash % BUCKETS]; e && !found; e = e->next_in_bucket) {
		if (e->hash != hash || e->key_len != key_len || memcmp(e->key, bytes, key_len) != 0)
			continue;
		*ret_reply = e->reply;
		*ret_len = e->reply_len;
		found = true;
	}
	free(bytes);
	return found;
}

/** Where it has no room the request is known all the same. */
static void keep_reply(struct command_memory *memory, struct entry *entry, const char *reply,
                       size_t len)
{
	if (len == 0 || len > memory->max_bytes)
		return;
	while (memory->replies && memory->reply_bytes + len > memory->max_bytes)
		forget_reply(memory, memory->replies);
	entry->reply = strndup(reply, len);
	if (!entry->reply)
		return;
	entry->reply_len = len;
	memory->reply_bytes += len;
	if (!memory->replies)
		memory->replies = entry;
}

int command_memory_put(struct command_memory *memory, const struct command_key *key,
                       uint64_t now_ns, const char *reply, size_t len)
{
	size_t key_len = key_length(key);
	struct entry *entry;

	forget_expired(memory, now_ns);
	if (sizeof(*entry) + key_len > memory->max_bytes)
		return -EMSGSIZE;
	entry = calloc(1, sizeof(*entry) + key_len);
	if (!entry)
		return -ENOMEM;
	entry->key_len = key_len;
	entry->time_ns = now_ns;
	key_write(key, entry->key);
	entry->hash = hash_bytes(entry->key, key_len);
	while (memory->n >= memory->max_entries ||
	       memory->key_bytes + size_of(entry) > memory->max_bytes)
		forget_oldest(memory);
	entry->next_in_bucket = memory->buckets[entry->hash % BUCKETS];
	memory->buckets[entry->hash % BUCKETS] = entry;
	*memory->tail = entry;
	memory->tail = &entry->next;
	memory->n++;
	memory->key_bytes += size_of(entry);
	keep_reply(memory, entry, reply, len);
	return 0;
}

size_t command_memory_count(const struct command_memory *memory)
{
	return memory->n;
}
