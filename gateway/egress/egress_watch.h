/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress_watch.h
 * @brief Part of the egress: correct this gateway's retained topics that others have set.
 *
 * `P/status` must be `online` while the gateway is online: the will of an old connection under
 * another client id may come late. Retained topics below P/input, P/output and P/playlist whose
 * names no longer exist must not stay at the broker: they are cleared once after each connect.
 */
#ifndef CUEBUS_EGRESS_WATCH_H
#define CUEBUS_EGRESS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "inbox.h"

struct egress;

/** Maximum number of topics that one session clears; the next session clears more. */
#define EGRESS_CLEAR_MAX 1000U
/** Deeper topics are not cleared: brokers close the connection if a topic has too many levels. */
#define EGRESS_CLEAR_LEVELS 32U

enum egress_sweep { SWEEP_IDLE, SWEEP_LISTENING, SWEEP_DONE };

struct egress_watch {
	/* Guarded by the egress's mutex: */
	bool status_wrong;
	char status_word[16]; /* the wrong content of P/status; may be cut */
	bool is_info_foreign; /* another gateway published P/info in this session */
	bool is_listening;
	unsigned n_cleared; /* in this session */
	bool is_full;       /* EGRESS_CLEAR_MAX were cleared, but there are more */
	uint64_t heard_ns;  /* while listening: time of the last message */
	char example[128];  /* one of the cleared topics; may be cut */

	/* The egress thread's own: */
	enum egress_sweep sweep;
	uint64_t sweep_begin_ns;
	bool is_foreign_told;
	/* Over all sessions: */
	uint64_t status_due_ns, status_delay_ns, status_last_ns;
	unsigned status_times; /* in a row */
};

/** A new session. Egress thread. */
void egress_watch_begin(struct egress *egress);

/** `online` will be published now and overwrites P/status. Egress thread. */
void egress_watch_online(struct egress *egress);

/** Check a received message. Any thread. @return true: it was handled here. */
bool egress_watch_message(struct egress *egress, const struct inbox_message *message);

/**
 * Do the due corrections; call it at least every second while online. May wait for the broker's
 * answer to a subscription. Egress thread.
 * @return 0; -ENOTCONN.
 */
int egress_watch_turn(struct egress *egress);

#endif
