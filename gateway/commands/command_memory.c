/* SPDX-License-Identifier: Apache-2.0 */
#include "command_memory.h"

#include <cuebus/fnv.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS   4096U
#define NS_PER_MS 1000000ULL

struct entry {
	struct entry *next_in_bucket;
	struct entry *next; /* by age, oldest first */
	uint64_t hash;
	uint64_t time_ns;
	char *reply; /* NULL: evicted */
	size_t reply_len;
	bool noted;
	size_t key_len; /* 0: of an earlier boot, `key` is only the command's name */
	char key[];
};

struct command_memory {
	struct entry *buckets[BUCKETS];
	struct entry *oldest, **tail;
	struct entry *replies; /* oldest entry that still has its reply; NULL: none has */
	size_t n, key_bytes, reply_bytes;
	size_t max_entries, max_bytes;
	struct command_notes notes;
	size_t n_noted;
	/* oldest noted entry, or an older one; NULL: begin at the oldest */
	struct entry *oldest_noted;
};

int command_memory_new(size_t max_entries, size_t max_bytes, const struct command_notes *notes,
                       struct command_memory **ret_memory)
{
	struct command_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->tail = &memory->oldest;
	memory->max_entries = max_entries;
	memory->max_bytes = max_bytes;
	if (notes)
		memory->notes = *notes;
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

/* ---- notes ---- */

static void note_key(uint64_t hash, char key[32])
{
	snprintf(key, 32, COMMAND_NOTE_PREFIX "%016" PRIx64, hash);
}

static void take_note_back(struct command_memory *memory, struct entry *entry)
{
	char key[32];

	if (!entry->noted)
		return;
	entry->noted = false;
	memory->n_noted--;
	note_key(entry->hash, key);
	memory->notes.note(memory->notes.user, key, NULL, 0);
}

/** Remove the oldest notes until one more fits. */
static void make_room_for_note(struct command_memory *memory)
{
	struct entry *entry = memory->oldest_noted ? memory->oldest_noted : memory->oldest;

	for (; entry && memory->n_noted >= COMMAND_NOTES_MAX; entry = entry->next)
		take_note_back(memory, entry);
	memory->oldest_noted = entry;
}

static void note(struct command_memory *memory, struct entry *entry)
{
	char key[32], text[COMMAND_NOTE_REPLY_MAX + 128];
	int n;

	make_room_for_note(memory);
	/* A reply that is too long is omitted. The key begins with the command's name. */
	n = snprintf(text, sizeof(text), "%" PRId64 " %.64s %s",
	             memory->notes.wall_ms(memory->notes.user), entry->key,
	             entry->reply && entry->reply_len <= COMMAND_NOTE_REPLY_MAX ? entry->reply
	                                                                        : "");
	note_key(entry->hash, key);
	memory->notes.note(memory->notes.user, key, text, (size_t)n);
	entry->noted = true;
	memory->n_noted++;
}

/* ---- entries ---- */

static void forget_oldest(struct command_memory *memory)
{
	struct entry *entry = memory->oldest;
	struct entry **link = &memory->buckets[entry->hash % BUCKETS];

	take_note_back(memory, entry);
	if (memory->oldest_noted == entry)
		memory->oldest_noted = entry->next;
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
	while (memory && memory->oldest) {
		memory->oldest->noted = false; /* the note stays */
		forget_oldest(memory);
	}
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

/** The key contains the id's length, so that id and payload can't be split differently. */
static void key_write(const struct command_key *key, char *p)
{
	p = append(p, key->name, strlen(key->name) + 1);
	p = append(p, &key->id_len, sizeof(key->id_len));
	p = append(p, key->id, key->id_len);
	append(p, key->payload, key->payload_len);
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
	hash = cue_fnv(CUE_FNV_BEGIN, bytes, key_len);
	for (struct entry *e = memory->buckets[hash % BUCKETS]; e && !found;
	     e = e->next_in_bucket) {
		/* Entries of an earlier boot are not in the order of their age. */
		if (e->hash != hash || now_ns - e->time_ns > COMMAND_MEMORY_NS)
			continue;
		if (e->key_len > 0 ? e->key_len != key_len || memcmp(e->key, bytes, key_len) != 0
		                   : strcmp(e->key, key->name) != 0)
			continue;
		*ret_reply = e->reply;
		*ret_len = e->reply_len;
		found = true;
	}
	free(bytes);
	return found;
}

/** Keep a reply if there is room. Without it the request is still recognised. */
static void keep_reply(struct command_memory *memory, struct entry *entry, const char *reply,
                       size_t len)
{
	if (len == 0 || len > memory->max_bytes)
		return;
	while (memory->replies && memory->reply_bytes + len > memory->max_bytes)
		forget_reply(memory, memory->replies);
	entry->reply = malloc(len + 1);
	if (!entry->reply)
		return;
	memcpy(entry->reply, reply, len);
	entry->reply[len] = '\0';
	entry->reply_len = len;
	memory->reply_bytes += len;
	if (!memory->replies)
		memory->replies = entry;
}

/** Add an entry as the newest. */
static void add(struct command_memory *memory, struct entry *entry, const char *reply, size_t len)
{
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
}

int command_memory_put(struct command_memory *memory, const struct command_key *key,
                       uint64_t now_ns, const struct command_answer *answer)
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
	entry->hash = cue_fnv(CUE_FNV_BEGIN, entry->key, key_len);
	add(memory, entry, answer->text, answer->len);
	if (answer->noted && memory->notes.note)
		note(memory, entry);
	return 0;
}

/** A parsed note; its texts point into the note. */
struct note {
	uint64_t hash, age_ns;
	const char *name, *reply;
	size_t name_len, reply_len;
};

/** Read the number at @p text, followed by a space. @return the text behind the space; NULL: no
 * number. */
static const char *read_time(const char *text, const char *end, int64_t *ret_ms)
{
	int64_t ms = 0;
	const char *p = text;

	for (; p < end && *p >= '0' && *p <= '9' && p - text < 16; p++)
		ms = ms * 10 + (*p - '0');
	if (p == text || p == end || *p != ' ')
		return NULL;
	*ret_ms = ms;
	return p + 1;
}

/** Parse a note; the file may be damaged or forged. @return false: not a valid note, or too old. */
static bool read_note(const struct command_memory *memory, const char *key, const char *text,
                      size_t len, struct note *ret_note)
{
	const char *end = text + len, *space;
	int64_t then_ms, now_ms = memory->notes.wall_ms(memory->notes.user);
	struct note note = { .name = read_time(text, end, &then_ms) };
	char again[32];

	note.hash = strtoull(key + strlen(COMMAND_NOTE_PREFIX), NULL, 16);
	note_key(note.hash, again);
	if (strcmp(key, again) != 0 || !note.name || memchr(text, '\0', len))
		return false;
	space = memchr(note.name, ' ', (size_t)(end - note.name));
	if (!space || then_ms > now_ms ||
	    now_ms - then_ms > (int64_t)(COMMAND_MEMORY_NS / NS_PER_MS))
		return false;
	note.name_len = (size_t)(space - note.name);
	note.reply = space + 1;
	note.reply_len = (size_t)(end - note.reply);
	note.age_ns = (uint64_t)(now_ms - then_ms) * NS_PER_MS;
	*ret_note = note;
	return note.reply_len == 0 ||
	       (note.reply_len <= COMMAND_NOTE_REPLY_MAX && note.reply[0] == '{' && end[-1] == '}');
}

void command_memory_restore(struct command_memory *memory, uint64_t now_ns, const char *key,
                            const char *text, size_t len)
{
	struct entry *entry = NULL;
	struct note note;

	if (memory->n_noted < COMMAND_NOTES_MAX && read_note(memory, key, text, len, &note))
		entry = calloc(1, sizeof(*entry) + note.name_len + 1);
	if (!entry) {
		memory->notes.note(memory->notes.user, key, NULL, 0);
		return;
	}
	memcpy(entry->key, note.name, note.name_len);
	entry->hash = note.hash;
	entry->noted = true;
	/* Soon after the machine's start the note may be kept for longer than its time. */
	entry->time_ns = now_ns > note.age_ns ? now_ns - note.age_ns : 0;
	memory->n_noted++;
	add(memory, entry, note.reply, note.reply_len);
}

size_t command_memory_count(const struct command_memory *memory)
{
	return memory->n;
}
