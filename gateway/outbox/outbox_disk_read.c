/* SPDX-License-Identifier: Apache-2.0 */
/* Read the next few messages of a range from disk into the list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"
#include "plural.h"

/* Rows and bytes read at a time. */
#define CHUNK_ROWS  256U
#define CHUNK_BYTES ((size_t)1024 * 1024)

struct reading {
	const struct outbox_range *range; /* boot and database do not change */
	uint64_t row, seq;                /* of its first message, when the reading began */
	struct outbox_entry *first, **tail;
	uint64_t end; /* all rows before this one were tried */
	size_t bytes;
};

static int read_row(void *user, uint64_t row, const struct outbox_message *message)
{
	struct reading *reading = user;
	struct outbox_entry *entry;

	/* The row must agree with its outline. */
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
static int read_rows(const struct outbox_disk *disk, struct reading *reading, uint64_t last,
                     bool tolerant)
{
	struct outbox_db *db = reading->range->db;
	int r = outbox_db_read(db, reading->end, last, read_row, reading);

	if (r == 0)
		reading->end = last + 1;
	if (r >= 0 || !tolerant || !outbox_disk_is_damage(disk, r))
		return r;
	/* Read one by one around the damage. */
	while (reading->end <= last && reading->bytes <= CHUNK_BYTES) {
		uint64_t row = reading->end;

		r = outbox_db_read(db, row, row, read_row, reading);
		if (r < 0 && !outbox_disk_is_damage(disk, r))
			return r;
		reading->end = row + 1;
	}
	return 0;
}

/** Replace the first message of @p range by @p entry; NULL: it can't be read and is dropped. */
static void replace_first(struct outbox *outbox, struct outbox_range *range,
                          struct outbox_entry *entry)
{
	if (!entry) {
		outbox->stats.dropped++;
		outbox->stats.dropped_replies += range->seq == 0;
		if (range->seq)
			outbox_gaps_add(&outbox->gaps, range->boot, range->seq, 1,
			                OUTBOX_REASON_DISK);
		/* It is announced as missing, so it must never be sent. */
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

/** Put the read messages into the list, except those dropped from the range meanwhile. */
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
	uint64_t lost = 0;
	int r;

	range->busy = true;
	outbox_disk_call_begin(outbox);
	r = read_rows(outbox->disk, &reading, last, tolerant);
	outbox_disk_call_end(outbox);
	range->busy = false;
	if (r < 0) {
		reading_clear(&reading);
		outbox_disk_has_not_read(outbox->disk);
	} else {
		if (reading.first)
			outbox_disk_has_read(outbox->disk);
		lost = put_into_list(outbox, range, &reading);
	}
	outbox_range_drop_if_empty(outbox, range);
	if (lost > 0 && outbox->disk->log)
		log_write(outbox->disk->log, LOG_LEVEL_ERROR,
		          "outbox: dropped, unreadable on the disk: %llu message%s",
		          (unsigned long long)lost, plural(lost));
	return r < 0 ? r : 0;
}
