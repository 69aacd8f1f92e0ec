/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bridge_internal.h
 * @brief Private: shared by the files of the bridge.
 */
#ifndef CUEBUS_BRIDGE_INTERNAL_H
#define CUEBUS_BRIDGE_INTERNAL_H

#include "bridge.h"

#define BRIDGE_QOS_CACHE 256U

struct bridge_qos {
	const struct cue_type *type;
	int qos;
};

/** Refusals on P/emit, reported at most once a second; see bridge_in.c. */
struct bridge_refusal {
	struct cue_timer *timer; /* armed while no report is allowed */
	uint64_t suppressed;     /* since the last report */
	char topic[TOPIC_SIZE];  /* of the last one */
	enum command_code code;
	char message[256];
};

/** A reply that waits until its definition is on disk; see bridge_held.c. */
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

/** Destination and text of a reply. */
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
 * Hold @p reply until change number @p change of the kept definitions is on disk. If the change
 * can't be written, @p failure is sent instead. Both are copied.
 * @return 0; -ENOMEM.
 */
int bridge_hold(struct bridge *bridge, const struct bridge_reply *reply, uint64_t change,
                const char *failure, size_t failure_len);
/** Send the held replies whose change is on disk or has failed. */
void bridge_release_held(struct bridge *bridge);
void bridge_clear_held(struct bridge *bridge);

/**
 * Copy @p reply and send it once no event waits for dispatch. At most one reply is delayed: no
 * other command is handled before.
 * @return 0; -EBUSY; -ENOMEM.
 */
int bridge_delay(struct bridge *bridge, const struct bridge_reply *reply);
/** Send the delayed reply if no event waits for dispatch. */
void bridge_release_delayed(struct bridge *bridge);

/** Timer of struct bridge_refusal. */
void bridge_refusal_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns);

/**
 * Emit one of the gateway's own events. Finishes and clears @p w.
 * @param ret_seq its seq, 0 if its type is not bridged.
 * @return as cue_bus_emit().
 */
int bridge_emit(struct bridge *bridge, const char *type, struct cue_writer *w, uint64_t *ret_seq);

#endif
