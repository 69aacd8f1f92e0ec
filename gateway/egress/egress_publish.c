/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of a session: views and events in turns; a suspect is sent alone. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "egress_internal.h"
#include "plural.h"

/* Views sent in a row before the turn of the outbox. */
#define VIEWS_IN_A_ROW 8U
/* Replies sent in a row. */
#define REPLIES_IN_A_ROW 8U
/* A suspect message is held back until the session has lasted this long. */
#define HOLD_NS CUE_NS_PER_S

/* ---- publishing ---- */

/** Whether a message of this topic was dropped before: one warning for a view is enough. */
static bool was_told(struct egress *e, uint64_t topic)
{
	for (size_t i = 0; i < EGRESS_TOLD_MAX; i++) {
		if (e->told[i] == topic)
			return true;
	}
	e->told[e->n_told++ % EGRESS_TOLD_MAX] = topic;
	return false;
}

/**
 * Publish one message. @p slot is filled if the message will be acknowledged.
 * @return 0; -ENOTCONN; other negative errno: this message can't be sent.
 */
static int publish(struct egress *e, const struct paho_message *message,
                   const struct suspect_item *item, struct egress_slot *slot)
{
	struct paho_message m = *message;
	int token = 0, r;

	if (m.qos > e->terms.max_qos)
		m.qos = e->terms.max_qos;
	m.retain = m.retain && e->terms.retain;
	r = paho_publish(e->connection, &m, &token);

	if (r == -ENOMEM) {
		e->gave_up = true; /* there may be memory again later */
		return -ENOTCONN;
	}
	if (r == -ENOTCONN)
		return r;
	/* If the connection broke meanwhile, part of the message may have arrived and be the
	 * cause. */
	if (r == 0 || r == -EPIPE) {
		e->last_order++;
		e->last_sent_ns = clock_monotonic_ns();
	}
	if (r == 0 && m.qos > 0)
		egress_fill_slot(e, slot, message, item, token);
	else if (r == 0 || r == -EPIPE)
		egress_add_loose(e, item);
	if (r == -EPIPE)
		return -ENOTCONN;
	if (r < 0)
		log_write(e->config.log,
		          was_told(e, item->topic) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		          "message of %zu byte%s to '%.200s' is given up: %s", message->payload_len,
		          plural(message->payload_len), message->topic,
		          r == -EMSGSIZE ? "the broker accepts no message of this size"
		                         : strerrordesc_np(-r));
	egress_count(e, r < 0 ? &e->stats.refused : &e->stats.published);
	return r;
}

/* ---- messages that may end the session ---- */

/** Log that a message is dropped because the broker ends sessions after it. */
static void log_rejected(struct egress *e, const char *topic, size_t len,
                         const struct suspect_item *item)
{
	bool expected = !suspects_reject(&e->suspects, item, clock_monotonic_ns());

	egress_count(e, &e->stats.rejected);
	log_write(e->config.log, expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
	          "message of %zu byte%s to '%.200s' is given up: the broker ends the session "
	          "instead of acknowledging it",
	          len, plural(len), topic);
}

/** Whether no message sent at QoS 0 can still end the session: enough time has passed. */
static bool is_settled(struct egress *e, uint64_t now_ns)
{
	if (e->n_loose > 0 && now_ns - e->last_sent_ns < HOLD_NS)
		return false;
	for (size_t i = 0; i < e->n_loose; i++)
		suspects_acknowledged(&e->suspects, &e->loose[i]);
	e->n_loose = 0;
	return true;
}

/**
 * Decide whether to send a message now.
 * @return SUSPECT_SEND (if the message must be alone, nothing else is sent until it is settled);
 *         SUSPECT_REJECT; SUSPECT_HOLD: not yet.
 */
static enum suspect_verdict judge(struct egress *e, const struct suspect_item *item)
{
	enum suspect_verdict verdict;
	uint64_t now_ns;

