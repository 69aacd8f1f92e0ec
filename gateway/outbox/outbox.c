/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of the outbox, and its policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

/* ---- life ---- */

int outbox_new(const struct outbox_config *config, struct outbox **ret_outbox)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));
	int r = 0;

	if (!outbox)
		return -ENOMEM;
	outbox->max_events = config->max_events;
	outbox->max_bytes = config->max_bytes;
	outbox->max_memory_bytes = config->dir && config->max_memory_bytes
	                                   ? config->max_memory_bytes
	                                   : config->max_bytes;
	outbox->full = config->full;
	outbox->wake = config->wake;
	outbox->user = config->user;
	outbox->room = config->room;
	outbox->room_user = config->room_user;
	pthread_mutex_init(&outbox->mutex, NULL);
	outbox_journal_init(&outbox->journal);
	outbox_away_init(outbox, config);
	outbox->own = outbox_boot(outbox, config->boot_id ? config->boot_id : "");
	if (!outbox->own)
		r = -ENOMEM;
	else if (config->dir)
		r = outbox_disk_new(outbox, config);
	if (r < 0) {
		outbox_free(outbox);
		return r;
	}
	*ret_outbox = outbox;
	return 0;
}

int outbox_stop(struct outbox *outbox)
{
	return outbox_disk_end(outbox);
}

struct outbox *outbox_free(struct outbox *outbox)
{
	if (!outbox || outbox_stop(outbox) < 0)
		return NULL;
	outbox_disk_free(outbox);
	outbox_reply_free(outbox);
	while (outbox->head) {
		struct outbox_node *node = outbox->head;

		outbox->head = node->after;
		free(node); /* the node is the first member of both kinds */
	}
	while (outbox->boots) {
		struct outbox_boot *boot = outbox->boots;

		outbox->boots = boot->next;
		free(boot);
	}
	outbox_rows_clear(&outbox->deletes);
	outbox_journal_clear(&outbox->journal);
	pthread_mutex_destroy(&outbox->mutex);
	free(outbox);
	return NULL;
}

/* ---- putting ---- */

static bool is_full(const struct outbox *outbox, size_t size)
{
	return outbox->stats.events >= outbox->max_events ||
	       outbox->stats.bytes + size > outbox->max_bytes;
}

static bool is_memory_full(const struct outbox *outbox, size_t size)
{
	/* One message always fits: otherwise a bound below limits.payload_bytes would always lose
	 * some. */
	return outbox->memory_only_bytes &&
	       outbox->memory_only_bytes + size > outbox->max_memory_bytes;
}

/** Make room for a message. @return 0; -EMSGSIZE; nothing may be dropped: -ENOBUFS, or -EDQUOT for
 * the memory limit. */
static int make_room(struct outbox *outbox, size_t size)
{
	if (size > outbox->max_bytes || outbox->max_events == 0)
		return -EMSGSIZE;
	while (is_full(outbox, size)) {
		if (outbox->full == OUTBOX_REJECT_NEW ||
		    !outbox_drop_next(outbox, OUTBOX_REASON_FULL))
			return -ENOBUFS;
	}
	while (is_memory_full(outbox, size)) {
		if (outbox->full != OUTBOX_REJECT_NEW &&
		    outbox_drop_from_memory(outbox, OUTBOX_REASON_FULL))
			continue;
		return -EDQUOT;
	}
	return 0;
}

static bool is_takeable(struct outbox *outbox, const struct outbox_entry *entry)
{
	return !outbox_is_durable(outbox, entry) || entry->row ||
	       outbox_away_is_takeable(outbox, entry) || outbox_disk_is_out(outbox);
}

/** Append an entry. @return whether it can be taken at once while nothing else could. */
static bool append(struct outbox *outbox, struct outbox_entry *entry)
{
	bool first = !outbox->next;

	entry->message.id = ++outbox->last_id;
	outbox_away_put(outbox, entry);
	outbox_insert(outbox, &entry->node, NULL);
	if (first)
		outbox->next = &entry->node;
	outbox->stats.put++;
	outbox_count_entry(outbox, entry, true);
	if (outbox_is_durable(outbox, entry)) {
		if (!outbox->unwritten)
			outbox->unwritten = &entry->node;
		if (outbox_away_is_crowded(outbox))
			pthread_cond_signal(&outbox->disk->work);
		outbox_disk_wake(outbox);
	}
	return first && is_takeable(outbox, entry);
}

