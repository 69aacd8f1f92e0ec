/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lane of replies: messages that are not events wait for the events before them, such as those
 * of their command, at most OUTBOX_REPLY_PATIENCE_NS. With a disk a reply enters the lane when it
 * is committed with all messages before it, so everything that it confirms survives a kill. The
 * reply itself need not survive, so its row is deleted.
 *
 * Bounded by OUTBOX_REPLIES_MAX and OUTBOX_REPLIES_BYTES, beyond which the oldest reply that is not
 * in flight is dropped, and by OUTBOX_REPLY_AGE_NS, beyond which each is dropped.
 */
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "outbox_internal.h"

static void unlink_reply(struct outbox_replies *replies, struct outbox_entry *entry)
{
	struct outbox_node *node = &entry->node;

	if (node->before)
		node->before->after = node->after;
	else
		replies->head = node->after;
	if (node->after)
		node->after->before = node->before;
	else
		replies->tail = node->before;
	if (replies->next == node)
		replies->next = node->after;
	replies->n--;
	replies->bytes -= entry->size;
}

static void remove_reply(struct outbox *outbox, struct outbox_entry *entry, bool dropped)
{
	unlink_reply(&outbox->replies, entry);
	outbox->stats.released += !dropped;
	outbox->stats.dropped += dropped;
	outbox->stats.dropped_replies += dropped;
	free(entry);
}

/** Drop the oldest reply that is not in flight. @return false: there is none. */
static bool drop_oldest(struct outbox *outbox)
{
	if (!outbox->replies.next)
		return false;
	remove_reply(outbox, outbox_as_entry(outbox->replies.next), true);
	return true;
}

void outbox_reply_add(struct outbox *outbox, struct outbox_entry *entry)
{
	struct outbox_replies *replies = &outbox->replies;

	while ((replies->n >= OUTBOX_REPLIES_MAX ||
	        replies->bytes + entry->size > OUTBOX_REPLIES_BYTES) &&
	       drop_oldest(outbox))
		;
	entry->put_ns = clock_monotonic_ns();
	entry->node.before = replies->tail;
	entry->node.after = NULL;
	if (replies->tail)
		replies->tail->after = &entry->node;
	else
		replies->head = &entry->node;
	replies->tail = &entry->node;
	if (!replies->next)
		replies->next = &entry->node;
	replies->n++;
	replies->bytes += entry->size;
}

static struct outbox_entry *find_taken(const struct outbox *outbox, uint64_t id)
{
	struct outbox_node *node = outbox->replies.head;

	while (node && node != outbox->replies.next && outbox_as_entry(node)->message.id != id)
		node = node->after;
	return node && node != outbox->replies.next ? outbox_as_entry(node) : NULL;
}

bool outbox_reply_done(struct outbox *outbox, uint64_t id, bool dropped)
{
	struct outbox_entry *entry = find_taken(outbox, id);

	if (entry)
		remove_reply(outbox, entry, dropped);
	return entry != NULL;
}

/** Whether an event that was put before @p reply is not taken yet. */
static bool is_behind(const struct outbox *outbox, const struct outbox_entry *reply)
{
	const struct outbox_node *next = outbox->next;

	return next && (next->is_range ||
	                ((const struct outbox_entry *)next)->message.id < reply->message.id);
}

static bool is_due(const struct outbox *outbox, const struct outbox_entry *reply, uint64_t now_ns)
{
	return now_ns - reply->put_ns >= OUTBOX_REPLY_PATIENCE_NS || !is_behind(outbox, reply);
}

int outbox_take_reply(struct outbox *outbox, struct outbox_message *ret_message)
{
	struct outbox_replies *replies = &outbox->replies;
	struct outbox_entry *entry = NULL;
	uint64_t now_ns;

	pthread_mutex_lock(&outbox->mutex);
	now_ns = clock_monotonic_ns(); /* not before messages put meanwhile */
	while (replies->next &&
	       now_ns - outbox_as_entry(replies->next)->put_ns >= OUTBOX_REPLY_AGE_NS)
		(void)drop_oldest(outbox);
	if (replies->next && is_due(outbox, outbox_as_entry(replies->next), now_ns)) {
		entry = outbox_as_entry(replies->next);
		replies->next = entry->node.after;
		if (entry->was_taken)
			outbox->stats.resent++;
		entry->was_taken = true;
		*ret_message = entry->message;
	}
	pthread_mutex_unlock(&outbox->mutex);
	return entry ? 0 : -EAGAIN;
}

void outbox_reply_free(struct outbox *outbox)
{
	while (outbox->replies.head) {
		struct outbox_node *node = outbox->replies.head;

		outbox->replies.head = node->after;
		free(outbox_as_entry(node));
	}
}
