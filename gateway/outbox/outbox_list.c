/* SPDX-License-Identifier: Apache-2.0 */
/* The list of waiting messages: entries in memory and ranges on disk, in order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

/* ---- entries ---- */

uint64_t outbox_entry_size(uint64_t content)
{
	return sizeof(struct outbox_entry) + content;
}

struct outbox_entry *outbox_entry_new(const struct outbox_message *message,
                                      const struct outbox_boot *boot)
{
	size_t topic_size = strlen(message->topic) + 1;
	size_t size = sizeof(struct outbox_entry) + topic_size + message->payload_len +
	              message->correlation_len;
	struct outbox_entry *entry = malloc(size);
	char *p;

	if (!entry)
		return NULL;
	*entry = (struct outbox_entry){ .message = *message, .boot = boot, .size = size };
	entry->message.boot_id = boot->id;
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

/* ---- the list ---- */

void outbox_insert(struct outbox *outbox, struct outbox_node *node, struct outbox_node *where)
{
	node->after = where;
	node->before = where ? where->before : outbox->tail;
	if (node->before)
		node->before->after = node;
	else
		outbox->head = node;
	if (where)
		where->before = node;
	else
		outbox->tail = node;
}

static struct outbox_range *next_range(struct outbox_node *node)
{
	while (node && !node->is_range)
		node = node->after;
	return node ? outbox_as_range(node) : NULL;
}

struct outbox_node *outbox_first_unwritten(const struct outbox *outbox, struct outbox_node *node,
                                           const struct outbox_db *db)
{
	for (; node; node = node->after) {
		const struct outbox_entry *entry = outbox_as_entry(node);

		if (node->is_range
		            ? outbox_as_range(node)->db != db
		            : outbox_is_durable(outbox, entry) && !entry->row && !entry->busy)
			break;
	}
	return node;
}

void outbox_unlink(struct outbox *outbox, struct outbox_node *node)
{
	if (node->before)
		node->before->after = node->after;
	else
		outbox->head = node->after;
	if (node->after)
		node->after->before = node->before;
	else
		outbox->tail = node->before;
	if (outbox->next == node)
		outbox->next = node->after;
	if (outbox->unwritten == node)
		outbox->unwritten = outbox_first_unwritten(outbox, node->after, outbox->disk->db);
	if (node->is_range && outbox->first_range == outbox_as_range(node))
		outbox->first_range = next_range(node->after);
}

/* ---- counting ---- */

void outbox_count_entry(struct outbox *outbox, const struct outbox_entry *entry, bool in)
{
	struct outbox_stats *stats = &outbox->stats;

	outbox_count_range(outbox, 1, entry->size, in);
	stats->memory_events += in ? 1 : UINT64_MAX;
	stats->memory_bytes += in ? entry->size : -(uint64_t)entry->size;
	if (entry->row)
		return;
	outbox->memory_only_bytes += in ? entry->size : -(uint64_t)entry->size;
	if (outbox_is_durable(outbox, entry))
		stats->unwritten_events += in ? 1 : UINT64_MAX;
}

void outbox_count_range(struct outbox *outbox, uint64_t count, uint64_t bytes, bool in)
{
	struct outbox_stats *stats = &outbox->stats;

	stats->events += in ? count : -count;
	stats->bytes += in ? bytes : -bytes;
	if (stats->events > stats->peak_events)
		stats->peak_events = stats->events;
}

/* ---- leaving the list ---- */

void outbox_remove_entry(struct outbox *outbox, struct outbox_entry *entry)
{
	if (entry->row && !entry->taken)
		outbox->ready--;
	outbox_unlink(outbox, &entry->node);
	outbox_count_entry(outbox, entry, false);
	if (entry->busy) {
		entry->gone = true;
		return;
	}
	if (entry->row)
		outbox_rows_add(&outbox->deletes, entry->row, 1);
	free(entry);
}

uint64_t outbox_range_pop(struct outbox_range *range)
{
	uint64_t bytes = range->bytes / range->count;

	if (range->count == 1)
		bytes = range->bytes;
	range->row++;
	if (range->seq)
		range->seq++;
	range->count--;
	range->bytes -= bytes;
	return bytes;
}

void outbox_range_drop_if_empty(struct outbox *outbox, struct outbox_range *range)
{
	if (range->count > 0 || range->busy)
		return;
	outbox_unlink(outbox, &range->node);
	free(range);
}

static void drop_from_range(struct outbox *outbox, struct outbox_range *range,
                            enum outbox_reason reason)
{
	if (range->seq)
		outbox_gaps_add(&outbox->gaps, range->boot, range->seq, 1, reason);
	if (range->db == outbox->disk->db)
		outbox_rows_add(&outbox->deletes, range->row, 1);
	outbox_count_range(outbox, 1, outbox_range_pop(range), false);
	outbox_range_drop_if_empty(outbox, range);
}

/** Whether the node is a range that was emptied while it is being read. */
static bool is_empty(struct outbox_node *node)
{
	return node->is_range && outbox_as_range(node)->count == 0;
}

static bool was_sent(struct outbox_node *node)
{
	return !node->is_range && outbox_as_entry(node)->was_taken;
}

/**
 * The message to drop next: the oldest that was never sent. Messages sent before a connection broke
 * (a window at most) may have arrived, and a gap that names them would be wrong; they are dropped
 * only if there is no other.
 */
static struct outbox_node *first_droppable(const struct outbox *outbox)
{
	struct outbox_node *node = outbox->next, *sent = NULL;

	while (node && (is_empty(node) || was_sent(node))) {
		if (!sent && !is_empty(node))
			sent = node;
		node = node->after;
	}
	return node ? node : sent;
}

static void drop_node(struct outbox *outbox, struct outbox_node *node, enum outbox_reason reason)
{
	struct outbox_entry *entry;

	outbox->stats.dropped++;
	outbox->stats.dropped_full += reason == OUTBOX_REASON_FULL;
	outbox->stats.dropped_replies += node->is_range ? outbox_as_range(node)->seq == 0
	                                                : outbox_as_entry(node)->message.seq == 0;
	if (node->is_range) {
		drop_from_range(outbox, outbox_as_range(node), reason);
		return;
	}
	entry = outbox_as_entry(node);
	if (entry->message.seq)
		outbox_gaps_add(&outbox->gaps, entry->boot, entry->message.seq, 1, reason);
	outbox_remove_entry(outbox, entry);
}

bool outbox_drop_next(struct outbox *outbox, enum outbox_reason reason)
{
	struct outbox_node *node = first_droppable(outbox);

	if (node)
		drop_node(outbox, node, reason);
	return node != NULL;
}

/** As in first_droppable(), a message that was sent must not be named by a gap. */
static bool is_in_memory_only(const struct outbox_node *node)
{
	const struct outbox_entry *entry = (const struct outbox_entry *)node;

	return !node->is_range && !entry->row && !entry->busy && !entry->taken && !entry->was_taken;
}

bool outbox_drop_from_memory(struct outbox *outbox, enum outbox_reason reason)
{
	struct outbox_node *node = outbox->unwritten ? outbox->unwritten : outbox->next;
	struct outbox_entry *entry;

	while (node && !is_in_memory_only(node))
		node = node->after;
	if (!node)
		return false;
	entry = outbox_as_entry(node);
	if (entry->message.seq == 0) {
		/* A client waits for the reply: keep it in the lane of replies. */
		outbox_unlink(outbox, node);
		outbox_count_entry(outbox, entry, false);
		outbox_reply_add(outbox, entry);
		return true;
	}
	outbox->stats.dropped_memory++;
	drop_node(outbox, node, reason);
	return true;
}

/* ---- to disk only ---- */

static bool extends(const struct outbox_range *range, const struct outbox_entry *entry,
                    const struct outbox_db *db)
{
	uint64_t seq = range->seq ? range->seq + range->count : 0;

	return range->db == db && range->boot == entry->boot && !range->busy && range->count > 0 &&
	       range->row + range->count == entry->row && seq == entry->message.seq;
}

static struct outbox_range *range_for(struct outbox *outbox, struct outbox_entry *entry,
                                      struct outbox_db *db)
{
	struct outbox_node *before = entry->node.before;
	struct outbox_range *range;

	if (before && before->is_range && extends(outbox_as_range(before), entry, db))
		return outbox_as_range(before);
	range = calloc(1, sizeof(*range));
	if (!range)
		return NULL;
	range->node.is_range = true;
	range->boot = entry->boot;
	range->db = db;
	range->row = entry->row;
	range->seq = entry->message.seq;
	outbox_insert(outbox, &range->node, &entry->node);
	/* There are ranges after this one only while switching from another database. */
	if (!outbox->first_range || outbox->first_range->db != db)
		outbox->first_range = range;
	return range;
}

void outbox_fold(struct outbox *outbox, struct outbox_entry *entry, struct outbox_db *db)
{
	struct outbox_range *range;
	bool was_next = outbox->next == &entry->node;

	/* The message in the range counts like the entry. */
	range = range_for(outbox, entry, db);
	if (!range)
		return;
	range->count++;
	range->bytes += entry->size;
	if (was_next)
		outbox->next = &range->node;
	outbox_unlink(outbox, &entry->node);
	outbox->ready--;
	outbox->stats.memory_events--;
	outbox->stats.memory_bytes -= entry->size;
	free(entry);
}
