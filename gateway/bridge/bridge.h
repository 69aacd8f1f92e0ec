/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bridge.h
 * @brief Between the bus and the queues: events out, emits and commands in.
 *
 * Knows the wire (topics, envelope, limits, refusals), but not the network:
 * what goes out ends in the outbox, what comes in is an inbox message.
 * Thread: the loop's.
 */
#ifndef CUEBUS_BRIDGE_H
#define CUEBUS_BRIDGE_H

#include "commands.h"
#include "engine.h"
#include "inbox.h"
#include "log.h"
#include "outbox.h"
#include "topics.h"

struct bridge;

/** All borrowed, must outlive the bridge. */
struct bridge_config {
	struct engine *engine;
	struct commands *commands;
	const struct topics *topics;
	struct outbox *outbox;
	struct log *log;
	const char *boot_id;
};

/**
 * From here on every numbered event of the bus is put into the outbox. To be
 * freed before the engine.
 * @return 0; negative errno.
 */
int bridge_new(const struct bridge_config *config, struct bridge **ret_bridge);
struct bridge *bridge_free(struct bridge *bridge);

/** After engine_apply(): ask the configuration for each type's QoS again. */
void bridge_refresh(struct bridge *bridge);

/**
 * Handle one message at @p now_ns; the engine has been woken with that time.
 * A command's reply is in the outbox when this returns, after the events that
 * the command caused.
 */
void bridge_receive(struct bridge *bridge, const struct inbox_message *message, uint64_t now_ns);

/** After each wake: tell of events that the outbox gave up (`gateway.gap`). */
void bridge_tick(struct bridge *bridge);

struct bridge_stats {
	uint64_t refused; /**< messages on P/emit and P/cmd that were refused before they ran */
};
void bridge_get_stats(const struct bridge *bridge, struct bridge_stats *ret_stats);

#endif