/** Whether a reply need not wait: there is no disk, or it has failed. */
static bool is_reply_at_once(struct outbox *outbox, const struct outbox_entry *entry)
{
	return entry->message.seq == 0 && (!outbox->disk || outbox_disk_is_out(outbox));
}

static void append_reply(struct outbox *outbox, struct outbox_entry *entry)
{
	entry->message.id = ++outbox->last_id;
	outbox->stats.put++;
	outbox_reply_add(outbox, entry);
}

static void count_refused(struct outbox *outbox, const struct outbox_message *message, int error)
{
	outbox->stats.dropped++;
	outbox->stats.dropped_full += error != -ENOMEM;
	outbox->stats.dropped_memory += error == -EDQUOT;
	outbox->stats.dropped_replies += message->seq == 0;
	if (message->seq)
		outbox_gaps_add(&outbox->gaps, outbox->own, message->seq, 1,
		                error == -ENOMEM ? OUTBOX_REASON_NO_MEMORY : OUTBOX_REASON_FULL);
}

int outbox_put(struct outbox *outbox, const struct outbox_message *message)
{
	struct outbox_entry *entry = outbox_entry_new(message, outbox->own);
	uint64_t n_replies;
	bool wake = false;
	int r = -ENOMEM;

	pthread_mutex_lock(&outbox->mutex);
	n_replies = outbox->replies.n;
	if (entry && is_reply_at_once(outbox, entry)) {
		append_reply(outbox, entry);
		r = 0;
	} else if (entry) {
		r = make_room(outbox, entry->size);
		if (r >= 0) {
			wake = append(outbox, entry);
		} else if (message->seq == 0 && r != -EMSGSIZE) {
			append_reply(outbox, entry); /* the lane has its own bounds */
			r = 0;
		}
	}
	if (r < 0)
		count_refused(outbox, message, r);
	wake |= outbox->replies.n > n_replies;
	pthread_mutex_unlock(&outbox->mutex);
	if (r < 0)
		free(entry);
	if (wake && outbox->wake)
		outbox->wake(outbox->user);
	return r == -EDQUOT ? -ENOBUFS : r;
}

void outbox_group_begin(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->mutex);
	outbox->held++;
	pthread_mutex_unlock(&outbox->mutex);
}

void outbox_group_end(struct outbox *outbox)
{
	bool wake = false;

	pthread_mutex_lock(&outbox->mutex);
	outbox->held--;
	if (outbox->held == 0 && outbox->disk) {
		wake = outbox_away_group_end(outbox);
		outbox_disk_wake(outbox);
	}
	pthread_mutex_unlock(&outbox->mutex);
	if (wake && outbox->wake)
		outbox->wake(outbox->user);
}

bool outbox_take_gap(struct outbox *outbox, struct outbox_gap *ret_gap)
{
	bool any;

	pthread_mutex_lock(&outbox->mutex);
	any = outbox_gaps_take(&outbox->gaps, outbox->own, ret_gap);
	pthread_mutex_unlock(&outbox->mutex);
	return any;
}

void outbox_gap_told(struct outbox *outbox, uint64_t seq)
{
	pthread_mutex_lock(&outbox->mutex);
	outbox_gaps_told(&outbox->gaps, seq);
	pthread_mutex_unlock(&outbox->mutex);
}

void outbox_gap_again(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->mutex);
	outbox_gaps_again(&outbox->gaps);
	pthread_mutex_unlock(&outbox->mutex);
}

/* ---- taking ---- */

/** Mutex held. @return false: none (yet). */
static bool take_one(struct outbox *outbox, struct outbox_message *ret_message)
{
	struct outbox_entry *entry;

	if (!outbox->next || outbox->next->is_range || (outbox->disk && outbox->disk->adopting))
		return false;
	entry = outbox_as_entry(outbox->next);
	if (!is_takeable(outbox, entry))
		return false;
	outbox->next = entry->node.after;
	if (entry->was_taken)
		outbox->stats.resent++;
	if (entry->row)
		outbox->ready--;
	entry->taken = true;
	entry->was_taken = true;
	*ret_message = entry->message;
	return true;
}

size_t outbox_take_some(struct outbox *outbox, struct outbox_message *ret_messages, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&outbox->mutex);
	while (n < max && take_one(outbox, &ret_messages[n]))
		n++;
	if (outbox->first_range)
		outbox_disk_wake(outbox);
	pthread_mutex_unlock(&outbox->mutex);
	return n;
}

