/* SPDX-License-Identifier: Apache-2.0 */
/*
 * P/status. Two gateways that contradict each other must not do so at full speed: the delay doubles
 * from 1 s to 60 s, and is reset after 10 minutes without contradiction.
 *
 *   state | another word arrives | `online` arrives | the delay is over
 *   RIGHT | -> WRONG             | -                | -
 *   WRONG | -                    | -> RIGHT         | publish `online` -> RIGHT
 *
 * Retained topics whose names no longer exist. Messages published while the sweep listens have no
 * retain flag and are ignored, so a publisher that keeps setting such a topic is corrected once a
 * session.
 *
 *   sweep     | retained, not kept here     | no message for 2 s, 30 s, or full     | new session
 *   IDLE      | -                           | (online: subscribe -> LISTENING)      | -> IDLE
 *   LISTENING | clear; full: count no more  | unsubscribe, tell -> DONE             | -> IDLE
 *   DONE      | -                           | -                                     | -> IDLE
 */
#include "egress_watch.h"

#include <cuebus/utf8.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "egress_internal.h"
#include "plural.h"

#define STATUS_DELAY_MIN_NS (1 * CUE_NS_PER_S)
#define STATUS_DELAY_MAX_NS (60 * CUE_NS_PER_S)
#define STATUS_PEACE_NS     (600 * CUE_NS_PER_S)
/* From so many in a row on it is no will that came late. */
#define STATUS_REPEATED 3U

#define SWEEP_QUIET_NS (2 * CUE_NS_PER_S)
#define SWEEP_MAX_NS   (30 * CUE_NS_PER_S)

static const char *const swept[] = { "input", "output", "playlist" };
#define N_SWEPT (sizeof(swept) / sizeof(*swept))

void egress_watch_begin(struct egress *e)
{
	struct egress_watch *watch = &e->watch;

	pthread_mutex_lock(&e->mutex);
	watch->status_wrong = false;
	watch->is_info_foreign = false;
	watch->is_listening = false;
	watch->n_cleared = 0;
	watch->is_full = false;
	pthread_mutex_unlock(&e->mutex);
	watch->sweep = SWEEP_IDLE;
	watch->is_foreign_told = false;
}

void egress_watch_online(struct egress *e)
{
	pthread_mutex_lock(&e->mutex);
	e->watch.status_wrong = false;
	pthread_mutex_unlock(&e->mutex);
}

/* ---- what arrives ---- */

/** What stands below @p above and a slash; NULL: @p topic is not below it. */
static const char *below(const char *topic, const char *above)
{
	size_t len = strlen(above);

	return strncmp(topic, above, len) == 0 && topic[len] == '/' ? topic + len + 1 : NULL;
}

static void take_status(struct egress *e, const struct inbox_message *message)
{
	struct egress_watch *watch = &e->watch;
	bool wrong = message->payload_len != 6 || memcmp(message->payload, "online", 6) != 0;
	size_t len = message->payload_len;

	if (len >= sizeof(watch->status_word))
		len = sizeof(watch->status_word) - 1;
	pthread_mutex_lock(&e->mutex);
	watch->status_wrong = wrong;
	if (wrong && len)
		memcpy(watch->status_word, message->payload, len);
	if (wrong)
		watch->status_word[len] = '\0';
	pthread_mutex_unlock(&e->mutex);
	if (wrong)
		egress_wake(e);
}

static void take_info(struct egress *e, const struct inbox_message *message)
{
	const char *boot_id = e->config.boot_id;

	/* Over MQTT 3.1.1 one's own comes back. */
	if (!boot_id || message->payload_len == 0 ||
	    memmem(message->payload, message->payload_len, boot_id, strlen(boot_id)))
		return;
	pthread_mutex_lock(&e->mutex);
	e->watch.is_info_foreign = true;
	pthread_mutex_unlock(&e->mutex);
	egress_wake(e);
}

