/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress_suspect.h
 * @brief Find the message that makes the broker end the session, and decide when to drop it.
 *
 * A broker may close the connection instead of refusing a message (MQTT 3.1.1 has no other way).
 * Such a message would be sent again in every session. If several messages were unacknowledged,
 * each of them is sent alone in the following sessions, until it is acknowledged or found guilty:
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
 * Three strikes in a row are a verdict: REJECT. A broken row resets the strikes to 0. After the
 * first strike a message is held back until the session has lasted for a while (HOLD), so that a
 * connection that breaks at random does not condemn the message that is sent first. If a connection
 * has broken like this before without a guilty message, it is unreliable: each such end raises the
 * required number of strikes, up to SUSPECT_STRIKES_MAX, until a session was stable.
 *
 * One strike suffices for a message that resembles a rejected one: the same topic and more than
 * half as large, or at least as large if nothing of that size was ever acknowledged. After three
 * rejections of a kind, similar messages are rejected unsent. Topics that are sent repeatedly
 * (views, QoS 0) are rejected unsent from the first rejection on, if they are more than half as
 * large. All this is forgotten after SUSPECT_MEMORY_NS.
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

/** The properties of a message that the rules use. */
struct suspect_item {
	uint64_t key;   /**< identifies the message in every session; 0: never suspect */
	uint64_t topic; /**< suspect_topic(); equal to `key` if the topic identifies the message */
	size_t size;    /**< topic and payload, bytes */
};

enum suspect_end { SUSPECT_END_CLOSED, SUSPECT_END_SWALLOWED, SUSPECT_END_OTHER };

enum suspect_verdict {
	SUSPECT_SEND,
	/** send only if nothing is unsettled, and nothing else until it is settled */
	SUSPECT_ALONE,
	SUSPECT_HOLD,   /**< as ALONE, and only once the session has lasted for a while */
	SUSPECT_REJECT, /**< drop it and call suspects_reject() */
};

struct suspects {
	uint64_t keys[SUSPECT_MAX];
	unsigned n;
	struct suspect_item blamed; /* has the strikes */
	unsigned strikes;
	bool pending;         /* the newest strike counts when the next attempt connects */
	bool doubt;           /* several were in flight at an end, and the guilty one is unknown */
	unsigned unexplained; /* ends without a guilty message */
	size_t largest;       /* largest size ever acknowledged */
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

/** Whether there is any suspect or rejected message; if not, every verdict is SEND. */
static inline bool suspects_any(const struct suspects *s)
{
	return s->n > 0 || s->strikes > 0 || s->n_rejected > 0;
}

enum suspect_verdict suspects_judge(struct suspects *s, const struct suspect_item *item,
                                    uint64_t now_ns);
/** Number of strikes needed to reject @p item. */
unsigned suspects_needed(const struct suspects *s, const struct suspect_item *item);
/** The ending session was stable: forget earlier unexplained ends. */
void suspects_stable(struct suspects *s);
void suspects_acknowledged(struct suspects *s, const struct suspect_item *item);
/** A session ended; @p items were unsettled (SWALLOWED: the ignored one). Items with key 0 are
 * skipped.
 * @return the item that got a strike, valid until the next call; NULL: none. */
const struct suspect_item *suspects_session_ended(struct suspects *s, enum suspect_end end,
                                                  const struct suspect_item *items, size_t n);
/** Result of the first attempt after a session. */
void suspects_attempted(struct suspects *s, bool connected);
/** Record a REJECT. @return whether earlier rejections did not predict it, so that it is worth a
 * warning. */
bool suspects_reject(struct suspects *s, const struct suspect_item *item, uint64_t now_ns);

#endif
