/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress_internal.h
 * @brief Private: shared by the files of the egress.
 *
 *   egress.c           the thread and its life
 *   egress_connect.c   from one attempt to the next
 *   egress_session.c   one session
 *   egress_watch.c     what others publish on topics of ours
 *   egress_acks.c      acknowledgements; begin and end of a flight
 *   egress_publish.c   what is sent
 *   egress_flight.c    what is in flight
 *   egress_subscribe.c, egress_callbacks.c
 *   egress_shared.c    sleeping and waking
 */
#ifndef CUEBUS_EGRESS_INTERNAL_H
#define CUEBUS_EGRESS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "backoff.h"
#include "egress.h"
#include "egress_suspect.h"
#include "egress_watch.h"
#include "paho_connection.h"

/* Twice the window: if more acknowledgements wait, the broker acknowledges messages that were not
 * sent. */
#define EGRESS_ACKS (2 * MQTT_WINDOW_MAX)

/* Events taken from the outbox, and released, in one call. */
#define EGRESS_BATCH 32U

/* Bytes of a refused message's topic that are logged. */
#define EGRESS_TOPIC_SIZE 256U

/* Topics of dropped messages that are remembered, so that each is logged once. */
#define EGRESS_TOLD_MAX 64U

struct egress_ack {
	int token;
	int reason;
};

/** An unacknowledged QoS 1 message. Egress thread only. */
struct egress_slot {
	bool used;
	int token;
	uint64_t order; /* of sending, in this session */
	uint64_t sent_ns;
	struct suspect_item item;
	size_t size;                      /* of the payload */
	uint64_t outbox_id;               /* 0: not from the outbox */
	bool is_news;                     /* a `gateway.gap` */
	char topic[EGRESS_TOPIC_SIZE];    /* for the log if it is refused; may be cut */
	struct retained_message retained; /* topic NULL: not a retained view */
};

/** Failed attempts since the last successful one. Egress thread only. */
struct egress_failures {
	unsigned attempts;
	uint64_t told_ns; /* time when `error` was last logged */
	char error[PAHO_ERROR_SIZE];
};

/** Terms that the broker accepts. Egress thread only. */
struct egress_terms {
	int keepalive_s;
	int max_qos; /* 0 or 1 */
	bool retain;
};

enum egress_end {
	EGRESS_LOST,        /* the connection broke */
	EGRESS_RECONFIGURE, /* other settings are there */
	EGRESS_STOP,
};

struct egress {
	struct egress_config config;
	struct egress_queues queues;
	pthread_t thread;
	bool started;

	/* The egress thread's own: */
	struct mqtt_settings *settings;
	struct backoff backoff;
	struct paho_connection *connection;
	unsigned short_sessions; /* in a row */
	struct egress_failures failures;
	struct egress_terms terms; /* learnt of this broker */
	struct egress_terms trial; /* for the next attempt */
	bool is_wildcard_told;
	unsigned window; /* of this session */
	struct egress_slot slots[MQTT_WINDOW_MAX];
	unsigned in_flight;
	char news_topic[TOPIC_SIZE]; /* of `gateway.gap` */
	struct suspects suspects;
	uint64_t told[EGRESS_TOLD_MAX]; /* suspect_topic(), a ring */
	size_t n_told;

	/* Of this session: */
	uint64_t session_begin_ns;
	uint64_t last_order, last_sent_ns; /* of the last message sent, acknowledged or not */
	uint64_t last_acknowledged;        /* the newest acknowledged order */
	/* longest time for which the end may have been unnoticed */
	uint64_t unnoticed_ns;
	struct suspect_item loose[SUSPECT_LOOSE_MAX]; /* QoS 0, not settled; the newest */
	size_t n_loose;
	uint64_t last_loose;                        /* order of the newest */
	struct retained_message view;               /* taken, but not sent yet; topic NULL: none */
	struct outbox_message reply;                /* the same; id 0: none */
	struct outbox_message events[EGRESS_BATCH]; /* the same */
	size_t next_event, n_events;
	uint64_t released[EGRESS_BATCH]; /* finished; to be released in the outbox */
	size_t n_released;
	bool replies_last; /* replies come after events this time */
	uint64_t waiting;  /* key of the message to send next, alone; 0: none */
	bool alone;        /* the message in flight must be alone */
	bool gave_up;      /* the gateway itself ends the session */
	/* the ignored message that is the reason; key 0: another reason */
	struct suspect_item swallowed;
	const char *said; /* current content of P/status */

	struct egress_watch watch;

	int wake_fd; /* eventfd, readable when there may be work; used where `polls` */

	_Atomic uint64_t changes; /* egress_changes() */

