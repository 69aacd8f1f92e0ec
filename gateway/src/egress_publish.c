/* SPDX-License-Identifier: Apache-2.0 */
/* What one session sends and what comes back for it: the window, acknowledgements, messages. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "egress_internal.h"
#include "mqtt_reason.h"
#include "plural.h"

#define ACK_TIMEOUT_NS (20 * CUE_NS_PER_S)
/* Views sent in a row before the outbox gets its turn again. */
#define VIEWS_IN_A_ROW 8U

static void count(struct egress *e, uint64_t *counter)
{
	pthread_mutex_lock(&e->mutex);
	++*counter;
	e->stats.in_flight = e->in_flight;
	pthread_mutex_unlock(&e->mutex);
}

static void slot_clear(struct egress *e, struct egress_slot *slot)
{
	retained_message_clear(&slot->retained);
	*slot = (struct egress_slot){ 0 };
	e->in_flight--;
}

static struct egress_slot *free_slot(struct egress *e)
{
	if (e->in_flight >= e->window)
		return NULL;
	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (!e->slots[i].used)
			return &e->slots[i];
	}
	return NULL;
}

/**
 * Drop a message of the outbox that the broker will never take. An event is named by a gap; the
 * news of a gap is not: its own gap would be refused in its turn, without end.
 */
static void give_up(struct egress *e, uint64_t id, bool is_news, enum outbox_reason reason)
{
	if (!is_news) {
		(void)outbox_give_up(e->queues.outbox, id, reason);
		/* The loop announces the gap. */
		inbox_wake(e->queues.inbox);
		return;
	}
	(void)outbox_release(e->queues.outbox, id);
	count(e, &e->stats.news_refused);
}

/* ---- acknowledgements ---- */

static void acknowledge(struct egress *e, struct egress_slot *slot, int reason)
{
	if (reason >= 0x80) {
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "the broker refused a message to '%s': %s (0x%02x)%s. It is given up",
		          slot->topic, mqtt_reason_text(reason, true), (unsigned)reason,
		          mqtt_reason_remedy(reason));
		count(e, &e->stats.refused);
	}
	if (slot->outbox_id && reason >= 0x80)
		give_up(e, slot->outbox_id, slot->is_news, OUTBOX_REASON_REFUSED);
	else if (slot->outbox_id)
		(void)outbox_release(e->queues.outbox, slot->outbox_id);
	if (slot->retained.topic)
		retained_done(e->queues.retained, slot->retained.topic, slot->retained.version);
	slot_clear(e, slot);
	count(e, &e->stats.acknowledged);
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
	if (overrun)
		log_write(e->config.log, LOG_LEVEL_ERROR,
		          "the broker acknowledges messages that were not sent: reconnecting");
	return !overrun && !lost;
}

bool egress_acks_in_time(struct egress *e, uint64_t now_ns)
{
	uint64_t timeout_ns = e->config.ack_timeout_ns ? e->config.ack_timeout_ns : ACK_TIMEOUT_NS;

	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (!e->slots[i].used || now_ns - e->slots[i].sent_ns < timeout_ns)
			continue;
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "the broker has not acknowledged a message for %llu s: reconnecting",
		          (unsigned long long)(timeout_ns / CUE_NS_PER_S));
		return false;
	}
	return true;
}

/* ---- publishing ---- */

/**
 * Publish one message, in @p slot when it is QoS 1.
 * @return 0; -ENOTCONN; any other: this message can't be sent.
 */
static int publish(struct egress *e, const struct paho_message *message, struct egress_slot *slot)
{
	int token = 0;
	int r = paho_publish(e->connection, message, &token);

	if (r == -ENOTCONN || r == -ENOMEM)
		return -ENOTCONN; /* out of memory: perhaps not any more after a while */
	if (r < 0) {
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "message of %zu byte%s to '%.200s' is given up: %s", message->payload_len,
		          plural(message->payload_len), message->topic,
		          r == -EMSGSIZE ? "the broker does not take so large ones"
		                         : strerrordesc_np(-r));
		count(e, &e->stats.refused);
		return r;
	}
	if (message->qos > 0) {
		slot->used = true;
		slot->token = token;
		snprintf(slot->topic, sizeof(slot->topic), "%s", message->topic);
		slot->sent_ns = egress_now();
		e->in_flight++;
	}
	count(e, &e->stats.published);
	return 0;
}