/** Whether it can be cleared without harm: a broker may close the connection otherwise. */
static bool is_clearable(const char *topic)
{
	unsigned levels = 1;

	for (const char *p = topic; *p; p++)
		levels += *p == '/';
	return levels <= EGRESS_CLEAR_LEVELS && cue_utf8_is_valid(topic) &&
	       topics_is_publishable(topic);
}

/** @return false when it is not to be looked at: too late, too many. */
static bool count_view(struct egress *e)
{
	struct egress_watch *watch = &e->watch;
	bool take;

	pthread_mutex_lock(&e->mutex);
	take = watch->is_listening && watch->n_cleared < EGRESS_CLEAR_MAX;
	watch->is_full = watch->is_listening && !take;
	pthread_mutex_unlock(&e->mutex);
	return take;
}

static void take_view(struct egress *e, const struct inbox_message *message)
{
	struct egress_watch *watch = &e->watch;

	if (!count_view(e) || !is_clearable(message->topic) ||
	    retained_clear_foreign(e->queues.retained, message->topic) != 1)
		return;
	pthread_mutex_lock(&e->mutex);
	watch->n_cleared++;
	e->stats.retained_cleared++;
	snprintf(watch->example, sizeof(watch->example), "%s", message->topic);
	pthread_mutex_unlock(&e->mutex);
}

/** Any message: while many wait to be read, the answer to an unsubscription waits behind them. */
static void note_heard(struct egress *e)
{
	pthread_mutex_lock(&e->mutex);
	if (e->watch.is_listening)
		e->watch.heard_ns = clock_monotonic_ns();
	pthread_mutex_unlock(&e->mutex);
}

bool egress_watch_message(struct egress *e, const struct inbox_message *message)
{
	const char *rest = below(message->topic, topics_prefix(e->config.topics));

	note_heard(e);
	if (!rest)
		return false;
	if (strcmp(rest, "status") == 0) {
		/* Retained: from before `online` (MQTT 3.1.1 sends it with the subscription). */
		if (!message->retain)
			take_status(e, message);
		return true;
	}
	if (strcmp(rest, "info") == 0) {
		if (!message->retain)
			take_info(e, message);
		return true;
	}
	for (size_t i = 0; i < N_SWEPT; i++) {
		if (!below(rest, swept[i]))
			continue;
		if (message->retain)
			take_view(e, message);
		return true;
	}
	return false;
}

/* ---- corrections ---- */

static void tell_status(struct egress *e, const char *word, bool foreign)
{
	const char *prefix = topics_prefix(e->config.topics);
	unsigned times = e->watch.status_times;

	if (times < STATUS_REPEATED)
		log_write(e->config.log, LOG_LEVEL_NOTICE,
		          "'%.200s/status' was set to '%s' by another client while this gateway is "
		          "connected, as by a will that comes late: 'online' is published again",
		          prefix, word);
	else
		log_write(
		        e->config.log, LOG_LEVEL_WARNING,
		        "'%.200s/status' was set to '%s' by another client for the %uth time in a "
		        "row: 'online' is published again. %s",
		        prefix, word, times,
		        foreign ? "Another gateway with the same gateway.id is running"
		                : "Allow only this gateway to publish there");
}

/** Schedule the next correction, after a delay that grows with consecutive corrections. */
static void plan_status(struct egress_watch *watch, uint64_t now_ns)
{
	bool peace = watch->status_times == 0 || now_ns - watch->status_last_ns >= STATUS_PEACE_NS;

	watch->status_times = peace ? 1 : watch->status_times + 1;
	watch->status_delay_ns = peace ? STATUS_DELAY_MIN_NS : 2 * watch->status_delay_ns;
	if (watch->status_delay_ns > STATUS_DELAY_MAX_NS)
		watch->status_delay_ns = STATUS_DELAY_MAX_NS;
	watch->status_last_ns = now_ns;
	watch->status_due_ns = now_ns + watch->status_delay_ns;
}

