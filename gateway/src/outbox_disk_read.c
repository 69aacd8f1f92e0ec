/* SPDX-License-Identifier: Apache-2.0 */
/* From disk into the list: what earlier boots left, as ranges; and of a range
 * the next few messages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

/* Read at a time: so many rows, or so many bytes. */
#define CHUNK_ROWS  256U
#define CHUNK_BYTES ((size_t)1024 * 1024)

/* ---- what is there ---- */

/** Ranges that are not yet in the list, linked by `after`. */
struct adoption {
	struct outbox *outbox;
	struct outbox_db *db;
	struct outbox_node *first, *last;
	uint64_t last_row; /* the scan backwards ends here */
	bool backwards;
};

static int intern(struct outbox *outbox, const char *id, const struct outbox_boot **ret_boot)
{
	pthread_mutex_lock(&outbox->mutex);
	*ret_boot = outbox_boot(outbox, id);
	pthread_mutex_unlock(&outbox->mutex);
	return *ret_boot ? 0 : -ENOMEM;
}

static bool grow_up(struct outbox_range *range, const struct outbox_boot *boot,
                    const struct outbox_db_outline *o)
{
	if (!range || range->boot != boot || range->row + range->count != o->row ||
	    (range->seq ? range->seq + range->count : 0) != o->seq)
		return false;
	range->count++;
	return true;
}

static bool grow_down(struct outbox_range *range, const struct outbox_boot *boot,
                      const struct outbox_db_outline *o)
{
	if (!range || range->boot != boot || range->row != o->row + 1 ||
	    (range->seq ? range->seq != o->seq + 1 || o->seq == 0 : o->seq != 0))
		return false;
	range->count++;
	range->row--;
	if (range->seq)
		range->seq--;
	return true;
}

static void link_range(struct adoption *a, struct outbox_node *node)
{
	if (a->backwards) {
		node->after = a->first;
		a->first = node;
		if (!a->last)
			a->last = node;
		return;
	}
	if (a->last)
		a->last->after = node;
	else
		a->first = node;
	a->last = node;
}

static int see_row(void *user, const struct outbox_db_outline *o)
{
	struct adoption *a = user;
	struct outbox_range *range = NULL;
	const struct outbox_boot *boot;
	int r = intern(a->outbox, o->boot_id, &boot);

	if (r < 0)
		return r;
	if (a->backwards && o->row <= a->last_row)
		return 1;
	if (!a->backwards)
		a->last_row = o->row;
	if (a->backwards ? a->first != NULL : a->last != NULL)
		range = outbox_as_range(a->backwards ? a->first : a->last);
	if (!(a->backwards ? grow_down(range, boot, o) : grow_up(range, boot, o))) {
		range = calloc(1, sizeof(*range));
		if (!range)
			return -ENOMEM;
		*range = (struct outbox_range){ .node.is_range = true,
			                        .boot = boot,
			                        .db = a->db,
			                        .row = o->row,
			                        .seq = o->seq,
			                        .count = 1 };
		link_range(a, &range->node);
	}
	range->bytes += outbox_entry_size(o->content);
	return 0;
}

static void adoption_clear(struct adoption *a)
{
	while (a->first) {
		struct outbox_node *node = a->first;

		a->first = node->after;
		free(node);
	}
	a->last = NULL;
}

/** Mutex held. They come before what is not yet taken. */
static uint64_t adoption_finish(struct adoption *a)
{
	struct outbox *outbox = a->outbox;
	struct outbox_node *where = outbox->next, *first = a->first;
	uint64_t count = 0;

	while (a->first) {
		struct outbox_range *range = outbox_as_range(a->first);

		a->first = range->node.after;
		outbox_insert(outbox, &range->node, where);
		outbox_count_range(outbox, range->count, range->bytes, true);
		count += range->count;
	}
	if (!first)
		return 0;
	outbox->next = first;
	outbox->first_range = outbox_as_range(first);
	outbox->unwritten = outbox_first_unwritten(outbox, outbox->head, outbox->disk->db);
	outbox->stats.restored += count;
	return count;
}

/** Mutex held. Between what could be read from the front and from the back. */
static void tell_hole(struct adoption *front, struct adoption *back)
{
	const struct outbox_range *before = NULL, *after = NULL;
	uint64_t from_seq;

	for (struct outbox_node *n = front->first; n; n = n->after) {
		if (outbox_as_range(n)->seq)
			before = outbox_as_range(n);
	}
	for (struct outbox_node *n = back->first; n && !after; n = n->after) {
		if (outbox_as_range(n)->seq)
			after = outbox_as_range(n);
	}
	/* Of two boots nobody can say where the first ended. */
	if (!before || !after || before->boot != after->boot)
		return;
	from_seq = before->seq + before->count;
	if (after->seq > from_seq)
		outbox_gaps_add(&front->outbox->gaps, before->boot, from_seq, after->seq - from_seq,
		                OUTBOX_REASON_DISK);
}

