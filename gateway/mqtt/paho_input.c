/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input over MQTT 3.1.1: on the caller's thread.
 *
 * With callbacks paho reads on a thread of its own and hands each message over while it
 * does not hold its lock and the message is still in its queue. A clean session of 3.1.1
 * that another thread ends at that moment (a publish that finds the connection broken)
 * empties that queue: the message is freed twice, as valgrind shows. A session of MQTT 5
 * leaves its queue alone once it is connected (before: enum paho_handover) until the
 * handle is destroyed, when paho's thread has ended; and it needs that thread, which alone
 * tells a DISCONNECT's reason.
 *
 * So over 3.1.1 no callback is set, there is no such thread, and paho reads within these
 * calls. It has no call then that tells of an acknowledgement: what it does not list as
 * pending any more is acknowledged, unless the connection broke.
 */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "paho_internal.h"
#include "tcp_socket.h"

/* A call handles one packet at most, and does not say so of every kind; TLS may hold more
 * of them than the socket shows. So many calls without anything are the end. */
#define IDLE_CALLS 3U
/* Then others have their turn; what is left shows at the socket. */
#define CALLS_MAX 1000U
/* Without a socket to poll it is looked so often. */
#define BLIND_NS (10 * CUE_NS_PER_MS)

static bool receive_one(struct paho_connection *c)
{
	MQTTClient_message *message = NULL;
	char *topic = NULL;
	int topic_len = 0;

	(void)MQTTClient_receive(c->handle, &topic, &topic_len, &message, 0);
	if (!message)
		return false;
	/* One with a NUL in it is none of ours. */
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
	/* What a broken session had in flight is forgotten, not acknowledged. */
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