static int correct_status(struct egress *e, uint64_t now_ns)
{
	struct egress_watch *watch = &e->watch;
	char word[sizeof(watch->status_word)];
	bool wrong, foreign;
	int r;

	pthread_mutex_lock(&e->mutex);
	wrong = watch->status_wrong;
	foreign = watch->is_info_foreign;
	memcpy(word, watch->status_word, sizeof(word));
	pthread_mutex_unlock(&e->mutex);
	if (foreign && !watch->is_foreign_told) {
		watch->is_foreign_told = true;
		log_write(e->config.log, LOG_LEVEL_ERROR,
		          "another gateway publishes '%.200s/info': two have the same gateway.id; "
		          "give each its own",
		          topics_prefix(e->config.topics));
	}
	if (!wrong || now_ns < watch->status_due_ns)
		return 0;
	egress_watch_online(e);
	r = egress_publish_status(e, "online");
	if (r < 0) {
		pthread_mutex_lock(&e->mutex);
		watch->status_wrong = true;
		pthread_mutex_unlock(&e->mutex);
		return r == -EAGAIN ? 0 : r;
	}
	plan_status(watch, now_ns);
	pthread_mutex_lock(&e->mutex);
	e->stats.status_corrected++;
	pthread_mutex_unlock(&e->mutex);
	tell_status(e, word, foreign);
	return 0;
}

static int begin_sweep(struct egress *e, uint64_t now_ns)
{
	struct egress_watch *watch = &e->watch;
	int r = 0;

	pthread_mutex_lock(&e->mutex);
	watch->is_listening = true;
	watch->heard_ns = now_ns;
	pthread_mutex_unlock(&e->mutex);
	for (size_t i = 0; r == 0 && i < N_SWEPT; i++)
		r = egress_subscribe(e, swept[i], "#", EGRESS_SUBSCRIBE_RETAINED);
	watch->sweep = SWEEP_LISTENING;
	watch->sweep_begin_ns = clock_monotonic_ns();
	return r;
}

static int end_sweep(struct egress *e)
{
	struct egress_watch *watch = &e->watch;
	char topic[TOPIC_SIZE];
	unsigned n;
	bool full;
	int r = 0;

	pthread_mutex_lock(&e->mutex);
	watch->is_listening = false;
	n = watch->n_cleared;
	full = watch->is_full;
	pthread_mutex_unlock(&e->mutex);
	watch->sweep = SWEEP_DONE;
	if (n > 0)
		log_write(e->config.log, full ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		          "%u retained topic%s of removed names %s cleared at the broker, such as "
		          "'%s'%s",
		          n, plural(n), n == 1 ? "is" : "are", watch->example,
		          full ? "; there are more: they are cleared after the next connect" : "");
	for (size_t i = 0; r == 0 && i < N_SWEPT; i++) {
		uint64_t begin_ns = clock_monotonic_ns();

		(void)topics_below(e->config.topics, swept[i], "#", topic);
		r = paho_unsubscribe(e->connection, topic);
		if (r < 0)
			e->unnoticed_ns =
			        clock_monotonic_ns() - begin_ns; /* as in egress_subscribe() */
	}
	return r;
}

static int step_sweep(struct egress *e, uint64_t now_ns)
{
	struct egress_watch *watch = &e->watch;
	uint64_t heard_ns;
	bool full;

	switch (watch->sweep) {
	case SWEEP_IDLE:
		return begin_sweep(e, now_ns);
	case SWEEP_LISTENING:
		pthread_mutex_lock(&e->mutex);
		full = watch->is_full;
		heard_ns = watch->heard_ns;
		pthread_mutex_unlock(&e->mutex);
		if (full || now_ns >= heard_ns + SWEEP_QUIET_NS ||
		    now_ns >= watch->sweep_begin_ns + SWEEP_MAX_NS)
			return end_sweep(e);
		return 0;
	case SWEEP_DONE:
		return 0;
	}
	return 0; /* not reached: the switch is exhaustive */
}

int egress_watch_turn(struct egress *e)
{
	int r = correct_status(e, clock_monotonic_ns());

	return r < 0 ? r : step_sweep(e, clock_monotonic_ns());
}
