/* SPDX-License-Identifier: Apache-2.0 */
#include "service_outbox.h"

#include <stdio.h>

#include "plural.h"
#include "service_internal.h"

void service_tell_given_up(struct service *service)
{
	struct outbox_stats stats;
	uint64_t n, of_memory;

	outbox_get_stats(service->outbox, &stats);
	of_memory = stats.dropped_memory - service->given_up_memory;
	n = stats.dropped_full - service->given_up - of_memory;
	service->given_up = stats.dropped_full;
	service->given_up_memory = stats.dropped_memory;
	if (n)
		log_write(service->log, LOG_LEVEL_WARNING,
		          "the outbox is full (limits.outbox_events, limits.outbox_bytes): %llu "
		          "message%s given up, %llu for any limit since the start",
		          (unsigned long long)n, plural(n), (unsigned long long)stats.dropped_full);
	if (of_memory)
		log_write(service->log, LOG_LEVEL_WARNING,
		          "too much waits in memory and not on disk (limits.outbox_memory_bytes): "
		          "%llu message%s given up, %llu for any limit since the start",
		          (unsigned long long)of_memory, plural(of_memory),
		          (unsigned long long)stats.dropped_full);
}

void service_tell_left(struct service *service, bool kept, bool connected)
{
	struct outbox_stats left;

	service_tell_given_up(service);
	outbox_get_stats(service->outbox, &left);
	if (left.untold)
		log_write(service->log, LOG_LEVEL_WARNING,
		          "%llu event%s that the outbox gave up %s not named by a gateway.gap yet: "
		          "%s",
		          (unsigned long long)left.untold, plural(left.untold),
		          left.untold == 1 ? "is" : "are",
		          !service->config->gateway.state_dir
		                  ? "without gateway.state_dir it is not sent"
		          : kept ? "it is sent after the next start"
		                 : "it could not be noted on disk and is not sent");
	if (left.events == 0 && left.unread) {
		log_write(service->log, LOG_LEVEL_WARNING,
		          "stopped, nothing of this run was waiting; messages of earlier runs on "
		          "disk could not be read");
		return;
	}
	if (left.events == 0) {
		log_write(
		        service->log, LOG_LEVEL_NOTICE, "%s",
		        connected
		                ? "stopped, everything was published"
		                : "stopped without a connection to the broker, nothing was waiting "
		                  "for it");
		return;
	}
	log_write(service->log, kept ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
	          "stopped with %llu message%s (%llu bytes) that did not reach the broker: %s",
	          (unsigned long long)left.events, plural(left.events),
	          (unsigned long long)left.bytes,
	          kept ? "those of QoS 1 are kept on disk and sent after the next start"
	               : "they are lost");
}
