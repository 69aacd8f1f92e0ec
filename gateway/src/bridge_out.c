/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the bus into the outbox, and the news of those that were given up. */
#include <errno.h>
#include <stdlib.h>

#include "bridge_internal.h"
#include "envelope.h"

/** By the type's address: a type is interned and lives as long as the bus. */
static int qos_of(struct bridge *bridge, const struct cue_type *type)
{
	uintptr_t hash = (uintptr_t)type >> 4;
	struct bridge_qos *slot = &bridge->qos[(hash ^ (hash >> 8)) % BRIDGE_QOS_CACHE];

	if (slot->type != type) {
		const struct config *config = engine_get_config(bridge->config.engine);

		slot->type = type;
		slot->qos = config_qos(&config->mqtt, cue_type_name(type));
	}
	return slot->qos;
}

int bridge_publish(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct bridge *bridge = user;
	struct envelope_context context = {
		.boot_id = bridge->config.boot_id,
		.wall_offset_ns = cue_bus_wall_offset(bus),
	};
	struct outbox_message message = { .seq = event->seq };
	struct cue_writer w = { 0 };
	char topic[TOPIC_SIZE];
	char *text;
	int qos, r;

	/* Numbered and bridged are the same thing: seq has no gaps on the wire. */
	if (event->seq == 0)
		return 0;
	qos = qos_of(bridge, event->type);
	envelope_write(&w, &context, event);
	r = cue_writer_finish(&w, &text, &message.payload_len);
	if (r < 0)
		return r;
	topics_event(bridge->config.topics, cue_type_name(event->type), topic);
	message.topic = topic;
	message.payload = text;
	message.qos = qos == 0 ? 0 : 1;
	/* What it refuses it counts into the gap, which is told later. */
	(void)outbox_put(bridge->config.outbox, &message);
	free(text);
	return 0;
}

/* ---- gaps ---- */

static void merge_gap(struct outbox_gap *gap, const struct outbox_gap *other)
{
	if (other->count == 0)
		return;
	if (gap->count == 0 || other->from_seq < gap->from_seq)
		gap->from_seq = other->from_seq;
	if (other->to_seq > gap->to_seq)
		gap->to_seq = other->to_seq;
	gap->count += other->count;
	gap->out_of_memory |= other->out_of_memory;
}

/** Not while the outbox is nearly full: telling would only push out another event. */
static bool has_room(const struct bridge *bridge)
{
	struct outbox_stats stats;

	outbox_get_stats(bridge->config.outbox, &stats);
	return stats.events <= bridge->config.outbox_events / 10 * 9 &&
	       stats.bytes <= bridge->config.outbox_bytes / 10 * 9;
}

void bridge_tick(struct bridge *bridge)
{
	struct outbox_gap gap;
	struct cue_writer w = { 0 };
	uint64_t seq = 0;

	bridge_release_held(bridge);
	if (outbox_take_gap(bridge->config.outbox, &gap)) {
		/* The news of an earlier gap may itself have been given up. */
		if (bridge->told_seq && bridge->told_seq >= gap.from_seq &&
		    bridge->told_seq <= gap.to_seq) {
			merge_gap(&bridge->gap, &bridge->told);
			bridge->told_seq = 0;
		}
		merge_gap(&bridge->gap, &gap);
	}
	if (bridge->gap.count == 0 || !has_room(bridge))
		return;
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "from_seq");
	cue_writer_u64(&w, bridge->gap.from_seq);
	cue_writer_key(&w, "to_seq");
	cue_writer_u64(&w, bridge->gap.to_seq);
	cue_writer_key(&w, "count");
	cue_writer_u64(&w, bridge->gap.count);
	cue_writer_key(&w, "reason");
	cue_writer_string(&w, bridge->gap.out_of_memory ? "out_of_memory" : "outbox_full");
	cue_writer_object_end(&w);
	if (bridge_emit(bridge, "gateway.gap", &w, &seq) < 0)
		return; /* the next tick tries again */
	bridge->told = bridge->gap;
	bridge->told_seq = seq;
	bridge->gap = (struct outbox_gap){ 0 };
	log_write(bridge->config.log, LOG_LEVEL_ERROR,
	          "%llu events (seq %llu to %llu) were given up: %s",
	          (unsigned long long)bridge->told.count,
	          (unsigned long long)bridge->told.from_seq, (unsigned long long)bridge->told.to_seq,
	          bridge->told.out_of_memory ? "out of memory" : "the outbox was full");
}
