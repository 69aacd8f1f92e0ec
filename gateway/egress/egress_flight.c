/* SPDX-License-Identifier: Apache-2.0 */
/* The messages in flight in a session: the window. */
#include <stdio.h>
#include <string.h>

#include "egress_internal.h"

void egress_count(struct egress *e, uint64_t *counter)
{
	pthread_mutex_lock(&e->mutex);
	++*counter;
	e->stats.in_flight = e->in_flight;
	pthread_mutex_unlock(&e->mutex);
}

void egress_clear_slot(struct egress *e, struct egress_slot *slot)
{
	retained_message_clear(&slot->retained);
	*slot = (struct egress_slot){ 0 };
	e->in_flight--;
	if (e->in_flight == 0)
		e->alone = false;
}

struct egress_slot *egress_free_slot(struct egress *e)
{
	if (e->in_flight >= e->window)
		return NULL;
	for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
		if (!e->slots[i].used)
			return &e->slots[i];
	}
	return NULL;
}

/* ---- sent and dropped ---- */

void egress_add_loose(struct egress *e, const struct suspect_item *item)
{
	if (item->key == 0)
		return;
	if (e->n_loose == SUSPECT_LOOSE_MAX)
		memmove(e->loose, e->loose + 1, --e->n_loose * sizeof(*e->loose));
	e->loose[e->n_loose++] = *item;
	e->last_loose = e->last_order;
}

void egress_fill_slot(struct egress *e, struct egress_slot *slot,
                      const struct paho_message *message, const struct suspect_item *item,
                      int token)
{
	slot->used = true;
	slot->token = token;
	slot->order = e->last_order;
	slot->item = *item;
	slot->size = message->payload_len;
	snprintf(slot->topic, sizeof(slot->topic), "%s", message->topic);
	slot->sent_ns = e->last_sent_ns;
	e->in_flight++;
}

void egress_give_up(struct egress *e, uint64_t id, bool is_news, enum outbox_reason reason)
{
	if (!is_news) {
		(void)outbox_give_up(e->queues.outbox, id, reason);
		/* The loop must announce the gap. */
		inbox_wake(e->queues.inbox);
		return;
	}
	egress_release(e, id);
	egress_count(e, &e->stats.news_refused);
}

void egress_release(struct egress *e, uint64_t id)
{
	if (e->n_released == EGRESS_BATCH)
		egress_tell_released(e);
	e->released[e->n_released++] = id;
}

void egress_tell_released(struct egress *e)
{
	if (e->n_released > 0)
		outbox_release_some(e->queues.outbox, e->released, e->n_released);
	e->n_released = 0;
}

/* ---- begin and end ---- */
