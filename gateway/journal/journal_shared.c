/* SPDX-License-Identifier: Apache-2.0 */
/* Notes that several active runs share: definitions, and data that triggered them. Each is written
 * once and removed with its last run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_internal.h"

static void journal_key(const char *prefix, uint64_t number, char key[OUTBOX_KEY_MAX + 1])
{
	snprintf(key, OUTBOX_KEY_MAX + 1, "%s%" PRIu64, prefix, number);
}

static struct journal_note **find(struct journal_shared *shared, const struct cue_payload *payload)
{
	uintptr_t hash = (uintptr_t)payload >> 4;
	struct journal_note **link = &shared->notes[(hash ^ (hash >> 12)) % JOURNAL_BUCKETS];

	while (*link && (*link)->payload != payload)
		link = &(*link)->next;
	return link;
}

int journal_shared_use(struct journal *journal, struct journal_shared *shared,
                       const struct cue_payload *payload, struct journal_note **ret_note)
{
	struct journal_note **link = find(shared, payload), *note = *link;
	char key[OUTBOX_KEY_MAX + 1];
	const char *json;
	size_t len;
	int r = 0;

	if (!note) {
		note = calloc(1, sizeof(*note));
		if (!note)
			return -ENOMEM;
		note->payload = payload;
		note->number = shared->next++;
		*link = note;
		json = cue_payload_bytes(payload, &len);
		journal_key(shared->prefix, note->number, key);
		r = outbox_journal_put(journal->config.outbox, key, json, len);
	}
	note->runs++;
	*ret_note = note;
	return r;
}

int journal_shared_drop(struct journal *journal, struct journal_shared *shared,
                        struct journal_note *note)
{
	char key[OUTBOX_KEY_MAX + 1];
	struct journal_note **link;
	int r;

	if (!note || --note->runs > 0)
		return 0;
	link = find(shared, note->payload);
	*link = note->next;
	journal_key(shared->prefix, note->number, key);
	r = outbox_journal_remove(journal->config.outbox, key);
	free(note);
	return r;
}

void journal_shared_clear(struct journal_shared *shared)
{
	for (size_t i = 0; i < JOURNAL_BUCKETS; i++) {
		while (shared->notes[i]) {
			struct journal_note *note = shared->notes[i];

			shared->notes[i] = note->next;
			free(note);
		}
	}
}

/* ---- of the previous boot ---- */

static int by_number(const void *key, const void *item)
{
	uint64_t number = *(const uint64_t *)key;
	const struct journal_text *text = item;

	return number < text->number ? -1 : number > text->number;
}

struct journal_text *journal_texts_find(struct journal_texts *texts, uint64_t number)
{
	if (texts->n == 0)
		return NULL;
	return bsearch(&number, texts->items, texts->n, sizeof(*texts->items), by_number);
}

uint64_t journal_texts_next(const struct journal_texts *texts)
{
	return texts->n ? texts->items[texts->n - 1].number + 1 : 0;
}

void journal_texts_forget(struct journal *journal, const char *prefix,
                          const struct journal_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		char key[OUTBOX_KEY_MAX + 1];

		journal_key(prefix, texts->items[i].number, key);
		(void)outbox_journal_remove(journal->config.outbox, key);
	}
}

static int text_order(const void *a, const void *b)
{
	const struct journal_text *left = a, *right = b;

	return left->number < right->number ? -1 : left->number > right->number;
}

void journal_texts_sort(struct journal_texts *texts)
{
	if (texts->n > 0)
		qsort(texts->items, texts->n, sizeof(*texts->items), text_order);
}

void journal_texts_clear(struct journal_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		free(texts->items[i].json);
		cue_payload_unref(texts->items[i].payload);
	}
	free(texts->items);
	*texts = (struct journal_texts){ 0 };
}

struct journal_time journal_now(const struct journal *journal)
{
	struct cue_bus *bus = engine_bus(journal->config.engine);
	struct journal_time now = { .mono_ns = (int64_t)cue_bus_now(bus) };

	memcpy(now.boot, journal->boot, sizeof(now.boot));
	now.wall_ns = now.mono_ns + cue_bus_wall_offset(bus);
	return now;
}