int outbox_take(struct outbox *outbox, struct outbox_message *ret_message)
{
	return outbox_take_some(outbox, ret_message, 1) ? 0 : -EAGAIN;
}

/** Find a message in flight; these are all at the head. */
static struct outbox_entry *find_taken(struct outbox *outbox, uint64_t id)
{
	struct outbox_node *node = outbox->head;

	while (node && node != outbox->next && outbox_as_entry(node)->message.id != id)
		node = node->after;
	return node && node != outbox->next ? outbox_as_entry(node) : NULL;
}

/** Release a message. Mutex held. @return whether it existed. */
static bool release_one(struct outbox *outbox, uint64_t id)
{
	struct outbox_entry *entry;
	bool wake;

	if (outbox_reply_done(outbox, id, false))
		return true;
	entry = find_taken(outbox, id);
	if (!entry)
		return false;
	wake = entry->row != 0;
	if (entry->boot == outbox->own && entry->message.seq)
		outbox_gaps_arrived(&outbox->gaps, entry->message.seq);
	outbox_remove_entry(outbox, entry);
	outbox->stats.released++;
	if (wake)
		outbox_disk_wake(outbox);
	return true;
}

/** Release several messages. @return how many existed. */
static size_t release_some(struct outbox *outbox, const uint64_t *ids, size_t n)
{
	bool was_due, is_due;
	size_t released = 0;

	pthread_mutex_lock(&outbox->mutex);
	was_due = outbox_is_gap_due(outbox);
	for (size_t i = 0; i < n; i++)
		released += release_one(outbox, ids[i]);
	is_due = outbox_is_gap_due(outbox);
	pthread_mutex_unlock(&outbox->mutex);
	if (!was_due && is_due && outbox->room)
		outbox->room(outbox->room_user);
	return released;
}

int outbox_release(struct outbox *outbox, uint64_t id)
{
	return release_some(outbox, &id, 1) ? 0 : -ENOENT;
}

void outbox_release_some(struct outbox *outbox, const uint64_t *ids, size_t n)
{
	(void)release_some(outbox, ids, n);
}

int outbox_give_up(struct outbox *outbox, uint64_t id, enum outbox_reason reason)
{
	struct outbox_entry *entry;

	pthread_mutex_lock(&outbox->mutex);
	if (outbox_reply_done(outbox, id, true)) {
		pthread_mutex_unlock(&outbox->mutex);
		return 0;
	}
	entry = find_taken(outbox, id);
	if (entry) {
		if (entry->message.seq)
			outbox_gaps_add(&outbox->gaps, entry->boot, entry->message.seq, 1, reason);
		outbox->stats.dropped_replies += entry->message.seq == 0;
		outbox->stats.dropped++;
		outbox_remove_entry(outbox, entry);
		if (outbox->disk)
			outbox_disk_wake(outbox);
	}
	pthread_mutex_unlock(&outbox->mutex);
	return entry ? 0 : -ENOENT;
}

void outbox_rewind(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->mutex);
	for (struct outbox_node *node = outbox->head; node != outbox->next; node = node->after) {
		struct outbox_entry *entry = outbox_as_entry(node);

		entry->taken = false;
		if (entry->row)
			outbox->ready++;
	}
	outbox->next = outbox->head;
	outbox->replies.next = outbox->replies.head;
	pthread_mutex_unlock(&outbox->mutex);
}

void outbox_set_connected(struct outbox *outbox, bool connected)
{
	pthread_mutex_lock(&outbox->mutex);
	outbox->away.connected = connected;
	if (outbox->away.memory && !connected)
		pthread_cond_signal(&outbox->disk->work);
	pthread_mutex_unlock(&outbox->mutex);
}

void outbox_get_stats(struct outbox *outbox, struct outbox_stats *ret_stats)
{
	pthread_mutex_lock(&outbox->mutex);
	*ret_stats = outbox->stats;
	ret_stats->replies = outbox->replies.n;
	ret_stats->untold = outbox_gaps_untold(&outbox->gaps);
	ret_stats->idle = outbox->away.memory;
	ret_stats->unread = outbox->disk && !outbox->disk->was_ok;
	if (outbox->disk && outbox->disk->state == OUTBOX_DISK_OK && !outbox->disk->stalled)
		ret_stats->on_disk = true;
	else if (outbox->disk)
		memcpy(ret_stats->reason, outbox->disk->reason, sizeof(ret_stats->reason));
	else
		strcpy(ret_stats->reason, "gateway.state_dir is not set");
	pthread_mutex_unlock(&outbox->mutex);
}
