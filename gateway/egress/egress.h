/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress.h
 * @brief The thread that owns the connection to the broker.
 *
 * It connects, publishes the retained views and the messages of the outbox, keeps at most a window
 * of QoS 1 messages unacknowledged (`mqtt.window`, or the broker's Receive Maximum if that is
 * smaller), and after a broken connection starts a new session that sends everything unacknowledged
 * again, in order. On every connect the order is: retained views (info first), subscriptions,
 * `online`, then the outbox. egress_watch.h corrects retained topics that other clients have set.
 *
 * Threads: call all functions from the loop thread; egress_wake() from any.
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
	/** as in P/info, to recognise another gateway's P/info; NULL: unknown */
	const char *boot_id;
	/** close the connection if a message stays unacknowledged for this long; 0: 20 s */
	uint64_t ack_timeout_ns;
	/* For tests; 0 is the default, see backoff.h. */
	uint64_t backoff_min_ns, backoff_max_ns;
};

/** The queues that the egress serves; borrowed, must outlive it. */
struct egress_queues {
	struct outbox *outbox;
	struct retained *retained;
	struct inbox *inbox;
};

struct egress_stats {
	bool connected;        /**< now; `online` has been published */
	uint64_t connects;     /**< sessions so far */
	uint64_t disconnects;  /**< connections lost */
	uint64_t failures;     /**< attempts that failed */
	uint64_t published;    /**< handed to the socket */
	uint64_t acknowledged; /**< QoS 1 */
	/** dropped: the broker refused the message, or it is too large for the broker */
	uint64_t refused;
	/** dropped: the broker ended sessions because of them; see egress_suspect.h */
	uint64_t rejected;
	uint64_t news_refused; /**< `gateway.gap` events among both; no further gap names them */
	uint32_t in_flight;    /**< now */
	uint32_t subscriptions_refused; /**< of this session */
	/** times that another client set P/status, and `online` was published again */
	uint64_t status_corrected;
	/** retained topics cleared because their names no longer exist */
	uint64_t retained_cleared;
};

/** Create the egress; the thread does not run yet. @return 0; -ENOMEM. */
int egress_new(const struct egress_config *config, struct egress **ret_egress);

/** Start the thread. Takes ownership of @p settings, also on failure. @return 0; negative errno. */
int egress_start(struct egress *egress, const struct egress_queues *queues,
                 struct mqtt_settings *settings);

/** Wake the thread: there may be work. For use as `wake` of outbox and retained. */
void egress_wake(void *egress);

/** Reconnect with other settings; takes ownership of them. */
void egress_reconfigure(struct egress *egress, struct mqtt_settings *settings);

/**
 * Send the remaining messages, publish `offline`, disconnect, end the thread.
 * @return 0 everything was sent; -ETIMEDOUT the thread ended with unsent messages; -EBUSY the
 *         thread hangs in a call of the system or of paho: free nothing that it uses, and _exit()
 *         the process.
 */
int egress_stop(struct egress *egress, uint64_t timeout_ns);

/** Free the egress, only after egress_stop() (not -EBUSY) or if it was never started. NULL is
 * allowed. @return NULL. */
struct egress *egress_free(struct egress *egress);

void egress_get_stats(struct egress *egress, struct egress_stats *ret_stats);

/**
 * Counter of changes of the connection: attempts that ended (it is not 0 after the first one),
 * `online` published, connections lost. Each change wakes the loop through the inbox. Any thread;
 * takes no lock.
 */
uint64_t egress_changes(const struct egress *egress);

#endif