	if (!suspects_any(&e->suspects))
		return SUSPECT_SEND;
	if (e->waiting && e->waiting != item->key)
		return SUSPECT_HOLD;
	now_ns = clock_monotonic_ns();
	verdict = suspects_judge(&e->suspects, item, now_ns);
	if (verdict == SUSPECT_SEND || verdict == SUSPECT_REJECT)
		return verdict;
	if (e->terms.max_qos == 0)
		return SUSPECT_SEND; /* there is no acknowledgement to wait for */
	/* Send nothing else before this message. */
	e->waiting = item->key;
	if (e->in_flight > 0 || !is_settled(e, now_ns) ||
	    (verdict == SUSPECT_HOLD && now_ns - e->session_begin_ns < HOLD_NS))
		return SUSPECT_HOLD;
	e->waiting = 0;
	e->alone = true;
	return SUSPECT_SEND;
}

/** A message that is sent alone needs an acknowledgement. */
static int qos_of(const struct egress *e, int qos)
{
	return e->alone ? 1 : qos;
}

/* ---- views and events ---- */

/** Whether the window has room and contains no message that must be alone. */
static bool may_send(struct egress *e)
{
	return !e->alone && e->in_flight < e->window;
}

static void done_view(struct egress *e)
{
	retained_done(e->queues.retained, e->view.topic, e->view.version);
	retained_message_clear(&e->view);
}

static int send_view(struct egress *e, const struct suspect_item *item, struct egress_slot *slot)
{
	const struct retained_message *view = &e->view;
	int r = publish(e,
	                &(struct paho_message){ .topic = view->topic,
	                                        .payload = view->payload,
	                                        .payload_len = view->payload_len,
	                                        .qos = qos_of(e, view->qos),
	                                        .retain = true },
	                item, slot);

	if (r == -ENOTCONN)
		return r;
	if (slot->used) {
		slot->retained = e->view;
		e->view = (struct retained_message){ 0 };
	} else {
		done_view(e);
	}
	return 1;
}

/** @return 1 one less; 0 nothing to send or no room; -ENOTCONN. */
static int publish_view(struct egress *e)
{
	struct egress_slot *slot = egress_free_slot(e);
	struct suspect_item item;

	if (!slot || e->alone ||
	    (!e->view.topic && retained_take(e->queues.retained, &e->view) < 0))
		return 0;
	item.key = item.topic = suspect_topic(e->view.topic);
	item.size = strlen(e->view.topic) + e->view.payload_len;
	switch (judge(e, &item)) {
	case SUSPECT_SEND:
		return send_view(e, &item, slot);
	case SUSPECT_REJECT:
		log_rejected(e, e->view.topic, e->view.payload_len, &item);
		done_view(e);
		return 1;
	case SUSPECT_ALONE:
	case SUSPECT_HOLD:
		break;
	}
	return 0; /* `view` is kept for the next time */
}

static int send_message(struct egress *e, struct outbox_message *m, const struct suspect_item *item,
                        struct egress_slot *slot)
{
	bool is_news = strcmp(m->topic, e->news_topic) == 0;
	int r = publish(e,
	                &(struct paho_message){ .topic = m->topic,
	                                        .payload = m->payload,
	                                        .payload_len = m->payload_len,
	                                        .qos = qos_of(e, m->qos),
	                                        .retain = m->retain,
	                                        .correlation = m->correlation,
	                                        .correlation_len = m->correlation_len },
	                item, slot);

	if (r == -ENOTCONN)
		return r; /* it stays taken; the rewind makes it available again */
	if (slot->used) {
		slot->outbox_id = m->id;
		slot->is_news = is_news;
	} else if (r == 0) {
		egress_release(e, m->id);
	} else {
		egress_give_up(e, m->id, is_news,
		               r == -EMSGSIZE ? OUTBOX_REASON_TOO_LARGE : OUTBOX_REASON_REFUSED);
	}
	m->id = 0;
	return 1;
}

/** Publish a message taken from the outbox, as publish_view(). Its id becomes 0 when it is
 * finished. */
