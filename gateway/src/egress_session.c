/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session, from the connect to its end.
 *
 *   phase  | publishes                                        | goes on when
 *   VIEWS  | all retained views, in order                     | none is left to send
 *   (then the subscriptions and `online`)
 *   ONLINE | changed views and the outbox, within the window  | stop or reconfigure
 *   LEAVE  | `offline`                                        | acknowledged, or the time is up
 *
 * In each phase a broken connection, an acknowledgement that does not come, or
 * acknowledgements for what was not sent end the session (EGRESS_LOST).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "egress_internal.h"
#include "mqtt_reason.h"
#include "plural.h"

#define ACK_TIMEOUT_NS (20 * CUE_NS_PER_S)
/* How long at most without a look at the connection, whatever the callbacks say. */
#define LOOK_NS CUE_NS_PER_S
#define OFFLINE_NS (1 * CUE_NS_PER_S)
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
		(void)outbox_give_up(e->queues.outbox, slot->outbox_id, OUTBOX_REASON_REFUSED);
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

/** @return false when the session is over. */
static bool take_acks(struct egress *e)
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

/** @return false when one is overdue. */
static bool acks_in_time(struct egress *e, uint64_t now_ns)
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
	if (r == 0 && m.qos > 0)
		slot->outbox_id = m.id;
	else if (r == 0)
		(void)outbox_release(e->queues.outbox, m.id);
	else
		(void)outbox_give_up(e->queues.outbox, m.id,
		                     r == -EMSGSIZE ? OUTBOX_REASON_TOO_LARGE : OUTBOX_REASON_REFUSED);
	return 1;
}

/**
 * Views and outbox in turns, until there is nothing more to send or no room.
 * @return 1 more could be sent at once; 0; -ENOTCONN.
 */
static int publish_some(struct egress *e, bool with_outbox)
{
	int r = 1;

	for (unsigned i = 0; r > 0 && i < VIEWS_IN_A_ROW; i++)
		r = publish_view(e);
	if (r < 0 || !with_outbox)
		return r;
	r = 1;
	for (unsigned i = 0; r > 0 && i < e->window; i++)
		r = publish_outbox(e);
	return r;
}

static int publish_status(struct egress *e, const char *word)
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

/* ---- phases ---- */

/** One turn: acknowledgements in, then messages out. @return as publish_some(). */
static int turn(struct egress *e, bool with_outbox)
{
	paho_handle_input(e->connection);
	if (!take_acks(e) || !acks_in_time(e, egress_now()))
		return -ENOTCONN;
	return publish_some(e, with_outbox);
}

/** Sleep until something happens, or it is time to look. @return false when the connection is gone. */
static bool rest(struct egress *e, uint64_t until_ns)
{
	uint64_t look_ns = egress_now() + LOOK_NS;

	egress_wait(e, until_ns < look_ns ? until_ns : look_ns);
	return paho_is_connected(e->connection);
}

/** Whether nothing waits and nothing is in flight. */
static bool is_drained(struct egress *e)
{
	struct outbox_stats outbox;
	struct retained_stats retained;

	outbox_get_stats(e->queues.outbox, &outbox);
	retained_get_stats(e->queues.retained, &retained);
	return outbox.events == 0 && retained.pending == 0 && e->in_flight == 0;
}

/** Wait for room, or (@p want 0) for all acknowledgements. @return 0; -ENOTCONN; -ETIMEDOUT. */
static int wait_in_flight(struct egress *e, unsigned want, uint64_t until_ns)
{
	while (e->in_flight > want) {
		if (egress_now() >= until_ns)
			return -ETIMEDOUT;
		if (!rest(e, until_ns) || !take_acks(e) || !acks_in_time(e, egress_now()))
			return -ENOTCONN;
	}
	return 0;
}

static int phase_views(struct egress *e)
{
	struct retained_stats stats;
	int r;

	retained_mark_all(e->queues.retained);
	do {
		r = turn(e, false);
		retained_get_stats(e->queues.retained, &stats);
		if (r == 0 && stats.pending > 0 && !rest(e, UINT64_MAX))
			r = -ENOTCONN;
	} while (r >= 0 && stats.pending > 0);
	return r < 0 ? r : 0;
}

static int go_online(struct egress *e)
{
	char emit[TOPIC_SIZE], cmd[TOPIC_SIZE], error[PAHO_ERROR_SIZE];
	const char *filters[] = { emit, cmd };
	int r;

	(void)topics_below(e->config.topics, "emit", "#", emit);
	(void)topics_below(e->config.topics, "cmd", "#", cmd);
	r = paho_subscribe(e->connection, filters, 2, error);
	if (r < 0) {
		log_write(e->config.log, LOG_LEVEL_WARNING, "%s", error);
		/* Without the right to subscribe events can still be told. */
		if (r != -EACCES)
			return -ENOTCONN;
	}
	r = wait_in_flight(e, e->window - 1, UINT64_MAX);
	return r < 0 ? r : publish_status(e, "online");
}

static enum egress_end phase_online(struct egress *e)
{
	for (;;) {
		uint64_t stop_by_ns = UINT64_MAX;
		bool stopping = egress_is_stopping(e, &stop_by_ns), reconfigure;
		int r = turn(e, true);

		if (r < 0)
			return EGRESS_LOST;
		if (stopping && (is_drained(e) || egress_now() >= stop_by_ns))
			return EGRESS_STOP;
		pthread_mutex_lock(&e->mutex);
		reconfigure = e->new_settings != NULL;
		pthread_mutex_unlock(&e->mutex);
		if (reconfigure && !stopping)
			return EGRESS_RECONFIGURE;
		if (r == 0 && !rest(e, stop_by_ns))
			return EGRESS_LOST;
	}
}

static void phase_leave(struct egress *e)
{
	uint64_t until_ns = egress_now() + OFFLINE_NS;

	if (wait_in_flight(e, e->window - 1, until_ns) == 0 && publish_status(e, "offline") == 0)
		(void)wait_in_flight(e, 0, until_ns);
}

enum egress_end egress_session(struct egress *e)
{
	enum egress_end end = EGRESS_LOST;

	if (phase_views(e) == 0 && go_online(e) == 0) {
		pthread_mutex_lock(&e->mutex);
		e->stats.connected = true;
		pthread_mutex_unlock(&e->mutex);
		egress_tell_changed(e);
		end = phase_online(e);
		if (end != EGRESS_LOST)
			phase_leave(e);
	}
	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (e->slots[i].used)
			slot_clear(e, &e->slots[i]);
	}
	outbox_rewind(e->queues.outbox);
	pthread_mutex_lock(&e->mutex);
	e->stats.connected = false;
	e->stats.in_flight = 0;
	pthread_mutex_unlock(&e->mutex);
	egress_tell_changed(e);
	return end;
}
