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

int bridge_emit(struct bridge *bridge, const char *type, struct cue_writer *w, uint64_t *ret_seq)
{
	struct cue_emit emit = { .type = type, .time_ns = CUE_TIME_NONE };
	int r = cue_writer_finish_payload(w, &emit.payload);

	if (r < 0)
		return r;
	/* The bus counts and reports a refusal. */
	r = cue_bus_emit(engine_bus(bridge->config.engine), &emit, ret_seq);
	cue_payload_unref(emit.payload);
	return r;
}

void bridge_send_reply(struct bridge *bridge, const struct bridge_reply *reply)
{
	struct outbox_message out = {
		.topic = reply->topic,
		.payload = reply->text,
		.payload_len = reply->len,
		.qos = 1,
		.correlation = reply->correlation,
		.correlation_len = reply->correlation_len,
	};

	if (outbox_put(bridge->config.outbox, &out) >= 0)
		return;
	log_write(bridge->config.log, LOG_LEVEL_WARNING,
	          "a reply of %zu bytes to '%.200s' did not fit into the outbox", reply->len,
	          reply->topic);
}