static int publish_message(struct egress *e, struct outbox_message *m)
{
	struct egress_slot *slot = egress_free_slot(e);
	struct suspect_item item;

	if (!slot)
		return 0;
	item.topic = suspect_topic(m->topic);
	item.key = m->qos > 0 ? m->id : item.topic;
	item.size = strlen(m->topic) + m->payload_len;
	switch (judge(e, &item)) {
	case SUSPECT_SEND:
		return send_message(e, m, &item, slot);
	case SUSPECT_REJECT:
		log_rejected(e, m->topic, m->payload_len, &item);
		egress_give_up(e, m->id, strcmp(m->topic, e->news_topic) == 0,
		               OUTBOX_REASON_REJECTED);
		m->id = 0;
		return 1;
	case SUSPECT_ALONE:
	case SUSPECT_HOLD:
		break;
	}
	return 0; /* it stays taken for the next time */
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

static int publish_replies(struct egress *e)
{
	int r = 1;

	for (unsigned i = 0; r > 0 && i < REPLIES_IN_A_ROW; i++) {
		if (!may_send(e) ||
		    (e->reply.id == 0 && outbox_take_reply(e->queues.outbox, &e->reply) < 0))
			r = 0;
		else
			r = publish_message(e, &e->reply);
	}
	egress_tell_released(e);
	return r;
}

/** The next event to send. Takes no more events than the window has room for: taken events can't be
 * dropped for newer ones. @return NULL if there is none, or no room. */
static struct outbox_message *next_event(struct egress *e)
{
	size_t max = suspects_any(&e->suspects) ? 1 : e->window - e->in_flight;

	if (!may_send(e))
		return NULL;
	if (e->next_event == e->n_events) {
		e->n_events = outbox_take_some(e->queues.outbox, e->events,
		                               max < EGRESS_BATCH ? max : EGRESS_BATCH);
		e->next_event = 0;
	}
	return e->next_event < e->n_events ? &e->events[e->next_event] : NULL;
}

/**
 * Publish events. Those of QoS 0 after the first one share packets. Each event of QoS 1 is sent at
 * once: a delay would also delay its acknowledgement and block its place in the window.
 */
static int publish_events(struct egress *e)
{
	bool gathers = false;
	int r = 1;

	for (unsigned i = 0; r > 0 && i < e->window; i++) {
		struct outbox_message *event = next_event(e);

		if (event && gathers != (i > 0 && event->qos == 0)) {
			gathers = !gathers;
			paho_gather(e->connection, gathers);
		}
		r = event ? publish_message(e, event) : 0;
		e->next_event += r > 0;
	}
	if (gathers)
		paho_gather(e->connection, false);
	egress_tell_released(e);
	return r;
}

/** Replies do not wait for events. If both wait, they get the first free place in turns. */
int egress_publish_some(struct egress *e)
{
	uint64_t views = VIEWS_IN_A_ROW;
	bool replies_last = e->replies_last;
	int r = replies_last ? 0 : publish_replies(e);
	int more;

	e->replies_last = r > 0;
	more = r;
	if (r >= 0)
		r = egress_publish_views(e, &views);
	if (r >= 0)
		r = publish_events(e);
	/* Once more: a reply may have waited for these events. */
	if (r >= 0) {
		more = more > 0 || r > 0;
		r = publish_replies(e);
	}
	return r < 0 ? r : r > 0 || more > 0;
}

int egress_publish_status(struct egress *e, const char *word)
{
	static const struct suspect_item nobody;
	struct egress_slot *slot = egress_free_slot(e);
	char topic[TOPIC_SIZE];

	if (!slot)
		return -EAGAIN;
	e->said = word;
	(void)topics_below(e->config.topics, "status", NULL, topic);
	return publish(e,
	               &(struct paho_message){ .topic = topic,
	                                       .payload = word,
	                                       .payload_len = strlen(word),
	                                       .qos = 1,
	                                       .retain = true },
	               &nobody, slot);
}
