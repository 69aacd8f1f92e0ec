/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the journal: notes by key, see outbox_journal.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

/** @p value NULL: remove. */
static int change(struct outbox *outbox, const char *key, const void *value, size_t len)
{
	size_t key_len = strlen(key);
	int r;

	if (key_len == 0 || key_len > OUTBOX_KEY_MAX)
		return -EINVAL;
	if (!outbox->disk)
		return 0;
	pthread_mutex_lock(&outbox->mutex);
	r = outbox_journal_set(&outbox->journal, key, value, len, true);
	outbox_away_note(outbox);
	outbox_disk_wake(outbox);
	pthread_mutex_unlock(&outbox->mutex);
	return r;
}

int outbox_journal_put(struct outbox *outbox, const char *key, const void *value, size_t len)
{
	return change(outbox, key, value ? value : "", len);
}

int outbox_journal_remove(struct outbox *outbox, const char *key)
{
	return change(outbox, key, NULL, 0);
}

bool outbox_journal_is_known(struct outbox *outbox)
{
	bool known;

	if (!outbox->disk)
		return true;
	pthread_mutex_lock(&outbox->mutex);
	known = outbox->disk->known;
	pthread_mutex_unlock(&outbox->mutex);
	return known;
}

static int by_key(const void *a, const void *b)
{
	const struct outbox_op *const *left = a, *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

int outbox_journal_foreach(struct outbox *outbox,
                           int (*visit)(void *user, const char *key, const void *value, size_t len),
                           void *user)
{
	struct outbox_op *list = NULL, **sorted = NULL, *op;
	size_t n = 0, i = 0;
	int r;

	pthread_mutex_lock(&outbox->mutex);
	r = outbox_journal_copy_found(&outbox->journal, &list, &n);
	pthread_mutex_unlock(&outbox->mutex);
	if (r == 0 && n > 0) {
		sorted = calloc(n, sizeof(void *));
		r = sorted ? 0 : -ENOMEM;
	}
	if (sorted) {
		for (op = list; op; op = op->next)
			sorted[i++] = op;
		qsort(sorted, n, sizeof(void *), by_key);
		for (i = 0; r == 0 && i < n; i++)
			r = visit(user, sorted[i]->key, sorted[i]->value, sorted[i]->len);
	}
	free(sorted);
	outbox_ops_free(list);
	return r;
}
