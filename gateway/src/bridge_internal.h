/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bridge_internal.h
 * @brief What bridge.c (life), bridge_out.c and bridge_in.c share.
 */
#ifndef CUEBUS_BRIDGE_INTERNAL_H
#define CUEBUS_BRIDGE_INTERNAL_H

#include "bridge.h"

#define BRIDGE_QOS_CACHE 256U

struct bridge_qos {
	const struct cue_type *type;
	int qos;
};

/** Refusals on P/emit, told at most once a second; see bridge_refuse(). */
struct bridge_refusal {
	struct cue_timer *timer; /* armed while nothing may be told */
	uint64_t suppressed;     /* since the last that was told */
	char topic[TOPIC_SIZE];  /* of the last one */
	enum command_code code;
	char message[256];
};

struct bridge {
	struct bridge_config config;
	struct cue_subscription *subscription;
	struct bridge_qos qos[BRIDGE_QOS_CACHE];
	struct outbox_gap gap;       /* not yet told; count 0: none */
	struct outbox_gap told;      /* the last one told … */
	uint64_t told_seq;           /* … by the event with this seq */
	struct bridge_refusal refusal;
	struct bridge_stats stats;
};

/** Bus handler on "*". */
int bridge_publish(void *user, struct cue_bus *bus, const struct cue_event *event);

/** Timer of struct bridge_refusal. */
void bridge_refusal_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns);

/**
 * Emit one of the gateway's own events; @p w is finished and cleared.
 * @param ret_seq its seq, 0 when its type is not bridged.
 * @return as cue_bus_emit().
 */
int bridge_emit(struct bridge *bridge, const char *type, struct cue_writer *w, uint64_t *ret_seq);

#endif
