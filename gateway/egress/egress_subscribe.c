/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "clock.h"
#include "egress_internal.h"

int egress_subscribe(struct egress *e, const char *below, const char *name,
                     enum egress_subscribe_kind kind)
{
	static const struct paho_subscription kinds[] = {
		[EGRESS_SUBSCRIBE_ORDERS] = { .qos = 2, .no_local = true, .as_published = true },
		[EGRESS_SUBSCRIBE_CHANGES] = { .qos = 1, .no_local = true },
		/* Not with No Local: the broker would withhold messages of an earlier boot under
		 * the same client id. */
		[EGRESS_SUBSCRIBE_RETAINED] = { .qos = 0, .with_retained = true },
	};
	struct paho_subscription subscription = kinds[kind];
	char topic[TOPIC_SIZE], error[PAHO_ERROR_SIZE];
	uint64_t begin_ns = clock_monotonic_ns();
	int r;

	(void)topics_below(e->config.topics, below, name, topic);
	subscription.filter = topic;
	r = paho_subscribe(e->connection, &subscription, error);
	if (r == 0)
		return 0;
	log_write(e->config.log, LOG_LEVEL_WARNING, "%s%s", error,
	          r == -EACCES ? ". The gateway continues without it" : "");
	if (r != -EACCES) {
		/* paho waits seconds for the answer, even if the connection is lost. */
		e->unnoticed_ns = clock_monotonic_ns() - begin_ns;
		return -ENOTCONN;
	}
	pthread_mutex_lock(&e->mutex);
	e->stats.subscriptions_refused++;
	pthread_mutex_unlock(&e->mutex);
	return 0;
}
