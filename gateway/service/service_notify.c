/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifications to the service manager.
 *
 *  state      leaves it when                                     to
 *  STARTING   the first attempt to connect has ended, either     READY
 *             way, or hangs for READY_LATEST_NS (a resolver
 *             that does not answer); inputs are open before
 *             the loop runs
 *  READY      a reload begins, by signal or by command           RELOADING
 *  RELOADING  it has ended, either way                           READY
 *  any        SIGTERM or SIGINT                                  STOPPING
 *
 * A reload before READY sends nothing: READY would come too early.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hide.h"
#include "plural.h"
#include "service_internal.h"

#define READY_LATEST_NS (10 * CUE_NS_PER_S)

int service_notify_start(struct service *service, char error[SERVICE_ERROR_SIZE])
{
	int r = notify_new(&service->notify);

	/* Other errors are not caused by the environment. */
	if (r == -EINVAL || r == -EAFNOSUPPORT || r == -ENAMETOOLONG)
		snprintf(error, SERVICE_ERROR_SIZE,
		         "the service manager's NOTIFY_SOCKET, WATCHDOG_USEC or WATCHDOG_PID can't "
		         "be used; they are a path or @NAME, microseconds above 0, and a process "
		         "id");
	return r;
}

/** Log a failed notification; the gateway continues, because the variable may be left over from an
 * old environment. */
static void tell_failure(struct service *service)
{
	int r = notify_take_failure(service->notify);

	if (r < 0)
		log_write(service->log, LOG_LEVEL_WARNING,
		          "the service manager's socket '%.150s' (NOTIFY_SOCKET) can't be reached: "
		          "%s; readiness and watchdog messages are not sent",
		          getenv("NOTIFY_SOCKET"), strerrordesc_np(-r));
}

static void tell_status(struct service *service)
{
	struct egress_stats egress;
	struct outbox_stats outbox;
	char text[1024], *safe = NULL;

	egress_get_stats(service->egress, &egress);
	outbox_get_stats(service->outbox, &outbox);
	snprintf(text, sizeof(text),
	         "gateway '%s', %s %s, %zu input%s, %" PRIu64 " message%s waiting%s%s%s",
	         service->config->gateway.id,
	         egress.connected ? "connected to" : "no connection to", service->settings->uri,
	         service->config->n_inputs, plural(service->config->n_inputs), outbox.events,
	         plural(outbox.events), outbox.reason[0] ? ", not on disk: " : "", outbox.reason,
	         service->reload_failed ? "; the last reload was refused" : "");
	if (hide_text(service->config->hide, text, &safe) == 0)
		notify_set_status(service->notify, "%s", safe);
	free(safe);
}

void service_notify_tick(struct service *service, uint64_t now_ns, bool refresh)
{
	uint64_t changes = egress_changes(service->egress);
	bool ready = notify_get_state(service->notify) == NOTIFY_STARTING &&
	             (changes > 0 || now_ns - service->start_ns >= READY_LATEST_NS);

	if (refresh || ready || changes != service->egress_changes) {
		service->egress_changes = changes;
		tell_status(service);
	}
	if (ready)
		notify_set_state(service->notify, NOTIFY_READY,
		                 now_ns); /* the status in the same message */
	notify_tick(service->notify, now_ns);
	tell_failure(service);
}

uint64_t service_notify_deadline(const struct service *service)
{
	uint64_t next_ns = notify_next_deadline(service->notify);
	uint64_t ready_ns = service->start_ns + READY_LATEST_NS;

	if (notify_get_state(service->notify) == NOTIFY_STARTING && ready_ns < next_ns)
		return ready_ns;
	return next_ns;
}

void service_notify_reload(struct service *service, bool begins, bool failed)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (notify_get_state(service->notify) == NOTIFY_STARTING)
		return;
	if (begins) {
		notify_set_state(service->notify, NOTIFY_RELOADING, now_ns);
		return;
	}
	service->reload_failed = failed;
	tell_status(service);
	notify_set_state(service->notify, NOTIFY_READY, now_ns);
}

void service_notify_stop(struct service *service)
{
	uint64_t now_ns = clock_monotonic_ns();

	notify_set_status(service->notify, "stopping");
	notify_set_state(service->notify, NOTIFY_STOPPING, now_ns);
}
