/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropped events as disjoint ranges, in the order in which they were dropped. A range is kept until
 * the event that announces it is acknowledged. If that event is dropped in turn, the range is
 * announced again.
 *
 * On disk all ranges are one note, one line a range: "boot from to count reason". It is written in
 * the transaction that deletes the rows, so after a kill at any time either the message or its name
 * exists. A range may be announced twice across a restart, but never not at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

#define AT(gaps, i) (&(gaps)->ranges[((gaps)->first + (i)) % OUTBOX_GAPS_MAX])

#define REASONS   (OUTBOX_REASON_KILLED + 1)
#define LINE_SIZE (OUTBOX_BOOT_ID_SIZE + 3U * 21U + 16U)

const char *outbox_reason_name(enum outbox_reason reason)
{
	static const char *const names[REASONS] = {
		[OUTBOX_REASON_FULL] = "outbox_full",
		[OUTBOX_REASON_NO_MEMORY] = "out_of_memory",
		[OUTBOX_REASON_TOO_LARGE] = "too_large",
		[OUTBOX_REASON_REFUSED] = "refused",
		[OUTBOX_REASON_REJECTED] = "rejected",
		[OUTBOX_REASON_DISK] = "disk_failed",
		[OUTBOX_REASON_KILLED] = "killed",
	};

	return names[reason];
}

/* ---- the ring ---- */

/** Extend @p range to include @p other and everything between the two. */
static void join(struct outbox_gap_range *range, const struct outbox_gap_range *other)
{
	if (other->from_seq < range->from_seq)
		range->from_seq = other->from_seq;
	if (other->to_seq > range->to_seq)
		range->to_seq = other->to_seq;
	/* Only a damaged note has overlapping ranges; do not count a seq twice. */
	if (range->count > range->to_seq - range->from_seq + 1 - other->count)
		range->count = range->to_seq - range->from_seq + 1;
	else
		range->count += other->count;
}

uint64_t outbox_gaps_untold(const struct outbox_gaps *gaps)
{
	uint64_t count = 0;

	for (size_t i = 0; i < gaps->n; i++)
		count += AT(gaps, i)->count;
	return count;
}

static void remove_at(struct outbox_gaps *gaps, size_t i)
{
	for (; i + 1 < gaps->n; i++)
		*AT(gaps, i) = *AT(gaps, i + 1);
	gaps->n--;
}

/** Merge the two newest ranges of the same boot. @return false: each is of a different boot. */
static bool make_room(struct outbox_gaps *gaps)
{
	for (size_t i = gaps->n; i-- > 1;) {
		for (size_t j = i; j-- > 0;) {
			if (AT(gaps, j)->boot != AT(gaps, i)->boot)
				continue;
			join(AT(gaps, j), AT(gaps, i));
			remove_at(gaps, i);
			return true;
		}
	}
	return false;
}

static void add_range(struct outbox_gaps *gaps, const struct outbox_gap_range *range)
{
	size_t i = gaps->n;

	gaps->dirty = true;
	/* New and oldest messages may be dropped in turns, so check the last two ranges. */
	while (i > 0 && i + 2 > gaps->n) {
		struct outbox_gap_range *last = AT(gaps, --i);

		if (last->boot == range->boot && last->reason == range->reason &&
		    last->to_seq + 1 == range->from_seq) {
			join(last, range);
			return;
		}
	}
	if (gaps->n == OUTBOX_GAPS_MAX) {
		/* No room for a range: extend the newest of this boot, or make room for its
		 * first. */
		for (i = gaps->n; i > 0 && AT(gaps, i - 1)->boot != range->boot; i--)
			;
		if (i > 0) {
			join(AT(gaps, i - 1), range);
			return;
		}
		if (!make_room(gaps))
			return;
	}
	*AT(gaps, gaps->n++) = *range;
}

static void remove_news(struct outbox_gaps *gaps, size_t i)
{
	gaps->n_news--;
	memmove(&gaps->news[i], &gaps->news[i + 1], (gaps->n_news - i) * sizeof(gaps->news[0]));
	gaps->dirty = true;
}

void outbox_gaps_add(struct outbox_gaps *gaps, const struct outbox_boot *boot, uint64_t from_seq,
                     uint64_t count, enum outbox_reason reason)
{
	uint64_t to_seq = from_seq + count - 1;
	struct outbox_gap_range range = { .boot = boot,
		                          .from_seq = from_seq,
		                          .to_seq = to_seq,
		                          .count = count,
		                          .reason = reason };

	add_range(gaps, &range);
	for (size_t i = gaps->n_news; boot == gaps->own && i-- > 0;) {
		const struct outbox_gap_news *news = &gaps->news[i];

		if (news->seq == 0 || news->seq < from_seq || news->seq > to_seq)
			continue;
		range = news->range;
		remove_news(gaps, i);
		add_range(gaps, &range);
	}
}

bool outbox_gaps_take(struct outbox_gaps *gaps, const struct outbox_boot *own,
                      struct outbox_gap *ret_gap)
{
	const struct outbox_gap_range *range;

