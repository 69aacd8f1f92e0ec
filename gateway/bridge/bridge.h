/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bridge.h
 * @brief Between the bus and the queues: events out, emits and commands in.
 *
 * Knows the wire (topics, envelope, limits, refusals), but not the network: outgoing messages go to
 * the outbox, incoming ones come from the inbox. Thread: the loop's.
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
 * Create the bridge. From now on every numbered event of the bus is put into the outbox. Free the
 * bridge before the engine.
 * @return 0; negative errno.
 */
int bridge_new(const struct bridge_config *config, struct bridge **ret_bridge);
struct bridge *bridge_free(struct bridge *bridge);

/** Call after engine_apply(): look up the QoS of each type again. */
void bridge_refresh(struct bridge *bridge);

/**
 * Handle one message at @p now_ns, after engine_wake() with that time. A command's reply is put
 * into the outbox after the events that the command causes: at once, or later if these events or
 * the disk have to be waited for.
 */
void bridge_receive(struct bridge *bridge, const struct inbox_message *message, uint64_t now_ns);

/** Call after each wake-up: emit `gateway.gap` for events that the outbox dropped. */
void bridge_tick(struct bridge *bridge);

struct bridge_stats {
	uint64_t refused; /**< messages on P/emit and P/cmd that were refused before execution */
};
void bridge_get_stats(const struct bridge *bridge, struct bridge_stats *ret_stats);

#endif
