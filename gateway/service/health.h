/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file health.h
 * @brief The payload of P/health (schemas/health.schema.json). Thread: the loop's.
 */
#ifndef CUEBUS_HEALTH_H
#define CUEBUS_HEALTH_H

#include <cuebus/json_writer.h>

#include "bridge.h"
#include "commands.h"
#include "egress.h"
#include "engine.h"
#include "inbox.h"
#include "lateness.h"
#include "outbox.h"
#include "retained.h"

/** Sources of the counters; all borrowed for the call. */
struct health {
	struct engine *engine;
	const struct commands *commands;
	const struct bridge *bridge;
	struct egress *egress;
	struct outbox *outbox;
	struct inbox *inbox;
	struct retained *retained;
	const struct lateness *lateness; /**< since the last health message */
	struct log *log;
	const char *boot_id;
	uint64_t start_ns;
	uint64_t now_ns;
};

void health_write(struct cue_writer *w, const struct health *health);

#endif