	outbox_gaps_told(gaps, 0);
	if (gaps->n == 0 || gaps->n_news == OUTBOX_GAP_NEWS)
		return false;
	range = AT(gaps, 0);
	*ret_gap = (struct outbox_gap){
		.from_seq = range->from_seq,
		.to_seq = range->to_seq,
		.count = range->count,
		.reason = range->reason,
	};
	if (range->boot != own)
		snprintf(ret_gap->boot_id, sizeof(ret_gap->boot_id), "%s", range->boot->id);
	gaps->own = own;
	gaps->news[gaps->n_news++] = (struct outbox_gap_news){ .range = *range };
	gaps->first = (gaps->first + 1) % OUTBOX_GAPS_MAX;
	gaps->n--;
	return true;
}

/** The range that was taken but neither announced nor returned yet. */
static struct outbox_gap_news *pending(struct outbox_gaps *gaps)
{
	struct outbox_gap_news *last = gaps->n_news ? &gaps->news[gaps->n_news - 1] : NULL;

	return last && last->seq == 0 ? last : NULL;
}

void outbox_gaps_told(struct outbox_gaps *gaps, uint64_t seq)
{
	struct outbox_gap_news *last = pending(gaps);

	if (last && seq == 0)
		remove_news(gaps, gaps->n_news - 1);
	else if (last)
		last->seq = seq;
}

void outbox_gaps_again(struct outbox_gaps *gaps)
{
	const struct outbox_gap_news *last = pending(gaps);

	if (!last)
		return;
	/* Its place in the ring may have been taken by another range meanwhile. */
	if (gaps->n < OUTBOX_GAPS_MAX) {
		gaps->first = (gaps->first + OUTBOX_GAPS_MAX - 1) % OUTBOX_GAPS_MAX;
		gaps->n++;
		*AT(gaps, 0) = last->range;
	} else {
		add_range(gaps, &last->range);
	}
	remove_news(gaps, gaps->n_news - 1);
}

void outbox_gaps_arrived(struct outbox_gaps *gaps, uint64_t seq)
{
	for (size_t i = gaps->n_news; i-- > 0;) {
		if (gaps->news[i].seq == seq)
			remove_news(gaps, i);
	}
}

/* ---- on disk ---- */

static size_t write_range(const struct outbox_gap_range *range, char *line)
{
	int n = snprintf(line, LINE_SIZE, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n",
	                 range->boot->id, range->from_seq, range->to_seq, range->count,
	                 outbox_reason_name(range->reason));

	return (size_t)n;
}

int outbox_gaps_write(const struct outbox_gaps *gaps, char **ret_text, size_t *ret_len)
{
	char *text = malloc((gaps->n_news + gaps->n) * LINE_SIZE + 1);
	size_t len = 0;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < gaps->n_news; i++)
		len += write_range(&gaps->news[i].range, &text[len]);
	for (size_t i = 0; i < gaps->n; i++)
		len += write_range(AT(gaps, i), &text[len]);
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static bool is_there(const struct outbox_gaps *gaps, const struct outbox_gap_range *range)
{
	for (size_t i = 0; i < gaps->n; i++) {
		if (AT(gaps, i)->boot == range->boot && AT(gaps, i)->from_seq == range->from_seq &&
		    AT(gaps, i)->to_seq == range->to_seq)
			return true;
	}
	return false;
}

/** Parse a line of write_range(). @return whether it is valid. */
static bool read_range(struct outbox *outbox, const char *line, struct outbox_gap_range *ret_range)
{
	struct outbox_gap_range range = { 0 };
	char id[OUTBOX_BOOT_ID_SIZE], reason[17];
	unsigned r = 0;

	/* NOLINTNEXTLINE(cert-err34-c): a row of our own */
	if (sscanf(line, "%32[0-9A-Za-z._-] %" SCNu64 " %" SCNu64 " %" SCNu64 " %16s", id,
	           &range.from_seq, &range.to_seq, &range.count, reason) != 5 ||
	    range.from_seq == 0 || range.to_seq < range.from_seq || range.count == 0 ||
	    range.count - 1 > range.to_seq - range.from_seq)
		return false;
	while (r < REASONS && strcmp(reason, outbox_reason_name((enum outbox_reason)r)) != 0)
		r++;
	if (r == REASONS)
		return false;
	range.reason = (enum outbox_reason)r;
	range.boot = outbox_boot(outbox, id);
	*ret_range = range;
	return range.boot && range.boot != outbox->own;
}

void outbox_gaps_read(struct outbox *outbox, const char *text, size_t len)
{
	const char *end = text + len, *newline;
	struct outbox_gap_range range;
	char line[LINE_SIZE];

	/* Invalid lines must not cost more than valid ones. */
	for (unsigned n = 0; n < OUTBOX_GAPS_MAX + OUTBOX_GAP_NEWS; n++, text = newline + 1) {
		newline = text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;
		if (!newline)
			return;
		if ((size_t)(newline - text) >= sizeof(line))
			continue;
		memcpy(line, text, (size_t)(newline - text));
		line[newline - text] = '\0';
		if (read_range(outbox, line, &range) && !is_there(&outbox->gaps, &range))
			add_range(&outbox->gaps, &range);
	}
}
