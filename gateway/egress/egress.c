/* SPDX-License-Identifier: Apache-2.0 */
#include "egress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "egress_internal.h"
#include "mqtt_reason.h"
#include "tcp_socket.h"

/* Number of short sessions in a row after which the log has a hint. */
#define SHORT_SESSIONS 3U
/* If a session ends this long after a message, the end is not an answer to it. */
#define SOON_NS (10 * CUE_NS_PER_S)
/* Time to end after a hanging call was broken. */
#define BREAK_NS CUE_NS_PER_S

/* ---- the thread ---- */

static uint32_t random_bits(void)
{
	uint32_t bits = 0;

	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != sizeof(bits))
		/* early in boot there may be no random bits: use the clock for jitter */
		bits = (uint32_t)clock_monotonic_ns();
	return bits;
}

static void take_settings(struct egress *e)
{
	pthread_mutex_lock(&e->mutex);
	if (e->new_settings) {
		mqtt_settings_free(e->settings);
		e->settings = e->new_settings;
		e->new_settings = NULL;
		backoff_reset(&e->backoff);
		e->failures = (struct egress_failures){ 0 };
		e->suspects = (struct suspects){ 0 }; /* another broker may accept the messages */
		egress_forget_terms(e);
		memset(e->told, 0, sizeof(e->told));
	}
	pthread_mutex_unlock(&e->mutex);
}

static void disconnect(struct egress *e)
{
	int fd;

	pthread_mutex_lock(&e->mutex);
	fd = e->socket;
	e->socket = -1;
	e->polls = false;
	pthread_mutex_unlock(&e->mutex);
	if (fd >= 0)
		close(fd);
	e->connection = paho_close(e->connection);
}

static void tell_taken_over(struct egress *e)
{
	log_write(e->config.log, LOG_LEVEL_ERROR,
	          "another client took over the client id '%s': two gateways with the same "
	          "gateway.id or mqtt.client_id? They evict each other; give each its own",
	          e->settings->client_id);
}

/** Some brokers close without a reason (MQTT 3.1.1, mosquitto 2.0): then only their log has it. */
static void count_short_session(struct egress *e, uint64_t duration_ns)
{
	if (duration_ns >= BACKOFF_STABLE_NS) {
		e->short_sessions = 0;
		return;
	}
	if (++e->short_sessions < SHORT_SESSIONS)
		return;
	log_write(e->config.log, LOG_LEVEL_ERROR,
	          "the broker closed %u connections in a row within a minute and gave no reason: "
	          "look for it in the broker's log",
	          e->short_sessions);
}

/** Log the end of a session, with the cause only if it is known. */
static void tell_lost(struct egress *e, uint64_t duration_ns, bool peer_ended)
{
	unsigned long long seconds = duration_ns / CUE_NS_PER_S;
	int reason;

	pthread_mutex_lock(&e->mutex);
	e->stats.disconnects++;
	reason = e->lost_reason;
	pthread_mutex_unlock(&e->mutex);
	if (reason == PAHO_SESSION_TAKEN_OVER) {
		backoff_takeover(&e->backoff);
		tell_taken_over(e);
		return;
	}
	backoff_connected_for(&e->backoff, duration_ns);
	if (reason > 0) {
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "connection to the broker lost after %llu s: the broker closed it: %s "
		          "(0x%02x)",
		          seconds, mqtt_reason_packet_text(reason), (unsigned)reason);
	} else if (!peer_ended || e->gave_up) {
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "connection to the broker lost after %llu s", seconds);
	} else {
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "connection to the broker lost after %llu s: the broker closed it and "
		          "gave no reason",
		          seconds);
		if (e->suspects.strikes == 0)
			count_short_session(e, duration_ns);
	}
}

/** Wait before the next attempt, unless there are other settings or the thread must end. */
static void wait_backoff(struct egress *e)
{
	/* Try soon, before a killed broker could be up again: see egress_suspect.h. */
	bool soon = e->suspects.pending && e->suspects.strikes > 1 && !e->suspects.unexplained;
	uint64_t until_ns =
	        clock_monotonic_ns() + (soon ? 0 : backoff_next(&e->backoff, random_bits()));
	bool wait = true;

	pthread_mutex_lock(&e->mutex);
	while (wait && !e->stop && !e->new_settings)
		wait = egress_wait_locked(e, until_ns);
	pthread_mutex_unlock(&e->mutex);
}

/** Classify the end of a session: it may be the broker's answer to a message. */
static enum suspect_end how_ended(struct egress *e, bool peer_ended)
{
	int reason;

	pthread_mutex_lock(&e->mutex);
	reason = e->lost_reason;
	pthread_mutex_unlock(&e->mutex);
	if (e->swallowed.key)
		return SUSPECT_END_SWALLOWED;
	if (e->gave_up || !peer_ended)
		return SUSPECT_END_OTHER;
	if (reason > 0)
		return mqtt_reason_blames_message(reason) ? SUSPECT_END_CLOSED : SUSPECT_END_OTHER;
	return clock_monotonic_ns() - e->unnoticed_ns - e->last_sent_ns < SOON_NS
	               ? SUSPECT_END_CLOSED
	               : SUSPECT_END_OTHER;
}

