/* SPDX-License-Identifier: Apache-2.0 */
/* Events from the bus to the outbox. */
#include <errno.h>
#include <stdlib.h>

#include "bridge_internal.h"
#include "envelope.h"

/** Cached by the type's address: a type is interned and lives as long as the bus. */
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

	/* Exactly the numbered events are bridged, so that seq has no gaps on the wire. */
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
	/* The outbox adds a refused event to the gap, which is announced later (bridge_gap.c). */
	(void)outbox_put(bridge->config.outbox, &message);
	free(text);
	return 0;
}
