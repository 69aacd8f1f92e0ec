/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `outbox.disk: when_away`: messages are not written while the broker acknowledges them in time.
 *
 *   phase  | what happens                                          | next
 *   DISK   | there is something to write, the broker is there, no  | MEMORY, when that
 *          | message is on disk only, the oldest in memory was put | transaction and the mark in
 *          | less than calm_ns ago, the broker was not slow lately | it are committed
 *   DISK   | anything else                                         | DISK
 *   MEMORY | the broker is away; or the oldest message is          | DISK: one transaction writes
 *          | patience_ns old; or half of what may be in memory is; | all that waits, in order, and
 *          | or a flush, or the end; or the disk fails             | removes the mark
 *
 * In phase MEMORY a kill loses the unwritten messages. So that the next start can name them, a mark
 * is on disk: the number of the last safe event (acknowledged, on disk, or named by a gap), and a
 * reserved number. No event above the reserved number is sent before the mark is written again. The
 * mark is written with every transaction of the journal, and when half of the reserve is used. The
 * reserve grows with the rate, so that this happens about once a minute at most.
 *
 * Notes of the journal are written at once in both phases, and a message is sent only when the
 * notes of its group are committed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "outbox_internal.h"

#define NS_PER_S     1000000000ULL
#define RESERVE_MIN  64U
#define RESERVE_MAX  65536U
#define RESERVE_FAST (60 * NS_PER_S)  /* if the reserve is used up sooner than this, reserve more */
#define RESERVE_SLOW (240 * NS_PER_S) /* … if later than this, less */
/* minimum duration of phase DISK after a slow broker, in units of patience_ns */
#define SLOW_BROKER 12U
#define KEY         "unwritten"
#define TEXT_SIZE   (OUTBOX_BOOT_ID_SIZE + 2U * 21U + 1U)

void outbox_away_init(struct outbox *outbox, const struct outbox_config *config)
{
	struct outbox_away *away = &outbox->away;

	away->wanted = config->dir && config->when == OUTBOX_DISK_WHEN_AWAY;
	away->patience_ns = config->patience_ns ? config->patience_ns : 5 * NS_PER_S;
	away->calm_ns = config->calm_ns ? config->calm_ns : NS_PER_S;
	away->reserve = RESERVE_MIN;
	away->group = 1;
}

/* ---- messages that may be sent ---- */

bool outbox_away_is_takeable(const struct outbox *outbox, const struct outbox_entry *entry)
{
	const struct outbox_away *away = &outbox->away;

	if (!away->memory || (away->noted && entry->group >= away->noted) ||
	    (away->noting && entry->group >= away->noting))
		return false;
	/* The group may get more notes. */
	if (outbox->held > 0 && entry->group == away->group)
		return false;
	return entry->message.seq <= away->reserved_to;
}

void outbox_away_put(struct outbox *outbox, struct outbox_entry *entry)
{
	struct outbox_away *away = &outbox->away;

	if (!away->wanted)
		return;
	entry->put_ns = clock_monotonic_ns();
	entry->group = away->group;
	if (outbox->held == 0)
		away->group++;
	if (entry->message.seq > away->last_seq)
		away->last_seq = entry->message.seq;
}

void outbox_away_note(struct outbox *outbox)
{
	struct outbox_away *away = &outbox->away;

	if (away->wanted && !away->noted)
		away->noted = away->group;
}

bool outbox_away_group_end(struct outbox *outbox)
{
	if (!outbox->away.wanted)
		return false;
	outbox->away.group++;
	return outbox->away.memory && outbox->next;
}

/* ---- phases ---- */

bool outbox_away_is_mark_due(const struct outbox *outbox)
{
	const struct outbox_away *away = &outbox->away;

	return away->memory && away->last_seq + away->reserve / 2 >= away->reserved_to;
}

/** Time at which the oldest message has waited for too long. */
static uint64_t overdue_ns(const struct outbox *outbox)
{
	const struct outbox_node *node = outbox->head;

	if (!node || node->is_range)
		return UINT64_MAX;
	return ((const struct outbox_entry *)node)->put_ns + outbox->away.patience_ns;
}

static bool is_calm(const struct outbox *outbox, uint64_t now_ns)
{
	const struct outbox_node *node = outbox->head;

	if (!outbox->away.connected || outbox->first_range || now_ns < outbox->away.not_before_ns)
		return false;
	return !node || now_ns - ((const struct outbox_entry *)node)->put_ns < outbox->away.calm_ns;
}

