/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress_internal.h
 * @brief What egress.c (thread, life) and egress_session.c (one session) share.
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

/* A window's worth of acknowledgements and as many again; more waiting at once
 * are a broker that acknowledges what was not sent. */
#define EGRESS_ACKS (2 * MQTT_WINDOW_MAX)

/* Events that are taken from the outbox, and released there, at once. */
#define EGRESS_BATCH 32U

/* What of a refused message's topic is logged. */
#define EGRESS_TOPIC_SIZE 256U

/* Topics of messages that were given up, so that each is logged once. */
#define EGRESS_TOLD_MAX 64U

struct egress_ack {
	int token;
	int reason;
};

/** A QoS 1 message without its acknowledgement. Egress thread only. */
struct egress_slot {
	bool used;
	int token;
	uint64_t order; /* of sending, in this session */
	uint64_t sent_ns;
	struct suspect_item item;
	size_t size;                      /* of the payload */
	uint64_t outbox_id;               /* 0: not of the outbox */
	bool is_news;                     /* a `gateway.gap` */
	char topic[EGRESS_TOPIC_SIZE];    /* to be told if it is refused; may be cut */
	struct retained_message retained; /* topic NULL: not a retained view */
};

/** Attempts to connect that failed, since the last that did not. Egress thread only. */
struct egress_failures {
	unsigned attempts;
	uint64_t told_ns; /* when `error` was logged last */
	char error[PAHO_ERROR_SIZE];
};

/** What the broker takes of us. Egress thread only. */
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
	uint64_t last_order, last_sent_ns; /* of what was sent last, acknowledged or not */
	uint64_t last_acknowledged;        /* the newest order that was */
	uint64_t unnoticed_ns;             /* how long the end may have gone unnoticed */
	struct suspect_item loose[SUSPECT_LOOSE_MAX]; /* QoS 0, not settled; the newest */
	size_t n_loose;
	uint64_t last_loose;                        /* order of the newest */
	struct retained_message view;               /* taken, and not sent yet; topic NULL: none */
	struct outbox_message reply;                /* the same; id 0: none */
	struct outbox_message events[EGRESS_BATCH]; /* the same */
	size_t next_event, n_events;
	uint64_t released[EGRESS_BATCH]; /* done with, the outbox has yet to be told */
	size_t n_released;
	bool replies_last;             /* their turn is after the events' */
	uint64_t waiting;              /* key of what is to be sent next, alone; 0: none */
	bool alone;                    /* what is in flight is to be alone */
	bool gave_up;                  /* the end is our own decision */
	struct suspect_item swallowed; /* why; key 0: something else */
	const char *said;              /* what P/status has */

	struct egress_watch watch;

	int wake_fd; /* eventfd, readable when there may be work; used where `polls` */

	_Atomic uint64_t changes; /* egress_changes() */

	pthread_mutex_t mutex; /* guards everything below */
	pthread_cond_t cond;   /* on CLOCK_MONOTONIC */
	bool work;
	bool stop;
	uint64_t stop_by_ns;
	bool done;      /* the thread is about to end */
	bool left_over; /* it ended with messages not sent */
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

/** Sleep until there is work or @p until_ns; forgets that there was work. Handles input, if paho
 *  does not do so itself. */
void egress_wait(struct egress *egress, uint64_t until_ns);

/** Something about the connection changed; the mutex is not held. */
void egress_tell_changed(struct egress *egress);

/** Whether to end, and by when what is left must be sent. */
bool egress_is_stopping(struct egress *egress, uint64_t *ret_stop_by_ns);

/** The callbacks of a connection. */
struct paho_callbacks egress_callbacks(struct egress *egress);

/* ---- egress_connect.c ---- */

/** The terms of the settings: nothing is known of the broker. */
void egress_forget_terms(struct egress *egress);
/** Connect, or log why not. @return whether it is connected. */
bool egress_connect(struct egress *egress);

/* ---- egress_session.c ---- */

/** On a fresh connection: publish, until something ends it. Between egress_begin_flight() and
 *  egress_end_flight(). */
enum egress_end egress_session(struct egress *egress);

enum egress_subscribe_kind {
	/** for the loop: each at its publisher's QoS, retained or not told */
	EGRESS_SUBSCRIBE_ORDERS,
	EGRESS_SUBSCRIBE_CHANGES,  /**< what is published from now on, without the retain flag */
	EGRESS_SUBSCRIBE_RETAINED, /**< what is retained now, with the retain flag */
};

/**
 * Subscribe to `P/<below>` or `P/<below>/<name>`; a refusal is logged and counted, and the session
 * goes on without.
 * @return 0; -ENOTCONN.
 */
int egress_subscribe(struct egress *egress, const char *below, const char *name,
                     enum egress_subscribe_kind kind);

/* ---- egress_flight.c: what is in flight ---- */

void egress_begin_flight(struct egress *egress);
/** After the connection was closed, when no callback comes any more: take the last
 *  acknowledgements, find suspects, empty the window and rewind the outbox. */
void egress_end_flight(struct egress *egress, enum suspect_end end);

/** Take the acknowledgements that came. @return false when the session is over. */
bool egress_take_acks(struct egress *egress);
/** @return false when an acknowledgement is overdue. */
bool egress_acks_in_time(struct egress *egress, uint64_t now_ns);

/** Add 1 to a counter of the stats. */
void egress_count(struct egress *egress, uint64_t *counter);
/** A message of the outbox was acknowledged, or sent at QoS 0: egress_tell_released() will say so.
 */
void egress_release(struct egress *egress, uint64_t id);
/** Tell the outbox of all that egress_release() was told. */
void egress_tell_released(struct egress *egress);
/** @return NULL when the window is full. */
struct egress_slot *egress_free_slot(struct egress *egress);
/** @p message was sent and will be acknowledged with @p token. */
void egress_fill_slot(struct egress *egress, struct egress_slot *slot,
                      const struct paho_message *message, const struct suspect_item *item,
                      int token);
/** A message was sent at QoS 0: no acknowledgement, but a later one settles it. */
void egress_add_loose(struct egress *egress, const struct suspect_item *item);
/**
 * Drop a message of the outbox that the broker will never take. An event is named by a gap; the
 * news of a gap is not: its own gap would be refused in its turn, without end.
 */
void egress_give_up(struct egress *egress, uint64_t id, bool is_news, enum outbox_reason reason);

/* ---- egress_publish.c: what is sent ---- */

/**
 * Send changed views, a few in a row and at most @p todo, which is counted down.
 * @return 1 more could be sent at once; 0 nothing to send or no room; -ENOTCONN.
 */
int egress_publish_views(struct egress *egress, uint64_t *todo);
/** Views and outbox in turns, until nothing is left to send or no room. @return as above. */
int egress_publish_some(struct egress *egress);
/** Send P/status. @return 0; -EAGAIN no room; -ENOTCONN. */
int egress_publish_status(struct egress *egress, const char *word);

#endif
