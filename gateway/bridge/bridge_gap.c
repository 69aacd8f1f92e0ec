/* SPDX-License-Identifier: Apache-2.0 */
/* Announcements of dropped events: one `gateway.gap` for each range. */
#include "bridge_internal.h"
#include "plural.h"

/* Announcements in one wake-up; the others follow in the next ones. */
#define GAPS_PER_TICK 64U

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
	cue_writer_string(&w, outbox_reason_name(gap->reason));
	cue_writer_object_end(&w);
	return bridge_emit(bridge, "gateway.gap", &w, ret_seq);
}

void bridge_tick(struct bridge *bridge)
{
	struct outbox_gap gap;
	uint64_t seq;

	bridge_release_delayed(bridge);
	bridge_release_held(bridge);
	/* Not while the outbox is nearly full: the announcement would only push out another event.
	 * The announcements enter the outbox later, when the bus dispatches them. */
	for (unsigned n = 0; n < GAPS_PER_TICK && outbox_has_room(bridge->config.outbox, n) &&
	                     outbox_take_gap(bridge->config.outbox, &gap);
	     n++) {
		seq = 0; /* stays 0 if `qos` does not bridge the type */
		if (emit(bridge, &gap, &seq) < 0) {
			outbox_gap_again(bridge->config.outbox); /* try again with the next tick */
			return;
		}
		outbox_gap_told(bridge->config.outbox, seq);
		log_write(bridge->config.log, LOG_LEVEL_ERROR,
		          gap.reason == OUTBOX_REASON_KILLED
		                  ? "up to %llu event%s (%s%s%sseq %llu to %llu) %s lost: %s"
		                  : "%llu event%s (%s%s%sseq %llu to %llu) %s given up: %s",
		          (unsigned long long)gap.count, plural(gap.count),
		          gap.boot_id[0] ? "of the earlier boot " : "", gap.boot_id,
		          gap.boot_id[0] ? ", " : "", (unsigned long long)gap.from_seq,
		          (unsigned long long)gap.to_seq, gap.count == 1 ? "was" : "were",
		          outbox_reason_name(gap.reason));
	}
}
