/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress_suspect.h
 * @brief Which message makes the broker end the session, and when to give it up.
 *
 * A broker may close the connection instead of refusing a message (MQTT 3.1.1 has no other way).
 * Such a message would be sent again in every session. Where several were unacknowledged, each of
 * them is sent alone in the sessions that follow, until it is acknowledged or is found guilty:
 *
 *   the session ended                                  | unsettled | effect
 *   CLOSED: the broker closed it soon after a publish, | one       | a strike, pending until the
 *     for no stated reason or one that is about a      |           | next attempt
 *     message                                          | several   | all are suspects: sent alone
 *                                                      |           | from now on
 *                                                      | none      | the row is broken
 *   SWALLOWED: a message was not acknowledged in time, | that one  | a strike
 *     a later one was                                  |           |
 *   OTHER: everything else, e.g. the broker's own      | any       | the row is broken
 *     reasons, no acknowledgement of anything, a dead  |           |
 *     link, our own decision                           |           |
 *   ---------------------------------------------------+-----------+-----------------------------
 *   the next attempt connects                          |           | the pending strike counts
 *   the next attempt fails: the broker was down        |           | it does not; the row is broken
 *   a message is acknowledged                          |           | it is no suspect any more
 *
 * Three strikes in a row are a verdict: REJECT. A broken row sets the strikes to 0. After the first
 * strike a message is held back until the session has lasted for a while (HOLD), so that a
 * connection that breaks at random does not condemn what happens to be sent first. A connection
 * that has broken so before, with nobody found guilty, is a bad one: each such end raises the
 * number of strikes that it takes, up to SUSPECT_STRIKES_MAX, until a session was stable.
 *
 * One strike suffices for a message that is like one rejected before: of the same topic and more
 * than half as large, or at least as large where nothing so large was ever acknowledged. After
 * three rejections of a kind its like is rejected unsent. Topics that are sent again and again
 * (views, QoS 0) are rejected unsent from the first rejection on, while they are more than half as
 * large. All that is forgotten after SUSPECT_MEMORY_NS.
 *
 * Pure: no clock, no I/O. Thread: the egress thread.
 */
#ifndef CUEBUS_EGRESS_SUSPECT_H
#define CUEBUS_EGRESS_SUSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt_settings.h"

#define SUSPECT_STRIKES     3U
#define SUSPECT_STRIKES_MAX 32U
#define SUSPECT_MEMORY_NS   (3600 * CUE_NS_PER_S)
/** QoS 0 messages remembered as unsettled. */
#define SUSPECT_LOOSE_MAX    8U
#define SUSPECT_MAX          (MQTT_WINDOW_MAX + SUSPECT_LOOSE_MAX)
#define SUSPECT_REJECTED_MAX 32U

/** A message as far as the rule knows it. */
struct suspect_item {
	uint64_t key;   /**< names the message in every session; 0: never to blame */
	uint64_t topic; /**< suspect_topic(); equal to `key` where the topic names the message */
	size_t size;    /**< topic and payload, bytes */
};

enum suspect_end { SUSPECT_END_CLOSED, SUSPECT_END_SWALLOWED, SUSPECT_END_OTHER };

enum suspect_verdict {
	SUSPECT_SEND,
	/** send only when nothing is unsettled, and nothing after it until it is settled */
	SUSPECT_ALONE,
	SUSPECT_HOLD,   /**< as ALONE, and only once the session has lasted for a while */
	SUSPECT_REJECT, /**< give up; tell suspects_reject() */
};

struct suspects {
	uint64_t keys[SUSPECT_MAX];
	unsigned n;
	struct suspect_item blamed; /* has the strikes */
	unsigned strikes;
	bool pending; /* the newest strike counts when the next attempt connects */
	bool doubt; /* several were in flight at an end, and it is not known which of them it was */
	unsigned unexplained; /* ends that no message was found guilty of */
	size_t largest;       /* ever acknowledged */
	struct suspect_rejected {
		uint64_t topic;
		size_t size;
		uint64_t at_ns;
		unsigned times;
	} rejected[SUSPECT_REJECTED_MAX];
	unsigned n_rejected;
};

/** Never 0. */
uint64_t suspect_topic(const char *topic);

/** Whether anything at all is suspected or was rejected; while not, every verdict is SEND. */
static inline bool suspects_any(const struct suspects *s)
{
	return s->n > 0 || s->strikes > 0 || s->n_rejected > 0;
}

enum suspect_verdict suspects_judge(struct suspects *s, const struct suspect_item *item,
                                    uint64_t now_ns);
/** Strikes that it takes to reject @p item. */
unsigned suspects_needed(const struct suspects *s, const struct suspect_item *item);
/** The session that ends was long: what broke before is forgiven. */
void suspects_stable(struct suspects *s);
void suspects_acknowledged(struct suspects *s, const struct suspect_item *item);
/** A session ended; @p items were unsettled (SWALLOWED: the one). Those with key 0 are skipped.
 *  @return the item that got a strike, valid until the next call; NULL none. */
const struct suspect_item *suspects_session_ended(struct suspects *s, enum suspect_end end,
                                                  const struct suspect_item *items, size_t n);
/** The attempt after a session ended so. */
void suspects_attempted(struct suspects *s, bool connected);
/** The verdict REJECT was carried out. @return whether that was not expected from earlier
 *  rejections: worth a warning. */
bool suspects_reject(struct suspects *s, const struct suspect_item *item, uint64_t now_ns);

#endif
