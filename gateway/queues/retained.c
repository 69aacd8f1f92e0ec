/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A topic's states:
 *
 *   state   | set             | clear           | take       | done (same version) | mark_all
 *   PENDING | replace value   | value = empty   | -> CLEAN   | -                   | -
 *   CLEAN   | -> PENDING      | -> PENDING,empty| -          | empty: forget       | -> PENDING
 *
 * An empty value is kept until the broker has acknowledged it: if the connection breaks before, the
 * old value would otherwise stay at the broker forever.
 */
#include "retained.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct value {
	char *topic;
	void *payload;
	size_t len;
	int qos;
	uint64_t version;
	bool pending;
	struct value *before, *after; /* list of all entries, in the order of first setting */
	struct value *next_pending;
};

struct retained {
	void (*wake)(void *user);
	void *user;
	pthread_mutex_t mutex; /* guards everything below */
	void *by_topic;        /* tsearch(3) */
	struct value *head, *tail;
	struct value *pending_head, *pending_tail;
	uint64_t last_version;
	struct retained_stats stats;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct value *)a)->topic, ((const struct value *)b)->topic);
}

int retained_new(void (*wake)(void *user), void *user, struct retained **ret_retained)
{
	struct retained *retained = calloc(1, sizeof(*retained));

	if (!retained)
		return -ENOMEM;
	retained->wake = wake;
	retained->user = user;
	pthread_mutex_init(&retained->mutex, NULL);
	*ret_retained = retained;
	return 0;
}

static void entry_free(struct value *entry)
{
	if (!entry)
		return;
	free(entry->topic);
	free(entry->payload);
	free(entry);
}

static void no_free(void *node)
{
	(void)node; /* the list frees the entries */
}

struct retained *retained_free(struct retained *retained)
{
	if (!retained)
		return NULL;
	tdestroy(retained->by_topic, no_free);
	while (retained->head) {
		struct value *entry = retained->head;

		retained->head = entry->after;
		entry_free(entry);
	}
	pthread_mutex_destroy(&retained->mutex);
	free(retained);
	return NULL;
}

static struct value *find(struct retained *retained, const char *topic)
{
	char *key_topic = (char *)(uintptr_t)topic; /* only compared */
	struct value key = { .topic = key_topic };
	void *node = tfind(&key, &retained->by_topic, compare);

	return node ? *(struct value **)node : NULL;
}

static struct value *add(struct retained *retained, const char *topic)
{
	struct value *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->topic = strdup(topic);
	if (!entry->topic || !tsearch(entry, &retained->by_topic, compare)) {
		entry_free(entry);
		return NULL;
	}
	entry->before = retained->tail;
	if (retained->tail)
		retained->tail->after = entry;
	else
		retained->head = entry;
	retained->tail = entry;
	retained->stats.topics++;
	return entry;
}

static void forget(struct retained *retained, struct value *entry)
{
	tdelete(entry, &retained->by_topic, compare);
	if (entry->before)
		entry->before->after = entry->after;
	else
		retained->head = entry->after;
	if (entry->after)
		entry->after->before = entry->before;
	else
		retained->tail = entry->before;
	retained->stats.topics--;
	entry_free(entry);
}

static void mark(struct retained *retained, struct value *entry)
{
	if (entry->pending)
		return;
	entry->pending = true;
	entry->next_pending = NULL;
	if (retained->pending_tail)
		retained->pending_tail->next_pending = entry;
	else
		retained->pending_head = entry;
	retained->pending_tail = entry;
	retained->stats.pending++;
}

/** Set a new value; takes ownership of @p payload. */
static void replace(struct retained *retained, struct value *entry, void *payload, size_t len,
                    int qos)
{
	if (entry->pending)
		retained->stats.coalesced++;
	free(entry->payload);
	entry->payload = payload;
	entry->len = len;
	entry->qos = qos;
	entry->version = ++retained->last_version;
	mark(retained, entry);
}

static void call_wake(const struct retained *retained)
{
	if (retained->wake)
		retained->wake(retained->user);
}