void outbox_away_leave(struct outbox *outbox)
{
	struct outbox_away *away = &outbox->away;

	if (!away->memory && !away->marking)
		return;
	away->memory = false;
	away->marking = false;
	/* Without memory the mark stays, and names too many events after a kill. */
	(void)outbox_journal_set(&outbox->journal, KEY, NULL, 0, true);
}

bool outbox_away_is_crowded(const struct outbox *outbox)
{
	return outbox->away.memory && outbox->memory_only_bytes > outbox->max_memory_bytes / 2;
}

uint64_t outbox_away_step(struct outbox *outbox, uint64_t now_ns)
{
	struct outbox_away *away = &outbox->away;
	bool must_write = !away->connected || outbox->disk->quit || outbox->disk->flush;

	if (!away->memory)
		return UINT64_MAX;
	if (must_write || now_ns >= overdue_ns(outbox) || outbox_away_is_crowded(outbox)) {
		/* A broker that is slow with every message must not
		 * cause two transactions for each. */
		if (!must_write)
			away->not_before_ns = now_ns + SLOW_BROKER * away->patience_ns;
		outbox_away_leave(outbox);
		return UINT64_MAX;
	}
	return overdue_ns(outbox);
}

/* ---- the mark ---- */

/** The last event of this boot before the first that is only in memory. */
static uint64_t last_safe(const struct outbox *outbox)
{
	const struct outbox_node *node = outbox->away.memory ? outbox->unwritten : NULL;

	for (; node && !node->is_range; node = node->after) {
		const struct outbox_entry *entry = (const struct outbox_entry *)node;

		if (!entry->row && entry->message.seq && outbox_is_durable(outbox, entry))
			return entry->message.seq - 1;
	}
	return outbox->away.last_seq;
}

static void adapt_reserve(struct outbox_away *away, uint64_t now_ns)
{
	uint64_t since_ns = now_ns - away->marked_ns;

	if (away->marked_ns && since_ns < RESERVE_FAST && away->reserve < RESERVE_MAX)
		away->reserve *= 2;
	else if (since_ns > RESERVE_SLOW && away->reserve > RESERVE_MIN)
		away->reserve /= 2;
	away->marked_ns = now_ns;
}

void outbox_away_begin(struct outbox *outbox)
{
	struct outbox_away *away = &outbox->away;
	uint64_t now_ns = clock_monotonic_ns();
	char text[TEXT_SIZE];
	int len;

	away->noting = away->noted;
	away->noted = 0;
	if (!away->wanted || outbox->disk->state != OUTBOX_DISK_OK || outbox->disk->quit ||
	    outbox->disk->flush ||
	    (!away->memory && !(outbox->unwritten && is_calm(outbox, now_ns))))
		return;
	if (!away->memory || outbox_away_is_mark_due(outbox)) {
		adapt_reserve(away, now_ns);
		away->next_reserved_to = away->last_seq + away->reserve;
	}
	len = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64, outbox->own->id,
	               last_safe(outbox), away->next_reserved_to);
	away->marking = outbox_journal_set(&outbox->journal, KEY, text, (size_t)len, true) >= 0;
}

bool outbox_away_committed(struct outbox *outbox)
{
	struct outbox_away *away = &outbox->away;
	bool more = away->noting != 0;

	away->noting = 0;
	if (!away->marking)
		return more && away->memory;
	away->marking = false;
	away->memory = true;
	away->reserved_to = away->next_reserved_to;
	return true;
}

void outbox_away_failed(struct outbox *outbox)
{
	struct outbox_away *away = &outbox->away;

	if (away->noting)
		away->noted = away->noting;
	away->noting = 0;
	outbox_away_leave(outbox);
}

/* ---- after a kill ---- */

void outbox_away_found(struct outbox *outbox)
{
	const struct outbox_boot *boot = NULL;
	char text[TEXT_SIZE], id[OUTBOX_BOOT_ID_SIZE];
	uint64_t safe = 0, reserved = 0;
	const void *value;
	size_t len;

	value = outbox_journal_get(&outbox->journal, KEY, &len);
	if (!value)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : 0),
	         (const char *)value);
	/* NOLINTNEXTLINE(cert-err34-c): a row of our own */
	if (sscanf(text, "%32s %" SCNu64 " %" SCNu64, id, &safe, &reserved) == 3)
		boot = outbox_boot(outbox, id);
	if (boot == outbox->own)
		return;
	if (boot && reserved > safe)
		outbox_gaps_add(&outbox->gaps, boot, safe + 1, reserved - safe,
		                OUTBOX_REASON_KILLED);
	(void)outbox_journal_set(&outbox->journal, KEY, NULL, 0, true);
}
