/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file egress_watch.h
 * @brief What others have put on this gateway's own retained topics; a part of the egress.
 *
 * `P/status` must say `online` while the gateway is: the will of an old
 * connection under another client id may come late. Retained topics below
 * P/input, P/output and P/playlist whose names are gone must not stay at the
 * broker: those that are not kept here are cleared once after each connect.
 */
#ifndef CUEBUS_EGRESS_WATCH_H
#define CUEBUS_EGRESS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "inbox.h"

struct egress;

/** Topics that one session clears at most; the rest is left for the next. */
#define EGRESS_CLEAR_MAX 1000U
/** Deeper topics are not cleared: brokers close the connection for too many levels. */
#define EGRESS_CLEAR_LEVELS 32U

enum egress_sweep { SWEEP_IDLE, SWEEP_LISTENING, SWEEP_DONE };

struct egress_watch {
	/* Guarded by the egress's mutex: */
	bool status_wrong;
	char status_word[16]; /* what P/status said; may be cut */
	bool is_info_foreign; /* another gateway published P/info in this session */
	bool is_listening;
	unsigned n_cleared; /* in this session */
	bool is_full;       /* EGRESS_CLEAR_MAX were cleared, and there were more */
	uint64_t heard_ns;  /* while listening: when a message came last */
	char example[128];  /* one of those that were cleared; may be cut */

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

/** `online` is about to be published: what P/status said before is overwritten. Egress thread. */
void egress_watch_online(struct egress *egress);

/** A message arrived. Any thread. @return true: it is dealt with. */
bool egress_watch_message(struct egress *egress, const struct inbox_message *message);

/**
 * Do what is due; to be called every second at least while online. May wait for the broker's
 * answer to a subscription. Egress thread.
 * @return 0; -ENOTCONN.
 */
int egress_watch_turn(struct egress *egress);

#endif
