/* SPDX-License-Identifier: Apache-2.0 */
/* Acknowledgements of the messages in flight; begin and end of a flight. */
#include <string.h>

#include "clock.h"
#include "egress_internal.h"
#include "mqtt_reason.h"

#define ACK_TIMEOUT_NS (20 * CUE_NS_PER_S)

/** An acknowledged message settles all messages sent before it: a broker keeps the order. */
static void settle(struct egress *e, const struct egress_slot *slot)
{
	if (slot->order > e->last_loose) {
		for (size_t i = 0; i < e->n_loose && suspects_any(&e->suspects); i++)
			suspects_acknowledged(&e->suspects, &e->loose[i]);
		e->n_loose = 0;
	}
	if (slot->order > e->last_acknowledged)
		e->last_acknowledged = slot->order;
	suspects_acknowledged(&e->suspects, &slot->item);
}

static void acknowledge(struct egress *e, struct egress_slot *slot, int reason)
{
	settle(e, slot);
	if (reason >= 0x80) {
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "the broker refused a message to '%s': %s (0x%02x)%s. It is given up",
		          slot->topic, mqtt_reason_packet_text(reason), (unsigned)reason,
		          mqtt_reason_remedy(reason));
		egress_count(e, &e->stats.refused);
	}
	if (slot->outbox_id && reason >= 0x80)
		egress_give_up(e, slot->outbox_id, slot->is_news, OUTBOX_REASON_REFUSED);
	else if (slot->outbox_id)
		egress_release(e, slot->outbox_id);
	if (slot->retained.topic)
		retained_done(e->queues.retained, slot->retained.topic, slot->retained.version);
	egress_clear_slot(e, slot);
	egress_count(e, &e->stats.acknowledged);
}

static void take_ack(struct egress *e, const struct egress_ack *ack)
{
	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (e->slots[i].used && e->slots[i].token == ack->token) {
			acknowledge(e, &e->slots[i], ack->reason);
			return;
		}
	}
}

bool egress_take_acks(struct egress *e)
{
	struct egress_ack acks[EGRESS_ACKS];
	bool overrun, lost;
	unsigned n;

	pthread_mutex_lock(&e->mutex);
	n = e->n_acks;
	memcpy(acks, e->acks, n * sizeof(*acks));
	e->n_acks = 0;
	overrun = e->acks_overrun;
	lost = e->lost;
	pthread_mutex_unlock(&e->mutex);
	for (unsigned i = 0; i < n; i++)
		take_ack(e, &acks[i]);
	egress_tell_released(e);
	if (overrun)
		e->gave_up = true;
	if (overrun)
		log_write(e->config.log, LOG_LEVEL_ERROR,
		          "the broker acknowledges messages that were not sent: reconnecting");
	return !overrun && !lost;
}

static const struct egress_slot *oldest_slot(const struct egress *e)
{
	const struct egress_slot *oldest = NULL;

	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (e->slots[i].used && (!oldest || e->slots[i].order < oldest->order))
			oldest = &e->slots[i];
	}
	return oldest;
}

/** If nothing was sent after @p slot whose acknowledgement could arrive, send P/status again. This
 * distinguishes a message that the broker ignores from a broker that does not answer. */
static void probe(struct egress *e, const struct egress_slot *slot)
{
	if (slot->order == e->last_order && slot->item.key)
		(void)egress_publish_status(e, e->said);
}

bool egress_acks_in_time(struct egress *e, uint64_t now_ns)
{
	uint64_t timeout_ns = e->config.ack_timeout_ns ? e->config.ack_timeout_ns : ACK_TIMEOUT_NS;
	const struct egress_slot *slot = oldest_slot(e);

	if (!slot || now_ns - slot->sent_ns < timeout_ns / 2)
		return true;
	if (now_ns - slot->sent_ns < timeout_ns) {
		probe(e, slot);
		return true;
	}
	e->gave_up = true;
	if (e->last_acknowledged > slot->order) {
		e->swallowed = slot->item;
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "the broker acknowledged later messages, but for %llu s not the one of "
		          "%zu bytes to '%s': reconnecting",
		          (unsigned long long)(timeout_ns / CUE_NS_PER_S), slot->size, slot->topic);
		return false;
	}
	log_write(e->config.log, LOG_LEVEL_WARNING,
	          "the broker has not acknowledged a message for %llu s: reconnecting",
	          (unsigned long long)(timeout_ns / CUE_NS_PER_S));
	return false;
}

void egress_begin_flight(struct egress *e)
{
	e->session_begin_ns = clock_monotonic_ns();
	e->last_sent_ns = e->unnoticed_ns = 0;
	e->last_order = e->last_acknowledged = e->last_loose = 0;
	e->n_loose = 0;
	e->alone = e->gave_up = false;
	e->waiting = 0;
	e->swallowed = (struct suspect_item){ 0 };
	e->said = "offline"; /* until `online` is sent */
}

/** List the messages that were sent and are not settled. @return their number. */
static size_t list_unsettled(const struct egress *e, struct suspect_item items[SUSPECT_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (e->slots[i].used)
			items[n++] = e->slots[i].item;
	}
	for (size_t i = 0; i < e->n_loose; i++)
		items[n++] = e->loose[i];
	return n;
}

static const char *topic_in_flight(const struct egress *e, const struct suspect_item *item)
{
	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (e->slots[i].used && e->slots[i].item.key == item->key)
			return e->slots[i].topic;
	}
	return NULL;
}

void egress_end_flight(struct egress *e, enum suspect_end end)
{
	struct suspect_item items[SUSPECT_MAX];
	const struct suspect_item *blamed;
	const char *topic;

	/* Acknowledgements that came before the end count, whoever noticed the end. */
	(void)egress_take_acks(e);
	if (clock_monotonic_ns() - e->session_begin_ns >= BACKOFF_STABLE_NS)
		suspects_stable(&e->suspects);
	if (end == SUSPECT_END_SWALLOWED)
		blamed = suspects_session_ended(&e->suspects, end, &e->swallowed, 1);
	else
		blamed = suspects_session_ended(&e->suspects, end, items, list_unsettled(e, items));
	topic = blamed ? topic_in_flight(e, blamed) : NULL;
	if (topic)
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "the session ended without an acknowledgement of the message to '%s' (%u "
		          "of %u, then it is given up)",
		          topic, e->suspects.strikes, suspects_needed(&e->suspects, blamed));
	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (e->slots[i].used)
			egress_clear_slot(e, &e->slots[i]);
	}
	retained_message_clear(&e->view);
	e->next_event = e->n_events = 0;
	e->reply = (struct outbox_message){ 0 };
	outbox_rewind(e->queues.outbox);
	pthread_mutex_lock(&e->mutex);
	e->stats.in_flight = 0;
	pthread_mutex_unlock(&e->mutex);
}
