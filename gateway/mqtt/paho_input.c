/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input over MQTT 3.1.1: on the caller's thread.
 *
 * With callbacks paho reads on its own thread and delivers each message without its lock, while the
 * message is still in its queue. If another thread ends a clean 3.1.1 session at that moment (a
 * publish that finds the connection broken), paho empties that queue and frees the message twice.
 * An MQTT 5 session does not empty its queue once it is connected (before that see enum
 * paho_handover) until the handle is destroyed, when paho's thread has ended. MQTT 5 also needs
 * that thread, because only the thread reports the reason of a DISCONNECT.
 *
 * So over 3.1.1 no callback is set, paho has no thread, and it reads within these calls. There is
 * then no report of acknowledgements: a message that paho no longer lists as pending is
 * acknowledged, unless the connection broke.
 */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "paho_internal.h"
#include "tcp_socket.h"

/* A call handles one packet at most, and does not report every kind; TLS may buffer more packets
 * than the socket shows. After this many calls without result there is no more input. */
#define IDLE_CALLS 3U
/* Calls in a row before others have their turn; the socket stays readable for the rest. */
#define CALLS_MAX 1000U
/* Interval of checks without a socket to poll. */
#define BLIND_NS (10 * CUE_NS_PER_MS)

static bool receive_one(struct paho_connection *c)
{
	MQTTClient_message *message = NULL;
	char *topic = NULL;
	int topic_len = 0;

	(void)MQTTClient_receive(c->handle, &topic, &topic_len, &message, 0);
	if (!message)
		return false;
	/* A topic with a NUL is never ours. */
	if (strlen(topic) == (size_t)topic_len)
		paho_pass_on(c, topic, message);
	MQTTClient_freeMessage(&message);
	MQTTClient_free(topic);
	return true;
}

/** @param pending ends with -1; NULL: none. */
static bool is_pending(const int *pending, int token)
{
	for (; pending && *pending != -1; pending++) {
		if (*pending == token)
			return true;
	}
	return false;
}

static bool take_acks(struct paho_connection *c)
{
	unsigned n = c->n_tokens, kept = 0;
	int *pending = NULL;

	if (n == 0 ||
	    MQTTClient_getPendingDeliveryTokens(c->handle, &pending) != MQTTCLIENT_SUCCESS)
		return false;
	/* Messages in flight in a broken session are no longer pending, but not acknowledged. */
	if (paho_is_connected(c)) {
		for (unsigned i = 0; i < n; i++) {
			if (is_pending(pending, c->tokens[i]))
				c->tokens[kept++] = c->tokens[i];
			else
				c->callbacks.acknowledged(c->callbacks.user, c->tokens[i], 0);
		}
		c->n_tokens = kept;
	}
	MQTTClient_free(pending);
	return c->n_tokens < n;
}

static bool is_readable(const struct paho_connection *c)
{
	struct pollfd fd = { .fd = c->socket, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

bool paho_has_own_thread(const struct paho_connection *c)
{
	return c->v5;
}

void paho_handle_input(struct paho_connection *c)
{
	bool any = false;

	if (paho_has_own_thread(c))
		return;
	for (unsigned calls = 0, idle = 0; idle < IDLE_CALLS && calls < CALLS_MAX; calls++) {
		bool some = receive_one(c);

		some = take_acks(c) || some;
		if (!paho_is_connected(c)) {
			paho_tell_lost(c, -1);
			return;
		}
		idle = some || is_readable(c) ? 0 : idle + 1;
		any = any || some;
	}
	if (any)
		tcp_socket_quick_ack(c->socket);
}

void paho_wait_input(struct paho_connection *c, int wake_fd, uint64_t timeout_ns)
{
	struct pollfd fds[] = { { .fd = c->socket, .events = POLLIN },
		                { .fd = wake_fd, .events = POLLIN } };
	struct timespec timeout;

	if (c->socket < 0 && timeout_ns > BLIND_NS)
		timeout_ns = BLIND_NS;
	timeout.tv_sec = (time_t)(timeout_ns / CUE_NS_PER_S);
	timeout.tv_nsec = (long)(timeout_ns % CUE_NS_PER_S);
	(void)ppoll(fds, 2, &timeout, NULL);
	paho_handle_input(c);
}
