/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress.h
 * @brief The thread that owns the connection to the broker.
 *
 * It connects, publishes what is retained and what the outbox holds, keeps at
 * most a window of QoS 1 messages unacknowledged (`mqtt.window`, or the broker's
 * Receive Maximum if that is smaller), and after a break starts a
 * new session that sends everything unacknowledged again, in order. On every
 * connect the order is: retained views (info first), subscriptions, `online`,
 * then the outbox. What others have put on its own retained topics: egress_watch.h.
 *
 * Threads: all calls are made from the loop thread, egress_wake() from any.
 */
#ifndef CUEBUS_EGRESS_H
#define CUEBUS_EGRESS_H

#include "inbox.h"
#include "log.h"
#include "mqtt_settings.h"
#include "outbox.h"
#include "retained.h"
#include "topics.h"

struct egress;

struct egress_config {
	const struct topics *topics; /**< borrowed, outlives the egress, as all below */
	struct log *log;
	/** as in P/info, to tell another gateway's from one's own; NULL: unknown */
	const char *boot_id;
	/** a message unacknowledged for so long: the connection is given up; 0: 20 s */
	uint64_t ack_timeout_ns;
	/* For tests; 0 is the default, see backoff.h. */
	uint64_t backoff_min_ns, backoff_max_ns;
};

/** What the egress carries; borrowed, must outlive it. */
struct egress_queues {
	struct outbox *outbox;
	struct retained *retained;
	struct inbox *inbox;
};

struct egress_stats {
	bool connected;        /**< now; `online` has been published */
	uint64_t connects;     /**< sessions that came so far */
	uint64_t disconnects;  /**< connections lost */
	uint64_t failures;     /**< attempts that failed */
	uint64_t published;    /**< handed to the socket */
	uint64_t acknowledged; /**< QoS 1 */
	/** given up: the broker refused the message, or it is too large for it */
	uint64_t refused;
	/** given up: the broker ended sessions for them; see egress_suspect.h */
	uint64_t rejected;
	uint64_t news_refused; /**< of both, `gateway.gap` events; no further gap names them */
	uint32_t in_flight;    /**< now */
	uint32_t subscriptions_refused; /**< of this session */
	/** another client had set P/status, and `online` was said again */
	uint64_t status_corrected;
	uint64_t retained_cleared; /**< retained topics below P whose names are gone */
};

/** @return 0; -ENOMEM. Nothing runs yet. */
int egress_new(const struct egress_config *config, struct egress **ret_egress);

/** Start the thread. @p settings become the egress's, also on
 *  failure. @return 0; negative errno. */
int egress_start(struct egress *egress, const struct egress_queues *queues,
                 struct mqtt_settings *settings);

/** There may be work; as outbox's and retained's wake. */
void egress_wake(void *egress);

/** Reconnect with other settings, which become the egress's. */
void egress_reconfigure(struct egress *egress, struct mqtt_settings *settings);

/**
 * Send what is left, publish `offline`, disconnect, end the thread.
 * @return 0 everything was sent; -ETIMEDOUT the thread ended with messages
 *         left over; -EBUSY the thread hangs in a call of the system's or
 *         paho's: nothing it uses may be freed, the process should _exit().
 */
int egress_stop(struct egress *egress, uint64_t timeout_ns);

/** Only after egress_stop() (not -EBUSY), or when it was never started.
 *  NULL is allowed. @return NULL. */
struct egress *egress_free(struct egress *egress);

void egress_get_stats(struct egress *egress, struct egress_stats *ret_stats);

/**
 * Counts what changed about the connection: attempts that ended (from the
 * first on it is not 0), `online` published, connections lost. With each the
 * loop is woken by the inbox. Any thread; takes no lock.
 */
uint64_t egress_changes(const struct egress *egress);

#endif