int retained_set(struct retained *retained, const char *topic, const void *payload, size_t len,
                 int qos)
{
	struct value *entry;
	bool same;
	void *copy;

	if (len == 0) {
		retained_clear(retained, topic);
		return 0;
	}
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, payload, len);
	pthread_mutex_lock(&retained->mutex);
	entry = find(retained, topic);
	same = entry && entry->len == len && memcmp(entry->payload, payload, len) == 0;
	if (!entry)
		entry = add(retained, topic);
	if (entry && !same)
		replace(retained, entry, copy, len, qos);
	pthread_mutex_unlock(&retained->mutex);
	if (!entry || same)
		free(copy);
	if (!entry)
		return -ENOMEM;
	if (!same)
		call_wake(retained);
	return 0;
}

void retained_clear(struct retained *retained, const char *topic)
{
	struct value *entry;
	bool changed;

	pthread_mutex_lock(&retained->mutex);
	entry = find(retained, topic);
	changed = entry && entry->len > 0;
	if (changed)
		replace(retained, entry, NULL, 0, entry->qos);
	pthread_mutex_unlock(&retained->mutex);
	if (changed)
		call_wake(retained);
}

int retained_clear_foreign(struct retained *retained, const char *topic)
{
	struct value *entry;
	int r = 0;

	pthread_mutex_lock(&retained->mutex);
	if (!find(retained, topic)) {
		entry = add(retained, topic);
		r = entry ? 1 : -ENOMEM;
		if (entry)
			replace(retained, entry, NULL, 0, 1);
	}
	pthread_mutex_unlock(&retained->mutex);
	if (r == 1)
		call_wake(retained);
	return r;
}

uint64_t retained_mark_all(struct retained *retained)
{
	uint64_t n;

	pthread_mutex_lock(&retained->mutex);
	/* Rebuild it, so that the order is that of the list. */
	retained->pending_head = retained->pending_tail = NULL;
	retained->stats.pending = 0;
	for (struct value *entry = retained->head; entry; entry = entry->after) {
		entry->pending = false;
		mark(retained, entry);
	}
	n = retained->stats.pending;
	pthread_mutex_unlock(&retained->mutex);
	return n;
}

/** Copy a value. @return 0; -ENOMEM with nothing allocated. */
static int copy_out(const struct value *entry, struct retained_message *ret_message)
{
	struct retained_message m = {
		.topic = strdup(entry->topic),
		.payload = entry->len ? malloc(entry->len) : NULL,
		.payload_len = entry->len,
		.qos = entry->qos,
		.version = entry->version,
	};

	if (!m.topic || (entry->len && !m.payload)) {
		retained_message_clear(&m);
		return -ENOMEM;
	}
	if (entry->len)
		memcpy(m.payload, entry->payload, entry->len);
	*ret_message = m;
	return 0;
}

int retained_take(struct retained *retained, struct retained_message *ret_message)
{
	struct value *entry;
	int r = -EAGAIN;

	pthread_mutex_lock(&retained->mutex);
	entry = retained->pending_head;
	if (entry)
		r = copy_out(entry, ret_message);
	if (r >= 0) {
		retained->pending_head = entry->next_pending;
		if (!retained->pending_head)
			retained->pending_tail = NULL;
		entry->pending = false;
		retained->stats.pending--;
	}
	pthread_mutex_unlock(&retained->mutex);
	return r;
}

void retained_done(struct retained *retained, const char *topic, uint64_t version)
{
	struct value *entry;

	pthread_mutex_lock(&retained->mutex);
	entry = find(retained, topic);
	if (entry && entry->version == version && entry->len == 0 && !entry->pending)
		forget(retained, entry);
	pthread_mutex_unlock(&retained->mutex);
}

void retained_message_clear(struct retained_message *message)
{
	free(message->topic);
	free(message->payload);
	*message = (struct retained_message){ 0 };
}

void retained_get_stats(struct retained *retained, struct retained_stats *ret_stats)
{
	pthread_mutex_lock(&retained->mutex);
	*ret_stats = retained->stats;
	pthread_mutex_unlock(&retained->mutex);
}
