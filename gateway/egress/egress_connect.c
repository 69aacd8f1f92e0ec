/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting on terms that the broker accepts. The full terms are the configured keep alive, a
 * retained will of QoS 1, QoS 1 and retained messages. A broker may offer less:
 *
 *   the broker                                 | learnt               | next
 *   CONNACK 0x9A                               | no retained messages | at once, on these terms
 *   CONNACK 0x9B                               | QoS 0 only           | at once, on these terms
 *   accepts, Server Keep Alive is lower        | that keep alive      | at once, on these terms
 *   accepts, Maximum QoS or Retain Available 0 | the same as above    | the session obeys
 *   3.1.1: reached, but no answer              | -                    | trials: no retain, QoS 0,
 *                                              |                      | both, then the full terms
 *   3.1.1: refuses the client id               | -                    | trials: half the keep
 *                                              |                      | alive, down to 5 s, then
 *                                              |                      | the full terms
 *   3.1.1: accepts a trial                     | -                    | at once, to be sure, the
 *                                              |                      | old terms
 *   3.1.1: refuses the old terms and accepts   | the trial's terms    | keeps these terms
 *          the trial, eight times in turns     |                      |
 *
 * The learnt terms apply until the settings change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "egress_internal.h"

#define CONNECT_TIMEOUT_S 5
/* A repeated failure is logged once in this time. */
#define TELL_AGAIN_NS (300 * CUE_NS_PER_S)
/* Connects in a row, each with other terms. */
#define ROUNDS            6U
#define KEEPALIVE_LEAST_S 5
/* How often in turn the full terms must be refused and the trial accepted. */
#define PROOFS 8U

#define CONNACK_RETAIN 0x9A
#define CONNACK_QOS    0x9B
#define CONNACK_ID_311 2

/** Reset the state shared with the callbacks, so that nothing of the previous session remains. */
static void reset_shared(struct egress *e)
{
	pthread_mutex_lock(&e->mutex);
	e->lost = false;
	e->lost_reason = -1;
	e->n_acks = 0;
	e->acks_overrun = false;
	pthread_mutex_unlock(&e->mutex);
}

/** Log a failure at once; the same failure again only from time to time. */
static void tell_failure(struct egress *e, int r, const char error[PAHO_ERROR_SIZE])
{
	struct egress_failures *failures = &e->failures;
	enum log_level level = r == -ECONNREFUSED || r == -EHOSTUNREACH || r == -ENODATA
	                               ? LOG_LEVEL_WARNING
	                               : LOG_LEVEL_ERROR;
	uint64_t now_ns = clock_monotonic_ns();

	failures->attempts++;
	if (failures->attempts > 1 && strcmp(failures->error, error) == 0) {
		if (now_ns - failures->told_ns < TELL_AGAIN_NS)
			return;
		log_write(e->config.log, level,
		          "still no connection to the broker, %u attempts: %s", failures->attempts,
		          error);
	} else {
		log_write(e->config.log, level, "no connection to the broker: %s", error);
		snprintf(failures->error, sizeof(failures->error), "%s", error);
	}
	failures->told_ns = now_ns;
}

/* ---- terms ---- */

void egress_forget_terms(struct egress *e)
{
	e->terms = (struct egress_terms){ .keepalive_s = e->settings->keepalive_s,
		                          .max_qos = 1,
		                          .retain = true };
	e->trial = e->terms;
	e->is_wildcard_told = false;
}

static bool is_trial(const struct egress *e)
{
	return e->trial.keepalive_s != e->terms.keepalive_s ||
	       e->trial.max_qos != e->terms.max_qos || e->trial.retain != e->terms.retain;
}

/** Set @p terms as the broker's, and log the consequences. */
static void learn(struct egress *e, const struct egress_terms *terms)
{
	if (terms->keepalive_s != e->terms.keepalive_s)
		log_write(e->config.log, LOG_LEVEL_NOTICE,
		          "the broker's longest keep alive is %d s: used instead of mqtt.keepalive",
		          terms->keepalive_s);
	if (terms->max_qos < e->terms.max_qos)
		log_write(e->config.log, LOG_LEVEL_NOTICE,
		          "the broker accepts QoS 0 only: nothing is acknowledged, and messages "
		          "that are in flight when the connection breaks may be lost");
	if (!terms->retain && e->terms.retain)
		log_write(e->config.log, LOG_LEVEL_NOTICE,
		          "the broker accepts no retained messages: status and views are published "
		          "without the retain flag, and reach only clients that are subscribed");
	e->terms = e->trial = *terms;
}

/** Learn from an accepted CONNECT. @return whether to connect again. */
static bool learn_connack(struct egress *e)
{
	const struct paho_broker *broker = paho_get_broker(e->connection);
	struct egress_terms terms = e->terms;
	bool again = broker->keepalive_s > 0 && broker->keepalive_s < e->trial.keepalive_s;

	if (again)
		terms.keepalive_s = broker->keepalive_s;
	if (broker->max_qos < terms.max_qos)
		terms.max_qos = broker->max_qos;
	terms.retain = terms.retain && broker->retain;
	if (e->settings->protocol == 5)
		learn(e, &terms);
	if (!broker->wildcards && !e->is_wildcard_told)
		log_write(e->config.log, LOG_LEVEL_WARNING,
		          "the broker accepts no subscriptions with wildcards: nothing on P/emit "
		          "and P/cmd will arrive");
	e->is_wildcard_told = !broker->wildcards;
	return again;
}