/** @return 1 sent one; 0 nothing to send or no room; -ENOTCONN. */
static int publish_view(struct egress *e)
{
	struct egress_slot *slot = free_slot(e);
	struct retained_message view;
	int r;

	if (!slot || retained_take(e->queues.retained, &view) < 0)
		return 0;
	r = publish(e,
	            &(struct paho_message){ .topic = view.topic,
	                                    .payload = view.payload,
	                                    .payload_len = view.payload_len,
	                                    .qos = view.qos,
	                                    .retain = true },
	            slot);
	if (r == 0 && view.qos > 0) {
		slot->retained = view;
		return 1;
	}
	if (r == 0)
		retained_done(e->queues.retained, view.topic, view.version);
	retained_message_clear(&view);
	return r == -ENOTCONN ? r : 1;
}

static int publish_outbox(struct egress *e)
{
	struct egress_slot *slot = free_slot(e);
	struct outbox_message m;
	bool is_news;
	int r;

	if (!slot || outbox_take(e->queues.outbox, &m) < 0)
		return 0;
	r = publish(e,
	            &(struct paho_message){ .topic = m.topic,
	                                    .payload = m.payload,
	                                    .payload_len = m.payload_len,
	                                    .qos = m.qos,
	                                    .retain = m.retain,
	                                    .correlation = m.correlation,
	                                    .correlation_len = m.correlation_len },
	            slot);
	if (r == -ENOTCONN)
		return r; /* stays taken; the rewind brings it back */
	is_news = strcmp(m.topic, e->news_topic) == 0;
	if (r == 0 && m.qos > 0) {
		slot->outbox_id = m.id;
		slot->is_news = is_news;
	} else if (r == 0) {
		(void)outbox_release(e->queues.outbox, m.id);
	} else {
		give_up(e, m.id, is_news,
		        r == -EMSGSIZE ? OUTBOX_REASON_TOO_LARGE : OUTBOX_REASON_REFUSED);
	}
	return 1;
}

int egress_publish_views(struct egress *e, uint64_t *todo)
{
	int r = 1;

	for (unsigned i = 0; r > 0 && *todo > 0 && i < VIEWS_IN_A_ROW; i++) {
		r = publish_view(e);
		*todo -= r > 0;
	}
	return r;
}

int egress_publish_some(struct egress *e)
{
	uint64_t views = VIEWS_IN_A_ROW;
	int r = egress_publish_views(e, &views);

	if (r < 0)
		return r;
	r = 1;
	for (unsigned i = 0; r > 0 && i < e->window; i++)
		r = publish_outbox(e);
	return r;
}

int egress_publish_status(struct egress *e, const char *word)
{
	struct egress_slot *slot = free_slot(e);
	char topic[TOPIC_SIZE];

	(void)topics_below(e->config.topics, "status", NULL, topic);
	return slot ? publish(e,
	                      &(struct paho_message){ .topic = topic,
	                                              .payload = word,
	                                              .payload_len = strlen(word),
	                                              .qos = 1,
	                                              .retain = true },
	                      slot)
	            : -EAGAIN;
}

void egress_forget_flight(struct egress *e)
{
	/* What came before the end counts, whoever found the connection broken. */
	(void)egress_take_acks(e);
	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (e->slots[i].used)
			slot_clear(e, &e->slots[i]);
	}
	outbox_rewind(e->queues.outbox);
	pthread_mutex_lock(&e->mutex);
	e->stats.in_flight = 0;
	pthread_mutex_unlock(&e->mutex);
}
