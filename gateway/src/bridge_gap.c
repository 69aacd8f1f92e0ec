/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The news of events that were given up: one `gateway.gap` for each range.
 *
 * The news is an event itself and may be given up in its turn. So the last few
 * are remembered, and told again when a gap covers them.
 */
#include "bridge_internal.h"
#include "plural.h"

/* Told in one wake; the others with the next ones. */
#define GAPS_PER_TICK 64U

static const char *reason_name(enum outbox_reason reason)
{
	static const char *const names[] = {
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

/** Not while the outbox is nearly full: telling would only push out another event. */
static bool has_room(const struct bridge *bridge)
{
	struct outbox_stats stats;

	outbox_get_stats(bridge->config.outbox, &stats);
	return stats.events <= bridge->config.outbox_events / 10 * 9 &&
	       stats.bytes <= bridge->config.outbox_bytes / 10 * 9;
}

/** The news that is among what was given up is to be told again. */
static void find_lost_news(struct bridge *bridge, const struct outbox_gap *gap)
{
	for (size_t i = 0; i < BRIDGE_NEWS && !gap->boot_id[0]; i++) {
		struct bridge_news *news = &bridge->news[i];

		if (news->seq && news->seq >= gap->from_seq && news->seq <= gap->to_seq) {
			news->seq = 0;
			news->again = true;
		}
	}
}

static bool next_gap(struct bridge *bridge, struct outbox_gap *ret_gap)
{
	for (size_t i = 0; i < BRIDGE_NEWS; i++) {
		if (!bridge->news[i].again)
			continue;
		bridge->news[i].again = false;
		*ret_gap = bridge->news[i].gap;
		return true;
	}
	if (!outbox_take_gap(bridge->config.outbox, ret_gap))
		return false;
	find_lost_news(bridge, ret_gap);
	return true;
}

/** In the place of the oldest that is not waiting to be told again. */
static void remember(struct bridge *bridge, const struct outbox_gap *gap, uint64_t seq)
{
	struct bridge_news *place = NULL;

	for (size_t i = 0; i < BRIDGE_NEWS; i++) {
		struct bridge_news *news = &bridge->news[i];

		if (!news->again && (!place || news->seq < place->seq))
			place = news;
	}
	if (place)
		*place = (struct bridge_news){ .gap = *gap, .seq = seq, .again = seq == 0 };
}

static int emit(struct bridge *bridge, const struct outbox_gap *gap, uint64_t *ret_seq)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	if (gap->boot_id[0]) {
		cue_writer_key(&w, "boot_id");
		cue_writer_string(&w, gap->boot_id);
	}
	cue_writer_key(&w, "from_seq");
	cue_writer_u64(&w, gap->from_seq);
	cue_writer_key(&w, "to_seq");
	cue_writer_u64(&w, gap->to_seq);
	cue_writer_key(&w, "count");
	cue_writer_u64(&w, gap->count);
	cue_writer_key(&w, "reason");
	cue_writer_string(&w, reason_name(gap->reason));
	cue_writer_object_end(&w);
	return bridge_emit(bridge, "gateway.gap", &w, ret_seq);
}

void bridge_tick(struct bridge *bridge)
{
	struct outbox_gap gap;
	uint64_t seq = 0;

	bridge_release_delayed(bridge);
	bridge_release_held(bridge);
	for (unsigned n = 0; n < GAPS_PER_TICK && has_room(bridge) && next_gap(bridge, &gap); n++) {
		if (emit(bridge, &gap, &seq) < 0) {
			remember(bridge, &gap, 0); /* the next tick tries again */
			return;
		}
		remember(bridge, &gap, seq);
		log_write(bridge->config.log, LOG_LEVEL_ERROR,
		          gap.reason == OUTBOX_REASON_KILLED
		                  ? "up to %llu event%s (%s%s%sseq %llu to %llu) %s lost: %s"
		                  : "%llu event%s (%s%s%sseq %llu to %llu) %s given up: %s",
		          (unsigned long long)gap.count, plural(gap.count),
		          gap.boot_id[0] ? "of the earlier boot " : "", gap.boot_id,
		          gap.boot_id[0] ? ", " : "", (unsigned long long)gap.from_seq,
		          (unsigned long long)gap.to_seq, gap.count == 1 ? "was" : "were",
		          reason_name(gap.reason));
	}
}