/** Learn from a refused CONNECT of MQTT 5. @return whether to connect again. */
static bool learn_refusal(struct egress *e, int answer)
{
	struct egress_terms terms = e->terms;

	if (answer == CONNACK_RETAIN)
		terms.retain = false;
	else if (answer == CONNACK_QOS)
		terms.max_qos = 0;
	if (terms.retain == e->terms.retain && terms.max_qos == e->terms.max_qos)
		return false;
	learn(e, &terms);
	return true;
}

/** MQTT 3.1.1 does not report limits: choose the terms of the next trial. */
static void next_trial(struct egress *e, int r, int answer)
{
	struct egress_terms trial = e->trial;

	e->trial = e->terms;
	if (e->settings->protocol == 5)
		return;
	if (r == -ENODATA) {
		e->trial.retain = !trial.retain && e->terms.retain;
		if (trial.retain)
			e->trial.max_qos = trial.max_qos;
		else
			e->trial.max_qos = trial.max_qos ? 0 : e->terms.max_qos;
	} else if (answer == CONNACK_ID_311 && trial.keepalive_s > KEEPALIVE_LEAST_S) {
		e->trial.keepalive_s = trial.keepalive_s / 2 > KEEPALIVE_LEAST_S
		                               ? trial.keepalive_s / 2
		                               : KEEPALIVE_LEAST_S;
	}
}

/* ---- connecting ---- */

static int connect_on(struct egress *e, const struct egress_terms *terms, int *ret_answer,
                      char error[PAHO_ERROR_SIZE])
{
	struct paho_callbacks callbacks = egress_callbacks(e);
	char topic[TOPIC_SIZE];
	struct paho_will will = {
		.topic = topic, .payload = "offline", .qos = terms->max_qos, .retain = terms->retain
	};
	struct paho_options options = { .callbacks = &callbacks,
		                        .will = &will,
		                        .timeout_s = CONNECT_TIMEOUT_S,
		                        .keepalive_s = terms->keepalive_s };

	reset_shared(e);
	(void)topics_below(e->config.topics, "status", NULL, topic);
	return paho_connect(e->settings, &options, &e->connection, ret_answer, error);
}

/**
 * As connect_on(), for an attempt that directly follows another one: with a slow broker, several
 * attempts must not delay the end of the process.
 */
static int connect_again(struct egress *e, const struct egress_terms *terms, int *ret_answer,
                         char error[PAHO_ERROR_SIZE])
{
	uint64_t stop_by_ns;

	if (egress_is_stopping(e, &stop_by_ns)) {
		*ret_answer = 0;
		snprintf(error, PAHO_ERROR_SIZE, "stopped before the broker's terms were known");
		return -ECANCELED;
	}
	return connect_on(e, terms, ret_answer, error);
}

/**
 * Confirm a trial that was accepted: the broker has a limit only if it refuses the old terms now. A
 * network that breaks connections at random may look the same, and learning QoS 0 from that would
 * lose all acknowledgements. So refusal and acceptance must alternate PROOFS times.
 */
static int confirm_trial(struct egress *e, int *ret_answer, char error[PAHO_ERROR_SIZE])
{
	struct egress_terms trial = e->trial;
	int r = 0;

	e->trial = e->terms;
	for (unsigned i = 0; r == 0 && i < PROOFS; i++) {
		e->connection = paho_close(e->connection);
		r = connect_again(e, &e->terms, ret_answer, error);
		if (r == 0 || (r != -ENODATA && *ret_answer == 0))
			return r;
		r = connect_again(e, &trial, ret_answer, error);
	}
	if (r == 0)
		learn(e, &trial);
	return r;
}

static int connect_on_some_terms(struct egress *e, char error[PAHO_ERROR_SIZE])
{
	int answer = 0, r = -ECONNREFUSED;

	for (unsigned round = 0; round < ROUNDS; round++) {
		/* Make the first attempt at a stop too, to send the remaining messages. */
		r = round == 0 ? connect_on(e, &e->trial, &answer, error)
		               : connect_again(e, &e->trial, &answer, error);
		if (r == 0 && is_trial(e))
			r = confirm_trial(e, &answer, error);
		if (r == 0 && learn_connack(e))
			e->connection = paho_close(e->connection);
		else if (r == 0 || e->settings->protocol != 5 || !learn_refusal(e, answer))
			break;
	}
	if (r < 0)
		next_trial(e, r, answer);
	return r == 0 && !e->connection ? -ECONNREFUSED : r;
}

bool egress_connect(struct egress *e)
{
	char error[PAHO_ERROR_SIZE] = "the broker accepts no terms";
	unsigned maximum;
	int r = connect_on_some_terms(e, error);

	pthread_mutex_lock(&e->mutex);
	if (r < 0) {
		e->stats.failures++;
	} else {
		e->stats.connects++;
		e->polls = !paho_has_own_thread(e->connection);
		e->socket = paho_dup_socket(e->connection);
	}
	pthread_mutex_unlock(&e->mutex);
	suspects_attempted(&e->suspects, r >= 0);
	egress_tell_changed(e);
	if (r < 0) {
		tell_failure(e, r, error);
		return false;
	}
	e->failures = (struct egress_failures){ 0 };
	maximum = paho_get_broker(e->connection)->receive_maximum;
	e->window = maximum < e->settings->window ? maximum : e->settings->window;
	log_write(e->config.log, LOG_LEVEL_INFO, "connected to %s (%s) as '%s' (MQTT %s)",
	          e->settings->uri, paho_get_address(e->connection), e->settings->client_id,
	          e->settings->protocol == 5 ? "5" : "3.1.1");
	return true;
}