int outbox_disk_adopt(struct outbox *outbox, struct outbox_db *db, bool tolerant)
{
	struct adoption front = { .outbox = outbox, .db = db };
	struct adoption back = { .outbox = outbox, .db = db, .backwards = true };
	struct outbox_disk *disk = outbox->disk;
	uint64_t count;
	int r;

	outbox_disk_call_begin(outbox);
	r = outbox_db_scan(db, false, see_row, &front);
	if (r < 0 && r != -ENOMEM && tolerant) {
		/* The rows behind the damage, from the other end. */
		back.last_row = front.last_row;
		(void)outbox_db_scan(db, true, see_row, &back);
		r = 0;
	}
	outbox_disk_call_end(outbox);
	if (r < 0) {
		adoption_clear(&front);
		adoption_clear(&back);
		return r;
	}
	tell_hole(&front, &back);
	/* The second half first: each goes before what is there. */
	count = adoption_finish(&back);
	count += adoption_finish(&front);
	if (count > 0 && disk->log)
		log_write(disk->log, LOG_LEVEL_NOTICE,
		          "outbox: %llu messages from before are on disk and will be sent first",
		          (unsigned long long)count);
	return 0;
}

/* ---- reading a range ---- */

struct reading {
	const struct outbox_range *range; /* its boot, which does not change */
	uint64_t row, seq;                /* of its first, when the reading began */
	struct outbox_entry *first, **tail;
	uint64_t end; /* all rows before this one were tried */
	size_t bytes;
};

static int read_row(void *user, uint64_t row, const struct outbox_message *message)
{
	struct reading *reading = user;
	struct outbox_entry *entry;

	/* What the outline said and what the row says must be one. */
	if (strcmp(message->boot_id, reading->range->boot->id) != 0 ||
	    message->seq != (reading->seq ? reading->seq + (row - reading->row) : 0))
		return -EBADMSG;
	entry = outbox_entry_new(message, reading->range->boot);
	if (!entry)
		return -ENOMEM;
	entry->row = row;
	*reading->tail = entry;
	reading->tail = &entry->batch_next;
	reading->bytes += entry->size;
	reading->end = row + 1;
	return reading->bytes > CHUNK_BYTES ? 1 : 0;
}

/** Rows @p reading->end to @p last. */
static int read_rows(struct outbox_db *db, struct reading *reading, uint64_t last, bool tolerant)
{
	int r = outbox_db_read(db, reading->end, last, read_row, reading);

	if (r == 0)
		reading->end = last + 1;
	if (r >= 0 || r == -ENOMEM || !tolerant)
		return r;
	/* One by one around the damage. */
	while (reading->end <= last && reading->bytes <= CHUNK_BYTES) {
		uint64_t row = reading->end;

		r = outbox_db_read(db, row, row, read_row, reading);
		if (r == -ENOMEM)
			return r;
		reading->end = row + 1;
	}
	return 0;
}

/** The first of @p range is @p entry; NULL: it can't be read and is given up. */
static void replace_first(struct outbox *outbox, struct outbox_range *range,
                          struct outbox_entry *entry)
{
	if (!entry) {
		outbox->stats.dropped++;
		if (range->seq)
			outbox_gaps_add(&outbox->gaps, range->boot, range->seq, 1,
			                OUTBOX_REASON_DISK);
		/* It is told to be missing: it must not come after all. */
		if (range->db == outbox->disk->db)
			outbox_rows_add(&outbox->deletes, range->row, 1);
	}
	outbox_count_range(outbox, 1, outbox_range_pop(range), false);
	if (!entry)
		return;
	entry->message.id = ++outbox->last_id;
	entry->batch_next = NULL;
	if (range->db == outbox->disk->db)
		outbox->ready++;
	else
		entry->row = 0;
	outbox_insert(outbox, &entry->node, &range->node);
	outbox_count_entry(outbox, entry, true);
	if (outbox->next == &range->node)
		outbox->next = &entry->node;
	if (outbox->unwritten == &range->node)
		outbox->unwritten = &entry->node;
}

/** Those that were dropped from the range meanwhile are passed over. */
static uint64_t put_into_list(struct outbox *outbox, struct outbox_range *range,
                              struct reading *reading)
{
	struct outbox_entry *entry = reading->first;
	uint64_t lost = 0;

	while (entry) {
		struct outbox_entry *next = entry->batch_next;

		for (; range->count > 0 && range->row < entry->row; lost++)
			replace_first(outbox, range, NULL);
		if (range->count > 0 && range->row == entry->row)
			replace_first(outbox, range, entry);
		else
			free(entry);
		entry = next;
	}
	for (; range->count > 0 && range->row < reading->end; lost++)
		replace_first(outbox, range, NULL);
	return lost;
}

static void reading_clear(struct reading *reading)
{
	while (reading->first) {
		struct outbox_entry *entry = reading->first;

		reading->first = entry->batch_next;
		free(entry);
	}
}

int outbox_disk_load(struct outbox *outbox, struct outbox_range *range, bool tolerant)
{
	struct reading reading = { .range = range,
		                   .row = range->row,
		                   .seq = range->seq,
		                   .tail = &reading.first,
		                   .end = range->row };
	uint64_t last = range->row + (range->count < CHUNK_ROWS ? range->count : CHUNK_ROWS) - 1;
	struct outbox_db *db = range->db;
	uint64_t lost = 0;
	int r;

	range->busy = true;
	outbox_disk_call_begin(outbox);
	r = read_rows(db, &reading, last, tolerant);
	outbox_disk_call_end(outbox);
	range->busy = false;
	if (r < 0)
		reading_clear(&reading);
	else
		lost = put_into_list(outbox, range, &reading);
	outbox_range_drop_if_empty(outbox, range);
	if (lost > 0 && outbox->disk->log)
		log_write(outbox->disk->log, LOG_LEVEL_ERROR,
		          "outbox: %llu messages on disk can't be read any more and are given up",
		          (unsigned long long)lost);
	return r < 0 ? r : 0;
}
