/* SPDX-License-Identifier: Apache-2.0 */
/* What paho calls: over MQTT 5 on threads of its own. */
#include "egress_internal.h"

static void on_message(void *user, const struct inbox_message *message)
{
	struct egress *e = user;

	/* The inbox counts refused messages. */
	if (!egress_watch_message(e, message))
		(void)inbox_put(e->queues.inbox, message);
}

static void on_acknowledged(void *user, int token, int reason)
{
	struct egress *e = user;

	pthread_mutex_lock(&e->mutex);
	if (e->n_acks < EGRESS_ACKS)
		e->acks[e->n_acks++] = (struct egress_ack){ .token = token, .reason = reason };
	else
		e->acks_overrun = true;
	egress_signal_work(e);
	pthread_mutex_unlock(&e->mutex);
}

static void on_lost(void *user, int reason)
{
	struct egress *e = user;

	pthread_mutex_lock(&e->mutex);
	e->lost = true;
	e->lost_reason = reason;
	egress_signal_work(e);
	pthread_mutex_unlock(&e->mutex);
}

struct paho_callbacks egress_callbacks(struct egress *e)
{
	return (struct paho_callbacks){
		.message = on_message, .acknowledged = on_acknowledged, .lost = on_lost, .user = e
	};
}