/** Serve one connection from its attempt to its end, then wait. @return false to end the thread. */
static bool connect_and_serve(struct egress *e)
{
	uint64_t begin_ns, stop_by_ns = UINT64_MAX;
	enum egress_end end;
	bool peer_ended;

	take_settings(e);
	if (!egress_connect(e)) {
		if (egress_is_stopping(e, &stop_by_ns))
			return false;
		/* After a stop during this wait, make one more attempt to send the remaining
		 * messages. */
		wait_backoff(e);
		return true;
	}
	begin_ns = clock_monotonic_ns();
	egress_begin_flight(e);
	end = egress_session(e);
	peer_ended = tcp_socket_peer_ended(e->socket);
	disconnect(e);
	egress_end_flight(e, end == EGRESS_LOST ? how_ended(e, peer_ended) : SUSPECT_END_OTHER);
	if (end != EGRESS_LOST)
		return end == EGRESS_RECONFIGURE;
	tell_lost(e, clock_monotonic_ns() - begin_ns, peer_ended);
	if (egress_is_stopping(e, &stop_by_ns))
		return clock_monotonic_ns() < stop_by_ns;
	wait_backoff(e);
	return true;
}

static void *egress_thread(void *user)
{
	struct egress *e = user;
	struct outbox_stats outbox;

	while (connect_and_serve(e))
		;
	outbox_get_stats(e->queues.outbox, &outbox);
	pthread_mutex_lock(&e->mutex);
	e->left_over = outbox.events > 0;
	e->done = true;
	pthread_cond_broadcast(&e->cond);
	pthread_mutex_unlock(&e->mutex);
	return NULL;
}

/* ---- life ---- */

int egress_new(const struct egress_config *config, struct egress **ret_egress)
{
	struct egress *e = calloc(1, sizeof(*e));
	pthread_condattr_t attr;

	if (!e)
		return -ENOMEM;
	e->config = *config;
	topics_event(config->topics, "gateway.gap", e->news_topic);
	e->backoff.min_ns = config->backoff_min_ns;
	e->backoff.max_ns = config->backoff_max_ns;
	e->socket = -1;
	e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->wake_fd < 0) {
		int r = -errno;

		free(e);
		return r;
	}
	pthread_mutex_init(&e->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->cond, &attr);
	pthread_condattr_destroy(&attr);
	*ret_egress = e;
	return 0;
}

int egress_start(struct egress *e, const struct egress_queues *queues,
                 struct mqtt_settings *settings)
{
	sigset_t all, old;
	int r;

	e->queues = *queues;
	e->settings = settings;
	egress_forget_terms(e);
	/* The loop handles signals; paho's threads inherit this mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&e->thread, NULL, egress_thread, e);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	e->started = r == 0;
	return -r;
}

void egress_reconfigure(struct egress *e, struct mqtt_settings *settings)
{
	pthread_mutex_lock(&e->mutex);
	mqtt_settings_free(e->new_settings);
	e->new_settings = settings;
	egress_signal_work(e);
	pthread_mutex_unlock(&e->mutex);
}

int egress_stop(struct egress *e, uint64_t timeout_ns)
{
	/* The thread itself observes the timeout, and needs some of it for `offline`. */
	uint64_t stop_by_ns = clock_monotonic_ns() + timeout_ns;
	uint64_t until_ns = stop_by_ns + 2 * BREAK_NS;
	bool done, left_over;

	if (!e->started)
		return 0;
	pthread_mutex_lock(&e->mutex);
	e->stop = true;
	e->stop_by_ns = stop_by_ns;
	egress_signal_work(e);
	while (!e->done && egress_wait_locked(e, until_ns))
		;
	if (!e->done && e->socket >= 0) {
		(void)shutdown(e->socket, SHUT_RDWR);
		until_ns = clock_monotonic_ns() + BREAK_NS;
		while (!e->done && egress_wait_locked(e, until_ns))
			;
	}
	done = e->done;
	left_over = e->left_over;
	pthread_mutex_unlock(&e->mutex);
	if (!done)
		return -EBUSY;
	pthread_join(e->thread, NULL);
	e->started = false;
	return left_over ? -ETIMEDOUT : 0;
}

struct egress *egress_free(struct egress *e)
{
	if (!e)
		return NULL;
	mqtt_settings_free(e->settings);
	mqtt_settings_free(e->new_settings);
	pthread_cond_destroy(&e->cond);
	pthread_mutex_destroy(&e->mutex);
	close(e->wake_fd);
	free(e);
	return NULL;
}

void egress_get_stats(struct egress *e, struct egress_stats *ret_stats)
{
	pthread_mutex_lock(&e->mutex);
	*ret_stats = e->stats;
	pthread_mutex_unlock(&e->mutex);
}

uint64_t egress_changes(const struct egress *e)
{
	return atomic_load(&e->changes);
}
