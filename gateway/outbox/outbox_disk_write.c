/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction: rows to delete, messages in order, the journal. */
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "outbox_internal.h"

/** The contents of one transaction; used by the thread without the mutex. */
struct transaction {
	struct outbox_entry *first, **tail;
	struct outbox_rows deletes;
	struct outbox_op *ops;
	char *gaps; /* NULL: unchanged on disk */
	size_t gaps_len;
	bool rewrite, probe;
};

/**
 * Collect unwritten messages in order, up to @p limit, or up to a range in another database, whose
 * messages must get lower rows than the following ones. At most half of the memory: messages being
 * written can't be dropped, so otherwise the newest would be dropped instead of the oldest.
 */
static void collect(struct outbox *outbox, struct transaction *t, unsigned limit)
{
	struct outbox_node *node = outbox->unwritten;

	for (uint64_t n = 0, bytes = 0;
	     node && !node->is_range && n < limit && bytes <= outbox->max_memory_bytes / 2; n++) {
		struct outbox_entry *entry = outbox_as_entry(node);

		entry->busy = true;
		entry->batch_next = NULL;
		bytes += entry->size;
		*t->tail = entry;
		t->tail = &entry->batch_next;
		node = outbox_first_unwritten(outbox, node->after, outbox->disk->db);
	}
	outbox->unwritten = node;
}

static int write_gaps(struct outbox_db *db, const struct transaction *t)
{
	if (!t->gaps)
		return 0;
	return t->gaps_len ? outbox_db_note(db, OUTBOX_GAPS_KEY, t->gaps, t->gaps_len)
	                   : outbox_db_forget(db, OUTBOX_GAPS_KEY);
}

static int run(struct outbox_db *db, const struct transaction *t, uint64_t row)
{
	int r = outbox_db_begin(db);

	for (size_t i = 0; r >= 0 && i < t->deletes.n; i++)
		r = outbox_db_delete(db, t->deletes.ranges[i].from, t->deletes.ranges[i].to);
	for (const struct outbox_entry *e = t->first; r >= 0 && e; e = e->batch_next)
		r = outbox_db_put(db, ++row, &e->message);
	if (r >= 0 && t->rewrite)
		r = outbox_db_forget_all(db);
	for (const struct outbox_op *op = t->ops; r >= 0 && op; op = op->next)
		r = op->remove ? outbox_db_forget(db, op->key)
		               : outbox_db_note(db, op->key, op->value, op->len);
	if (r >= 0)
		r = write_gaps(db, t);
	if (r >= 0 && t->probe)
		r = outbox_db_probe(db);
	if (r >= 0)
		r = outbox_db_commit(db);
	if (r < 0)
		outbox_db_rollback(db);
	return r;
}

/** Restore every entry; free those that left the list meanwhile. */
static void undo(struct outbox *outbox, struct transaction *t)
{
	struct outbox_node *first = NULL;

	for (struct outbox_entry *e = t->first, *next; e; e = next) {
		next = e->batch_next;
		e->busy = false;
		if (e->gone)
			free(e);
		else if (!first)
			first = &e->node;
	}
	if (first)
		outbox->unwritten = first;
	outbox_rows_add_all(&outbox->deletes, &t->deletes);
	/* New notes may have come meanwhile: rewriting all notes keeps the order. */
	if (t->ops)
		outbox->journal.rewrite = true;
	outbox->gaps.dirty |= t->gaps != NULL;
}

static void finish_entry(struct outbox *outbox, struct outbox_entry *entry)
{
	struct outbox_disk *disk = outbox->disk;

	entry->busy = false;
	entry->row = ++disk->last_row;
	if (entry->gone) {
		outbox_rows_add(&outbox->deletes, entry->row, 1);
		free(entry);
		return;
	}
	outbox->stats.unwritten_events--;
	outbox->memory_only_bytes -= entry->size;
	if (entry->taken)
		return;
	outbox->ready++;
	if (entry->message.seq == 0) {
		/* All messages before it are committed too, so the reply may overtake waiting
		 * events. */
		uint64_t row = entry->row;

		outbox->ready--;
		outbox_unlink(outbox, &entry->node);
		outbox_count_entry(outbox, entry, false);
		entry->row = 0;
		outbox_rows_add(&outbox->deletes, row, 1);
		outbox_reply_add(outbox, entry);
		return;
	}
	if (outbox->first_range || outbox->ready > disk->window ||
	    outbox->stats.memory_bytes > disk->window_bytes)
		outbox_fold(outbox, entry, disk->db);
}

static void finish(struct outbox *outbox, struct transaction *t)
{
	struct outbox_disk *disk = outbox->disk;

	for (struct outbox_entry *e = t->first, *next; e; e = next) {
		next = e->batch_next;
		finish_entry(outbox, e);
	}
	outbox->stats.commits++;
	disk->last_commit_ns = clock_monotonic_ns();
	if (outbox->deletes.n == 0)
		disk->deletes_since_ns = 0;
	if (disk->sync == OUTBOX_SYNC_BATCH && !disk->unsynced &&
	    (t->first || t->ops || t->rewrite || t->gaps)) {
		disk->unsynced = true;
		disk->sync_at_ns = disk->last_commit_ns + disk->sync_interval_ns;
	}
}

/** Take the current gaps, which name the rows that this transaction deletes. */
static int take_gaps(struct outbox *outbox, struct transaction *t)
{
	int r;

	if (!outbox->gaps.dirty && !t->rewrite)
		return 0;
	r = outbox_gaps_write(&outbox->gaps, &t->gaps, &t->gaps_len);
	if (r >= 0)
		outbox->gaps.dirty = false;
	return r;
}

int outbox_disk_write(struct outbox *outbox, unsigned limit, bool probe)
{
	struct outbox_disk *disk = outbox->disk;
	struct transaction t = { .tail = &t.first, .probe = probe };
	bool takeable, was_due = true;
	int r = 0;

	outbox_away_begin(outbox);
	if (!outbox->away.memory)
		collect(outbox, &t, limit);
	takeable = t.first != NULL;
	t.deletes = outbox->deletes;
	outbox->deletes = (struct outbox_rows){ 0 };
	/* Together with the last messages, so that no message is on disk before its note. */
	if (!outbox->unwritten || outbox->away.memory) {
		t.rewrite = outbox->journal.rewrite;
		r = outbox_journal_steal_ops(&outbox->journal, &t.ops);
	}
	if (r >= 0)
		r = take_gaps(outbox, &t);
	if (r >= 0) {
		/* Notes made during this write must not count as written. */
		outbox->journal.rewrite = outbox->journal.rewrite && !t.rewrite;
		disk->writing = true;
		outbox_disk_call_begin(outbox);
		r = run(disk->db, &t, disk->last_row);
		outbox_disk_call_end(outbox);
		disk->writing = false;
	}
	if (r < 0) {
		outbox->journal.rewrite |= t.rewrite;
		undo(outbox, &t);
		outbox_away_failed(outbox);
		takeable = false;
	} else {
		was_due = outbox_is_gap_due(outbox);
		finish(outbox, &t);
		takeable |= outbox_away_committed(outbox);
	}
	free(t.gaps);
	outbox_ops_free(t.ops);
	outbox_rows_clear(&t.deletes);
	if (!was_due && outbox_is_gap_due(outbox))
		outbox_disk_tell_room(outbox);
	if (takeable)
		outbox_disk_tell_egress(outbox);
	return r < 0 ? r : outbox->unwritten && !outbox->away.memory ? 1 : 0;
}
