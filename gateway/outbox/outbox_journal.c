/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes by key. All of them are also in memory, to write them to a new file.
 */
#include <cuebus/fnv.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

void outbox_journal_init(struct outbox_journal *journal)
{
	journal->ops_tail = &journal->ops;
}

static size_t n_buckets(const struct outbox_journal *journal)
{
	return journal->larger ? journal->n_larger : OUTBOX_JOURNAL_BUCKETS;
}

static struct outbox_note **bucket(struct outbox_journal *journal, size_t i)
{
	return journal->larger ? &journal->larger[i] : &journal->buckets[i];
}

static uint64_t hash_of(const char *key)
{
	return cue_fnv(CUE_FNV_BEGIN, key, strlen(key));
}

/** Grow to four times as many buckets when they are too full. Without memory the table keeps its
 * size. */
static void grow(struct outbox_journal *journal)
{
	size_t n = n_buckets(journal), larger_n = 4 * n;
	struct outbox_note **larger, *note;

	if (journal->n_notes <= 2 * n)
		return;
	larger = calloc(larger_n, sizeof(struct outbox_note *));
	if (!larger)
		return;
	for (size_t i = 0; i < n; i++) {
		while ((note = *bucket(journal, i))) {
			struct outbox_note **place = &larger[hash_of(note->key) % larger_n];

			*bucket(journal, i) = note->next;
			note->next = *place;
			*place = note;
		}
	}
	free(journal->larger);
	journal->larger = larger;
	journal->n_larger = larger_n;
}

static struct outbox_note **find(struct outbox_journal *journal, const char *key)
{
	struct outbox_note **link = bucket(journal, (size_t)(hash_of(key) % n_buckets(journal)));

	while (*link && strcmp((*link)->key, key) != 0)
		link = &(*link)->next;
	return link;
}

static void note_free(struct outbox_note *note)
{
	free(note->value);
	free(note);
}

static int append_op(struct outbox_op ***tail, const char *key, const void *value, size_t len)
{
	struct outbox_op *op = malloc(sizeof(*op) + len);

	if (!op)
		return -ENOMEM;
	*op = (struct outbox_op){ .remove = !value, .len = len };
	strcpy(op->key, key);
	if (len)
		memcpy(op->value, value, len);
	**tail = op;
	*tail = &op->next;
	return 0;
}

static int put(struct outbox_journal *journal, const char *key, const void *value, size_t len,
               bool was_there)
{
	struct outbox_note **link = find(journal, key), *note = *link;
	char *copy = malloc(len ? len : 1);

	if (!note && copy)
		note = calloc(1, sizeof(*note));
	if (!note || !copy) {
		free(copy);
		return -ENOMEM;
	}
	if (len)
		memcpy(copy, value, len);
	if (*link)
		journal->note_bytes -= sizeof(*note) + note->len;
	journal->note_bytes += sizeof(*note) + len;
	free(note->value);
	note->value = copy;
	note->len = len;
	if (!*link) {
		strcpy(note->key, key);
		note->was_there = was_there;
		*link = note;
		journal->n_notes++;
		grow(journal);
	}
	return 0;
}

static void remove_note(struct outbox_journal *journal, const char *key)
{
	struct outbox_note **link = find(journal, key), *note = *link;

	if (!note)
		return;
	*link = note->next;
	journal->note_bytes -= sizeof(*note) + note->len;
	note_free(note);
	journal->n_notes--;
}

void outbox_journal_drop_ops(struct outbox_journal *journal)
{
	outbox_ops_free(journal->ops);
	journal->ops = NULL;
	journal->ops_tail = &journal->ops;
	journal->op_bytes = 0;
}

/** Bound the changes that wait while nothing can be written: then rewrite all notes instead. */
static void bound_ops(struct outbox_journal *journal)
{
	if (journal->op_bytes <= journal->note_bytes + OUTBOX_OPS_BYTES)
		return;
	outbox_journal_drop_ops(journal);
	journal->rewrite = true;
}

int outbox_journal_set(struct outbox_journal *journal, const char *key, const void *value,
                       size_t len, bool with_op)
{
	/* Do the step that may fail first: a change without its note only writes it once more. */
	if (with_op && !journal->rewrite) {
		if (append_op(&journal->ops_tail, key, value, len) < 0)
			return -ENOMEM;
		journal->op_bytes += sizeof(struct outbox_op) + len;
	}
	if (value) {
		int r = put(journal, key, value, len, false);

		if (r < 0)
			return r;
	} else {
		remove_note(journal, key);
	}
	bound_ops(journal);
	return 0;
}

int outbox_journal_found(struct outbox_journal *journal, const char *key, const void *value,
                         size_t len)
{
	return *find(journal, key) ? 0 : put(journal, key, value, len, true);
}

const void *outbox_journal_get(struct outbox_journal *journal, const char *key, size_t *ret_len)
{
	const struct outbox_note *note = *find(journal, key);

	if (!note)
		return NULL;
	*ret_len = note->len;
	return note->value;
}

int outbox_journal_steal_ops(struct outbox_journal *journal, struct outbox_op **ret_ops)
{
	struct outbox_op *ops = NULL, **tail = &ops;

	if (!journal->rewrite) {
		*ret_ops = journal->ops;
		journal->ops = NULL;
		outbox_journal_drop_ops(journal);
		return 0;
	}
	for (size_t i = 0; i < n_buckets(journal); i++) {
		for (struct outbox_note *note = *bucket(journal, i); note; note = note->next) {
			if (append_op(&tail, note->key, note->value, note->len) < 0) {
				outbox_ops_free(ops);
				return -ENOMEM;
			}
		}
	}
	outbox_journal_drop_ops(journal);
	*ret_ops = ops;
	return 0;
}

void outbox_ops_free(struct outbox_op *ops)
{
	while (ops) {
		struct outbox_op *op = ops;

		ops = op->next;
		free(op);
	}
}

void outbox_journal_clear(struct outbox_journal *journal)
{
	struct outbox_note *note;

	for (size_t i = 0; i < n_buckets(journal); i++) {
		while ((note = *bucket(journal, i))) {
			*bucket(journal, i) = note->next;
			note_free(note);
		}
	}
	free(journal->larger);
	journal->larger = NULL;
	journal->n_larger = journal->n_notes = 0;
	journal->note_bytes = 0;
	outbox_journal_drop_ops(journal);
}

int outbox_journal_copy_found(struct outbox_journal *journal, struct outbox_op **ret_list,
                              size_t *ret_n)
{
	struct outbox_op *list = NULL, **tail = &list;
	size_t n = 0;

	for (size_t i = 0; i < n_buckets(journal); i++) {
		for (struct outbox_note *note = *bucket(journal, i); note; note = note->next) {
			if (!note->was_there)
				continue;
			if (append_op(&tail, note->key, note->value, note->len) < 0) {
				outbox_ops_free(list);
				return -ENOMEM;
			}
			n++;
		}
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}
