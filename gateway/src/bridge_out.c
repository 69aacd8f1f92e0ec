/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the bus into the outbox, and the news of those that were given up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_internal.h"
#include "envelope.h"

#define GAP_TYPE "gateway.gap"
/* Where the broker refuses every event, not each of them is told on its own. */
#define GAP_INTERVAL_NS CUE_NS_PER_S

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
	if (strcmp(cue_type_name(event->type), GAP_TYPE) == 0)
		message.gap = bridge->gap;
	/* What it refuses it counts into the gap, which is told later. */
	(void)outbox_put(bridge->config.outbox, &message);
	free(text);
	return 0;
}

/* ---- gaps ---- */

/** Not while the outbox is nearly full: telling would only push out another event. */
static bool has_room(const struct bridge *bridge)
{
	struct outbox_stats stats;

	outbox_get_stats(bridge->config.outbox, &stats);
	return stats.events <= bridge->config.outbox_events / 10 * 9 &&
	       stats.bytes <= bridge->config.outbox_bytes / 10 * 9;
}

void bridge_gap_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	/* Only to wake the loop: bridge_tick() comes after the timers. */
	(void)user, (void)bus, (void)deadline_ns;
}

static const char *gap_reason(const struct outbox_gap *gap)
{
	if (gap->out_of_memory)
		return "out_of_memory";
	return gap->broker_refused ? "broker_refused" : "outbox_full";
}

/** What was given up since the last time, into what is to be told. */
static void collect_gap(struct bridge *bridge)
{
	struct outbox_gap gap;

	if (!outbox_take_gap(bridge->config.outbox, &gap))
		return;
	/* News that the broker refused it would refuse again, for ever: they are
	 * told with the next event that is given up. */
	bridge->gap_waits = gap.only_news && gap.broker_refused &&
	                    (bridge->gap.count == 0 || bridge->gap_waits);
	outbox_merge_gap(&bridge->gap, &gap);
}

/** Whether the gap can be told now. */
static bool may_tell(const struct bridge *bridge)
{
	const struct outbox_gap *gap = &bridge->gap;

	if (gap->count == 0 || bridge->gap_waits || !has_room(bridge))
		return false;
	return !gap->broker_refused || !cue_timer_is_armed(bridge->gap_timer);
}

void bridge_tick(struct bridge *bridge)
{
	struct cue_bus *bus = engine_bus(bridge->config.engine);
	struct outbox_gap *gap = &bridge->gap;
	struct cue_writer w = { 0 };
	uint64_t seq;

	bridge_release_held(bridge);
	collect_gap(bridge);
	if (!may_tell(bridge))
		return;
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "from_seq");
	cue_writer_u64(&w, gap->from_seq);
	cue_writer_key(&w, "to_seq");
	cue_writer_u64(&w, gap->to_seq);
	cue_writer_key(&w, "count");
	cue_writer_u64(&w, gap->count);
	cue_writer_key(&w, "reason");
	cue_writer_string(&w, gap_reason(gap));
	cue_writer_object_end(&w);
	/* bridge_publish() gives the gap along with the event. */
	if (bridge_emit(bridge, GAP_TYPE, &w, &seq) < 0)
		return; /* the next tick tries again */
	log_write(bridge->config.log, LOG_LEVEL_ERROR, "%llu events (seq %llu to %llu) were given up: %s",
	          (unsigned long long)gap->count, (unsigned long long)gap->from_seq,
	          (unsigned long long)gap->to_seq,
	          gap->out_of_memory  ? "out of memory" :
	          gap->broker_refused ? "the broker does not take them" :
	                                "the outbox was full");
	*gap = (struct outbox_gap){ 0 };
	cue_timer_arm(bridge->gap_timer, cue_bus_now(bus) + GAP_INTERVAL_NS);
}
