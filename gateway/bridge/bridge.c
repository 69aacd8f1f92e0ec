/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int bridge_new(const struct bridge_config *config, struct bridge **ret_bridge)
{
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	struct cue_subscription_config subscription = {
		.type = "*",
		.priority = CUE_PRIORITY_BRIDGE,
		.handler = bridge_publish,
		.user = bridge,
		.name = "mqtt bridge",
	};
	struct cue_bus *bus = engine_bus(config->engine);
	int r;

	if (!bridge)
		return -ENOMEM;
	bridge->config = *config;
	bridge->held_tail = &bridge->held;
	r = cue_timer_new(bus, bridge_refusal_timer, bridge, &bridge->refusal.timer);
	if (r >= 0)
		r = cue_bus_subscribe(bus, &subscription, &bridge->subscription);
	if (r < 0) {
		bridge_free(bridge);
		return r;
	}
	*ret_bridge = bridge;
	return 0;
}

struct bridge *bridge_free(struct bridge *bridge)
{
	if (!bridge)
		return NULL;
	cue_subscription_cancel(bridge->subscription);
	cue_timer_free(bridge->refusal.timer);
	bridge_clear_held(bridge);
	free(bridge);
	return NULL;
}

void bridge_refresh(struct bridge *bridge)
{
	memset(bridge->qos, 0, sizeof(bridge->qos));
}

void bridge_get_stats(const struct bridge *bridge, struct bridge_stats *ret_stats)
{
	*ret_stats = bridge->stats;
}
