/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Add the messages of earlier boots to the list, as ranges.
 *
 * A damaged file is read from both ends; rows with a bad checksum are skipped. Their contents can't
 * be trusted, but two good rows tell what is missing between them:
 *
 *   before it     | behind it      | what is missing
 *   event of B    | event of B     | every seq of B between the two
 *   nothing       | event of B     | each that agrees with it, in row and seq
 *   event of B    | nothing        | the same
 *   event of B    | event of C     | each that agrees with the one of its boot
 *
 * (Events of QoS 0 have a seq but no row: some events between may have arrived. It is better to
 * name too many than to lose one silently.)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "outbox_internal.h"
#include "plural.h"

/** Rows with a bad checksum; beyond the limit only counted. */
#define BAD_MAX 65536U

struct bad_row {
	char boot_id[OUTBOX_BOOT_ID_SIZE];
	uint64_t row, seq;
};

/** Ranges not yet in the list, linked by `after`. */
struct adoption {
	struct outbox *outbox;
	struct outbox_db *db;
	struct outbox_node *first, *last;
	uint64_t last_row; /* last row of the forward scan; the backward scan ends there */
	bool backwards, tolerant;
	struct bad_row *bad; /* in the order in which they were found */
	size_t n_bad, cap_bad;
	uint64_t n_bad_all;
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

static int see_bad_row(struct adoption *a, const struct outbox_db_outline *o)
{
	struct bad_row *bad = a->bad;

	if (!a->tolerant)
		return -EBADMSG;
	a->n_bad_all++;
	if (a->n_bad == BAD_MAX)
		return 0;
	bad = array_grow(a->bad, a->n_bad, &a->cap_bad, sizeof(*bad));
	if (!bad)
		return -ENOMEM;
	a->bad = bad;
	bad[a->n_bad] = (struct bad_row){ .row = o->row, .seq = o->seq };
	snprintf(bad[a->n_bad++].boot_id, OUTBOX_BOOT_ID_SIZE, "%s", o->boot_id);
	return 0;
}

/** Whether the row follows the one before; one that does not counts like a row with a bad
 * checksum. */
static bool is_in_order(const struct adoption *a, const struct outbox_db_outline *o)
{
	if (a->backwards)
		return !a->first || o->row < outbox_as_range(a->first)->row;
	return o->row > a->last_row;
}

static int see_row(void *user, const struct outbox_db_outline *o)
{
	struct adoption *a = user;
	struct outbox_range *range = NULL;
	const struct outbox_boot *boot;
	int r;

	if (a->backwards && o->row <= a->last_row)
		return 1;
	if (!o->checks || !is_in_order(a, o))
		return see_bad_row(a, o);
	r = intern(a->outbox, o->boot_id, &boot);
	if (r < 0)
		return r;
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

/* ---- naming what is missing; mutex held ---- */

static void name(struct outbox *outbox, const struct outbox_boot *boot, uint64_t from_seq,
                 uint64_t count)
{
	outbox_gaps_add(&outbox->gaps, boot, from_seq, count, OUTBOX_REASON_DISK);
}

/** Whether the seq of a bad row agrees with its distance from a good row. */
static bool agrees(const struct bad_row *bad, const struct outbox_range *range)
{
	return range && bad->seq > 0 && strcmp(bad->boot_id, range->boot->id) == 0 &&
	       bad->seq - range->seq == bad->row - range->row; /* both modulo 2^64 */
}

/** Name @p n bad rows between the events @p before and @p behind, either of which may be NULL. */
static void name_between(struct outbox *outbox, const struct outbox_range *before,
                         const struct outbox_range *behind, const struct bad_row *bad, size_t n)
{
	uint64_t from_seq = before ? before->seq + before->count : 0;

	if (before && behind && before->boot == behind->boot) {
		if (behind->seq > from_seq)
			name(outbox, before->boot, from_seq, behind->seq - from_seq);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (agrees(&bad[i], before))
			name(outbox, before->boot, bad[i].seq, 1);
		else if (agrees(&bad[i], behind))
			name(outbox, behind->boot, bad[i].seq, 1);
	}
}

static int by_row(const void *a, const void *b)
{
	const struct bad_row *left = a, *right = b;

	return left->row < right->row ? -1 : left->row > right->row;
}

/**
 * Name the missing events.
 * @param ranges   in order
 * @param junction first range found from the other end, or NULL
 */
static void name_missing(struct outbox *outbox, struct outbox_node *ranges,
                         const struct outbox_node *junction, struct bad_row *bad, size_t n_bad)
{
	const struct outbox_range *before = NULL;
	bool cut = false; /* rows may be missing unseen */
	size_t from = 0, to = 0;

	if (n_bad > 0)
		qsort(bad, n_bad, sizeof(*bad), by_row);
	for (const struct outbox_node *n = ranges; n; n = n->after) {
		const struct outbox_range *range = (const struct outbox_range *)n;

		cut |= n == junction;
		if (range->seq == 0)
			continue;
		while (to < n_bad && bad[to].row < range->row)
			to++;
		if (to > from || cut)
			name_between(outbox, before, range, bad ? &bad[from] : NULL, to - from);
		from = to;
		cut = false;
		before = range;
	}
	if (n_bad > from)
		name_between(outbox, before, NULL, &bad[from], n_bad - from);
}

/* ---- the whole file ---- */

static void adoption_clear(struct adoption *a)
{
	while (a->first) {
		struct outbox_node *node = a->first;

		a->first = node->after;
		free(node);
	}
	a->last = NULL;
	free(a->bad);
	a->bad = NULL;
}

/** Append the ranges of the second half to the first. @return the first range of the second half,
 * or NULL. */
static struct outbox_node *join(struct adoption *a, struct adoption *back)
{
	struct outbox_node *junction = back->first;

	if (a->last)
		a->last->after = back->first;
	else
		a->first = back->first;
	if (back->last)
		a->last = back->last;
	back->first = back->last = NULL;
	return junction;
}

/** Append the bad rows of the second half to the first. Without memory they are not named. */
static void join_bad(struct adoption *a, const struct adoption *back)
{
	struct bad_row *all;

	a->n_bad_all += back->n_bad_all;
	if (back->n_bad == 0)
		return;
	all = reallocarray(a->bad, a->n_bad + back->n_bad, sizeof(*all));
	if (!all)
		return;
	memcpy(&all[a->n_bad], back->bad, back->n_bad * sizeof(*all));
	a->bad = all;
	a->n_bad += back->n_bad;
}

/** Insert the ranges before the messages that are not taken yet. Mutex held. @return number of
 * messages. */
static uint64_t insert_all(struct adoption *a)
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
	a->last = NULL;
	if (!first)
		return 0;
	outbox->next = first;
	outbox->first_range = outbox_as_range(first);
	outbox->unwritten = outbox_first_unwritten(outbox, outbox->head, outbox->disk->db);
	outbox->stats.restored += count;
	return count;
}

static void tell(struct log *log, uint64_t count, uint64_t bad, bool cut)
{
	if (count > 0 && log)
		log_write(log, LOG_LEVEL_NOTICE,
		          "outbox: on disk from before the start, sent first: %llu message%s",
		          (unsigned long long)count, plural(count));
	if ((bad > 0 || cut) && log)
		log_write(log, LOG_LEVEL_ERROR,
		          "outbox: dropped, unreadable in the damaged file: %llu message%s%s",
		          (unsigned long long)bad, plural(bad),
		          cut ? "; a part of the file is unreadable" : "");
}

int outbox_disk_adopt(struct outbox *outbox, struct outbox_db *db, bool tolerant)
{
	struct adoption all = { .outbox = outbox, .db = db, .tolerant = tolerant };
	struct adoption back = {
		.outbox = outbox, .db = db, .tolerant = tolerant, .backwards = true
	};
	struct outbox_node *junction = NULL;
	bool cut;
	int r;

	outbox_disk_call_begin(outbox);
	r = outbox_db_scan(db, false, see_row, &all);
	cut = r < 0 && tolerant && outbox_disk_is_damage(outbox->disk, r);
	if (cut) {
		/* Read the rows behind the damage from the other end. */
		back.last_row = all.last_row;
		r = outbox_db_scan(db, true, see_row, &back);
		r = r < 0 && !outbox_disk_is_damage(outbox->disk, r) ? r : 0;
		junction = join(&all, &back);
		join_bad(&all, &back);
	}
	outbox_disk_call_end(outbox);
	if (r < 0) {
		outbox_disk_has_not_read(outbox->disk);
	} else {
		outbox_disk_has_read(outbox->disk);
		name_missing(outbox, all.first, junction, all.bad, all.n_bad);
		outbox->stats.restored += all.n_bad_all;
		outbox->stats.dropped += all.n_bad_all;
		tell(outbox->disk->log, insert_all(&all), all.n_bad_all, cut);
	}
	adoption_clear(&all);
	adoption_clear(&back);
	return r < 0 ? r : 0;
}
