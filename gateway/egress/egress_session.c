/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session, from the connect to its end.
 *
 *   phase  | publishes                                        | next when
 *   VIEWS  | the retained views as they were at the connect    | each has been sent
 *          | (then the subscriptions and `online`)            |
 *   ONLINE | changed views and the outbox, within the window  | stop or reconfigure
 *   LEAVE  | `offline`                                        | acknowledged, or the time is up
 *
 * In each phase a broken connection, a missing acknowledgement, or acknowledgements for unsent
 * messages end the session (EGRESS_LOST).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "egress_internal.h"

/* Longest time between two checks of the connection. */
#define LOOK_NS    CUE_NS_PER_S
#define OFFLINE_NS (1 * CUE_NS_PER_S)
/* Time before new settings are applied, to send the reply to the command that set them. */
#define LAST_WORDS_NS (1 * CUE_NS_PER_S)

/* ---- phases ---- */

/** Handle received acknowledgements and messages. @return 0; -ENOTCONN: the session is over. */
static int take_input(struct egress *e)
{
	paho_handle_input(e->connection);
	return egress_take_acks(e) && egress_acks_in_time(e, clock_monotonic_ns()) ? 0 : -ENOTCONN;
}

/** Sleep until there is work or a check is due. @return false if the connection is lost. */
static bool rest(struct egress *e, uint64_t until_ns)
{
	uint64_t look_ns = clock_monotonic_ns() + LOOK_NS;

	egress_wait(e, until_ns < look_ns ? until_ns : look_ns);
	return paho_is_connected(e->connection);
}

/** Whether no message waits and none is in flight. */
static bool is_drained(struct egress *e)
{
	struct outbox_stats outbox;
	struct retained_stats retained;

	outbox_get_stats(e->queues.outbox, &outbox);
	retained_get_stats(e->queues.retained, &retained);
	return outbox.events == 0 && outbox.replies == 0 && retained.pending == 0 &&
	       e->in_flight == 0;
}

/** Wait for room, or (@p want 0) for all acknowledgements. @return 0; -ENOTCONN; -ETIMEDOUT. */
static int wait_in_flight(struct egress *e, unsigned want, uint64_t until_ns)
{
	while (e->in_flight > want) {
		if (clock_monotonic_ns() >= until_ns)
			return -ETIMEDOUT;
		if (!rest(e, until_ns) || !egress_take_acks(e) ||
		    !egress_acks_in_time(e, clock_monotonic_ns()))
			return -ENOTCONN;
	}
	return 0;
}

/**
 * One pass over the views as they were at the connect. Later changes come after `online`: otherwise
 * views that change faster than the link can carry them would delay `online` without end.
 */
static int phase_views(struct egress *e)
{
	uint64_t todo = retained_mark_all(e->queues.retained);
	int r = 0;

	while (r >= 0 && todo > 0) {
		r = take_input(e);
		if (r == 0)
			r = egress_publish_views(e, &todo);
		if (r == 0 && todo > 0 && !rest(e, UINT64_MAX))
			r = -ENOTCONN;
	}
	return r < 0 ? r : 0;
}

/** Make each subscription separately: if one is refused, the others still work. */
static int go_online(struct egress *e)
{
	int r = egress_subscribe(e, "emit", "#", EGRESS_SUBSCRIBE_ORDERS);

	if (r == 0)
		r = egress_subscribe(e, "cmd", "#", EGRESS_SUBSCRIBE_ORDERS);
	if (r == 0)
		r = egress_subscribe(e, "status", NULL, EGRESS_SUBSCRIBE_CHANGES);
	if (r == 0)
		r = egress_subscribe(e, "info", NULL, EGRESS_SUBSCRIBE_CHANGES);
	if (r == 0)
		r = wait_in_flight(e, e->window - 1, UINT64_MAX);
	egress_watch_online(e);
	return r < 0 ? r : egress_publish_status(e, "online");
}

static bool has_new_settings(struct egress *e)
{
	bool has;

	pthread_mutex_lock(&e->mutex);
	has = e->new_settings != NULL;
	pthread_mutex_unlock(&e->mutex);
	return has;
}

static enum egress_end phase_online(struct egress *e)
{
	uint64_t change_by_ns = UINT64_MAX;

	for (;;) {
		uint64_t stop_by_ns = UINT64_MAX;
		bool stopping = egress_is_stopping(e, &stop_by_ns);
		int r = take_input(e);

		if (r == 0 && !stopping)
			r = egress_watch_turn(e);
		if (r == 0)
			r = egress_publish_some(e);
		if (r < 0)
			return EGRESS_LOST;
		if (stopping && (is_drained(e) || clock_monotonic_ns() >= stop_by_ns))
			return EGRESS_STOP;
		if (has_new_settings(e) && !stopping) {
			if (change_by_ns == UINT64_MAX)
				change_by_ns = clock_monotonic_ns() + LAST_WORDS_NS;
			if (is_drained(e) || clock_monotonic_ns() >= change_by_ns)
				return EGRESS_RECONFIGURE;
		}
		if (r == 0 && !rest(e, stop_by_ns < change_by_ns ? stop_by_ns : change_by_ns))
			return EGRESS_LOST;
	}
}

static void phase_leave(struct egress *e)
{
	uint64_t until_ns = clock_monotonic_ns() + OFFLINE_NS;

	if (wait_in_flight(e, e->window - 1, until_ns) == 0 &&
	    egress_publish_status(e, "offline") == 0)
		(void)wait_in_flight(e, 0, until_ns);
}

enum egress_end egress_session(struct egress *e)
{
	enum egress_end end = EGRESS_LOST;

	egress_watch_begin(e);
	if (phase_views(e) == 0 && go_online(e) == 0) {
		pthread_mutex_lock(&e->mutex);
		e->stats.connected = true;
		pthread_mutex_unlock(&e->mutex);
		outbox_set_connected(e->queues.outbox, true);
		egress_tell_changed(e);
		end = phase_online(e);
		if (end != EGRESS_LOST)
			phase_leave(e);
	}
	outbox_set_connected(e->queues.outbox, false);
	pthread_mutex_lock(&e->mutex);
	e->stats.connected = false;
	e->stats.subscriptions_refused = 0;
	pthread_mutex_unlock(&e->mutex);
	egress_tell_changed(e);
	return end;
}
