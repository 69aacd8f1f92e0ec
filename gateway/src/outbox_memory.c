/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox in memory: one list in the order of putting.
 *
 *   head -> [taken] [taken] ... [waiting] [waiting] ... <- tail
 *                                ^ next
 *
 * What was taken stands before `next`; a rewind sets `next` back to the head.
 * Only the few in flight are ever searched through.
 */
#include "outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *before, *after;
	struct outbox_message message;
	size_t size; /* of the allocation, what max_bytes counts */
	bool was_taken;
	char bytes[];
};

struct outbox {
	uint64_t max_events, max_bytes;
	void (*wake)(void *user);
	void *user;
	pthread_mutex_t mutex; /* guards everything below */
	struct entry *head, *tail, *next;
	uint64_t last_id;
	struct outbox_gap gap;
	struct outbox_stats stats;
};

int outbox_memory_new(uint64_t max_events, uint64_t max_bytes, void (*wake)(void *user), void *user,
                      struct outbox **ret_outbox)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox)
		return -ENOMEM;
	outbox->max_events = max_events;
	outbox->max_bytes = max_bytes;
	outbox->wake = wake;
	outbox->user = user;
	pthread_mutex_init(&outbox->mutex, NULL);
	*ret_outbox = outbox;
	return 0;
}

struct outbox *outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return NULL;
	while (outbox->head) {
		struct entry *entry = outbox->head;

		outbox->head = entry->after;
		free(entry);
	}
	pthread_mutex_destroy(&outbox->mutex);
	free(outbox);
	return NULL;
}

static struct entry *entry_new(const struct outbox_message *message)
{
	size_t topic_size = strlen(message->topic) + 1;
	size_t size = sizeof(struct entry) + topic_size + message->payload_len +
	              message->correlation_len;
	struct entry *entry = malloc(size);
	char *p;

	if (!entry)
		return NULL;
	*entry = (struct entry){ .message = *message, .size = size };
	p = entry->bytes;
	entry->message.topic = memcpy(p, message->topic, topic_size);
	p += topic_size;
	if (message->payload_len)
		memcpy(p, message->payload, message->payload_len);
	entry->message.payload = p;
	p += message->payload_len;
	if (message->correlation) {
		if (message->correlation_len)
			memcpy(p, message->correlation, message->correlation_len);
		entry->message.correlation = p;
	}
	return entry;
}

static void unlink_entry(struct outbox *outbox, struct entry *entry)
{
	if (entry->before)
		entry->before->after = entry->after;
	else
		outbox->head = entry->after;
	if (entry->after)
		entry->after->before = entry->before;
	else
		outbox->tail = entry->before;
	if (outbox->next == entry)
		outbox->next = entry->after;
	outbox->stats.events--;
	outbox->stats.bytes -= entry->size;
	free(entry);
}

void outbox_merge_gap(struct outbox_gap *gap, const struct outbox_gap *other)
{
	if (other->count == 0)
		return;
	if (gap->count == 0 || other->from_seq < gap->from_seq)
		gap->from_seq = other->from_seq;
	if (other->to_seq > gap->to_seq)
		gap->to_seq = other->to_seq;
	gap->count += other->count;
	gap->out_of_memory |= other->out_of_memory;
	gap->broker_refused |= other->broker_refused;
}

static void count_dropped(struct outbox *outbox, const struct outbox_message *message, int why)
{
	struct outbox_gap *gap = &outbox->gap;
	struct outbox_gap one = {
		.from_seq = message->seq,
		.to_seq = message->seq,
		.count = 1,
		.out_of_memory = why == -ENOMEM,
		.broker_refused = why == -ECONNREFUSED,
	};

	outbox->stats.dropped++;
	if (message->seq == 0)
		return;
	gap->only_news = message->gap.count > 0 && (gap->count == 0 || gap->only_news);
	outbox_merge_gap(gap, &one);
	/* With the news goes what it told of: that is to be told again. */
	outbox_merge_gap(gap, &message->gap);
}

/**
 * What to give up next: the oldest that was never sent. What was sent before a
 * connection broke (a window at most) may have arrived, and a gap that names
 * it would not be true; it goes only when there is nothing else.
 */
static struct entry *find_victim(const struct outbox *outbox)
{
	struct entry *entry = outbox->next;

