/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the lines of inputs and outputs, for the log and the loop. */
#include "error_text.h"
#include "service_internal.h"

static int on_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct service *service = user;
	size_t len;
	const char *data = cue_payload_bytes(event->payload, &len);

	(void)bus;
	/* The descriptors have changed, possibly with the same numbers. */
	loop_refresh_fds(service->loop);
	log_write(service->log, LOG_LEVEL_WARNING, "%s %.*s", cue_event_type_name(event), (int)len,
	          data);
	return 0;
}

int service_watch_devices(struct service *service)
{
	static const char *const types[SERVICE_DEVICE_EVENTS] = {
		"input.*",
		"gateway.output_failed",
		"gateway.output_restored",
		"gateway.output_ignored",
	};

	for (size_t i = 0; i < SERVICE_DEVICE_EVENTS; i++) {
		struct cue_subscription_config events = {
			.type = types[i],
			.priority = CUE_PRIORITY_BRIDGE,
			.handler = on_event,
			.user = service,
			.name = "device events",
		};
		int r = cue_bus_subscribe(engine_bus(service->engine), &events,
		                          &service->device_events[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

void service_unwatch_devices(struct service *service)
{
	for (size_t i = 0; i < SERVICE_DEVICE_EVENTS; i++)
		service->device_events[i] = cue_subscription_cancel(service->device_events[i]);
}

void service_on_output_unsafe(void *user, const char *name, int error)
{
	struct service *service = user;

	log_write(service->log, LOG_LEVEL_ERROR,
	          "output \"%s\" could not be set to its safe_value: %s", name,
	          error_text(error, NULL));
}