	pthread_mutex_t mutex; /* guards everything below */
	pthread_cond_t cond;   /* on CLOCK_MONOTONIC */
	bool work;
	bool stop;
	uint64_t stop_by_ns;
	bool done;      /* the thread is about to end */
	bool left_over; /* it ended with unsent messages */
	struct mqtt_settings *new_settings;
	bool polls; /* the session's input is handled by the egress thread; see wake_fd */
	bool lost;
	int lost_reason;
	int socket; /* duplicate, for egress_stop() to break a hanging call */
	struct egress_ack acks[EGRESS_ACKS];
	unsigned n_acks;
	bool acks_overrun;
	struct egress_stats stats;
};

/* ---- egress_shared.c ---- */

/** Wait for work. Mutex held. @return false after the timeout. */
bool egress_wait_locked(struct egress *egress, uint64_t until_ns);
/** Signal work. Mutex held. */
void egress_signal_work(struct egress *egress);

/** Sleep until there is work or @p until_ns, and reset the signal. Handles input if paho does not
 * do so itself. */
void egress_wait(struct egress *egress, uint64_t until_ns);

/** Count a change of the connection and wake the loop; the mutex must not be held. */
void egress_tell_changed(struct egress *egress);

/** Whether to stop, and the deadline for sending the remaining messages. */
bool egress_is_stopping(struct egress *egress, uint64_t *ret_stop_by_ns);

/* ---- egress_callbacks.c ---- */

/** The callbacks of a connection. */
struct paho_callbacks egress_callbacks(struct egress *egress);

/* ---- egress_connect.c ---- */

/** Reset the terms to those of the settings. */
void egress_forget_terms(struct egress *egress);
/** Connect, or log the failure. @return whether the egress is connected. */
bool egress_connect(struct egress *egress);

/* ---- egress_session.c ---- */

/** Publish on a new connection until the session ends. Call it between egress_begin_flight() and
 * egress_end_flight(). */
enum egress_end egress_session(struct egress *egress);

/* ---- egress_subscribe.c ---- */

enum egress_subscribe_kind {
	/** messages for the loop: at the publisher's QoS; the retain flag shows whether a message
	 * was retained */
	EGRESS_SUBSCRIBE_ORDERS,
	EGRESS_SUBSCRIBE_CHANGES,  /**< new messages only, without the retain flag */
	EGRESS_SUBSCRIBE_RETAINED, /**< currently retained messages, with the retain flag */
};

/**
 * Subscribe to `P/<below>` or `P/<below>/<name>`. A refusal is logged and counted; the session
 * continues without the subscription.
 * @return 0; -ENOTCONN.
 */
int egress_subscribe(struct egress *egress, const char *below, const char *name,
                     enum egress_subscribe_kind kind);

/* ---- egress_acks.c ---- */

void egress_begin_flight(struct egress *egress);
/** Call after the connection was closed and no callback can come: take the last acknowledgements,
 * find suspects, empty the window and rewind the outbox. */
void egress_end_flight(struct egress *egress, enum suspect_end end);

/** Handle the received acknowledgements. @return false if the session is over. */
bool egress_take_acks(struct egress *egress);
/** @return false if an acknowledgement is overdue. */
bool egress_acks_in_time(struct egress *egress, uint64_t now_ns);

/* ---- egress_flight.c: what is in flight ---- */

/** Add 1 to a counter of the stats. */
void egress_count(struct egress *egress, uint64_t *counter);
/** Note that a message of the outbox was acknowledged, or sent at QoS 0, for
 * egress_tell_released(). */
void egress_release(struct egress *egress, uint64_t id);
/** Release all messages of egress_release() in the outbox. */
void egress_tell_released(struct egress *egress);
/** @return a free slot; NULL if the window is full. */
struct egress_slot *egress_free_slot(struct egress *egress);
/** Free the slot and its contents. */
void egress_clear_slot(struct egress *egress, struct egress_slot *slot);
/** Record that @p message was sent and will be acknowledged with @p token. */
void egress_fill_slot(struct egress *egress, struct egress_slot *slot,
                      const struct paho_message *message, const struct suspect_item *item,
                      int token);
/** Record a message sent at QoS 0: it has no acknowledgement, but a later one settles it. */
void egress_add_loose(struct egress *egress, const struct suspect_item *item);
/**
 * Drop a message of the outbox that the broker will never accept. A gap names the event, but not a
 * `gateway.gap` event: its own gap would be refused in turn, without end.
 */
void egress_give_up(struct egress *egress, uint64_t id, bool is_news, enum outbox_reason reason);

/* ---- egress_publish.c: sending ---- */

/**
 * Send changed views, a few in a row and at most @p todo, which is counted down.
 * @return 1 more can be sent at once; 0 nothing to send, or no room; -ENOTCONN.
 */
int egress_publish_views(struct egress *egress, uint64_t *todo);
/** Send views and messages of the outbox in turns, until there is nothing to send or no room.
 * @return as egress_publish_views(). */
int egress_publish_some(struct egress *egress);
/** Send P/status. @return 0; -EAGAIN no room; -ENOTCONN. */
int egress_publish_status(struct egress *egress, const char *word);

#endif