	while (entry && entry->was_taken)
		entry = entry->after;
	return entry ? entry : outbox->next;
}

/** @return 0; -EMSGSIZE; -ENOBUFS nothing is left that may be dropped. */
static int make_room(struct outbox *outbox, size_t size)
{
	if (size > outbox->max_bytes || outbox->max_events == 0)
		return -EMSGSIZE;
	while (outbox->stats.events >= outbox->max_events ||
	       outbox->stats.bytes + size > outbox->max_bytes) {
		struct entry *victim = find_victim(outbox);

		if (!victim)
			return -ENOBUFS;
		count_dropped(outbox, &victim->message, -ENOBUFS);
		unlink_entry(outbox, victim);
	}
	return 0;
}

static void append(struct outbox *outbox, struct entry *entry)
{
	entry->message.id = ++outbox->last_id;
	entry->before = outbox->tail;
	if (outbox->tail)
		outbox->tail->after = entry;
	else
		outbox->head = entry;
	outbox->tail = entry;
	if (!outbox->next)
		outbox->next = entry;
	outbox->stats.put++;
	outbox->stats.events++;
	outbox->stats.bytes += entry->size;
	if (outbox->stats.events > outbox->stats.peak_events)
		outbox->stats.peak_events = outbox->stats.events;
}

int outbox_put(struct outbox *outbox, const struct outbox_message *message)
{
	struct entry *entry = entry_new(message);
	bool was_idle = false;
	int r = -ENOMEM;

	pthread_mutex_lock(&outbox->mutex);
	if (entry)
		r = make_room(outbox, entry->size);
	if (r < 0) {
		count_dropped(outbox, message, r);
	} else {
		was_idle = !outbox->next;
		append(outbox, entry);
	}
	pthread_mutex_unlock(&outbox->mutex);
	if (r < 0)
		free(entry);
	if (was_idle && outbox->wake)
		outbox->wake(outbox->user);
	return r;
}

bool outbox_take_gap(struct outbox *outbox, struct outbox_gap *ret_gap)
{
	bool any;

	pthread_mutex_lock(&outbox->mutex);
	any = outbox->gap.count > 0;
	if (any) {
		*ret_gap = outbox->gap;
		outbox->gap = (struct outbox_gap){ 0 };
	}
	pthread_mutex_unlock(&outbox->mutex);
	return any;
}

int outbox_take(struct outbox *outbox, struct outbox_message *ret_message)
{
	struct entry *entry;

	pthread_mutex_lock(&outbox->mutex);
	entry = outbox->next;
	if (entry) {
		outbox->next = entry->after;
		if (entry->was_taken)
			outbox->stats.resent++;
		entry->was_taken = true;
		*ret_message = entry->message;
	}
	pthread_mutex_unlock(&outbox->mutex);
	return entry ? 0 : -EAGAIN;
}

/** Only what was taken is looked through. */
static struct entry *find_taken(const struct outbox *outbox, uint64_t id)
{
	struct entry *entry = outbox->head;

	while (entry && entry != outbox->next && entry->message.id != id)
		entry = entry->after;
	return entry == outbox->next ? NULL : entry;
}

int outbox_release(struct outbox *outbox, uint64_t id)
{
	struct entry *entry;

	pthread_mutex_lock(&outbox->mutex);
	entry = find_taken(outbox, id);
	if (entry) {
		unlink_entry(outbox, entry);
		outbox->stats.released++;
	}
	pthread_mutex_unlock(&outbox->mutex);
	return entry ? 0 : -ENOENT;
}

int outbox_give_up(struct outbox *outbox, uint64_t id)
{
	struct entry *entry;

	pthread_mutex_lock(&outbox->mutex);
	entry = find_taken(outbox, id);
	if (entry) {
		count_dropped(outbox, &entry->message, -ECONNREFUSED);
		unlink_entry(outbox, entry);
	}
	pthread_mutex_unlock(&outbox->mutex);
	return entry ? 0 : -ENOENT;
}

void outbox_rewind(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->mutex);
	outbox->next = outbox->head;
	pthread_mutex_unlock(&outbox->mutex);
}

void outbox_get_stats(struct outbox *outbox, struct outbox_stats *ret_stats)
{
	pthread_mutex_lock(&outbox->mutex);
	*ret_stats = outbox->stats;
	pthread_mutex_unlock(&outbox->mutex);
}
