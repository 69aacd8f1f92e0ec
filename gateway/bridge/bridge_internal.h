/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bridge_internal.h
 * @brief What bridge.c (life), bridge_out.c, bridge_gap.c and bridge_in.c share.
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

/** A reply that waits until what it answers is on disk; see bridge_held.c. */
struct bridge_held {
	struct bridge_held *next;
	uint64_t change;
	size_t topic_size, correlation_len, reply_len, failure_len;
	bool has_correlation;
	char bytes[]; /* topic with its NUL, correlation data, reply, failure */
};

struct bridge {
	struct bridge_config config;
	struct cue_subscription *subscription;
	struct bridge_qos qos[BRIDGE_QOS_CACHE];
	struct bridge_refusal refusal;
	struct bridge_held *held, **held_tail; /* oldest first */
	size_t n_held;
	struct bridge_held *delayed; /* NULL: none */
	struct bridge_stats stats;
};

/** Bus handler on "*". */
int bridge_publish(void *user, struct cue_bus *bus, const struct cue_event *event);

/** Where a reply goes and what it says. */
struct bridge_reply {
	const char *topic;
	const void *correlation; /* or NULL */
	size_t correlation_len;
	const char *text;
	size_t len;
};

/** Put a reply into the outbox. */
void bridge_send_reply(struct bridge *bridge, const struct bridge_reply *reply);

/** Whether one more reply can be held. */
bool bridge_can_hold(const struct bridge *bridge);
/**
 * Hold @p reply until change number @p change of the kept definitions is on
 * disk; if it can't be written, @p failure is sent in its place. Copies all.
 * @return 0; -ENOMEM.
 */
int bridge_hold(struct bridge *bridge, const struct bridge_reply *reply, uint64_t change,
                const char *failure, size_t failure_len);
/** Send what need not be held any longer. */
void bridge_release_held(struct bridge *bridge);
void bridge_clear_held(struct bridge *bridge);

/**
 * Send @p reply, copied, when nothing waits for dispatch any more. There is one
 * at most: no command is handled before.
 * @return 0; -EBUSY; -ENOMEM.
 */
int bridge_delay(struct bridge *bridge, const struct bridge_reply *reply);
/** Send it if its time has come. */
void bridge_release_delayed(struct bridge *bridge);

/** Timer of struct bridge_refusal. */
void bridge_refusal_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns);

/**
 * Emit one of the gateway's own events; @p w is finished and cleared.
 * @param ret_seq its seq, 0 when its type is not bridged.
 * @return as cue_bus_emit().
 */
int bridge_emit(struct bridge *bridge, const char *type, struct cue_writer *w, uint64_t *ret_seq);

#endif
