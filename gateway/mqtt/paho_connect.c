/* SPDX-License-Identifier: Apache-2.0 */
/* Try the addresses of the broker's name one by one; if none works, find out why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker_probe.h"
#include "mqtt_reason.h"
#include "paho_internal.h"
#include "password.h"
#include "tcp_socket.h"
#include "tls_peer.h"

/* Timeout of each step of the probe after a failed connect; the connect has its own timeout. */
#define PROBE_TIMEOUT_MS 3000
/* The same with several addresses. */
#define PROBE_EACH_TIMEOUT_MS 1500
/* Time for a new thread to start. */
#define THREAD_WAIT_MS 5000U

/** Common data of the attempts of one paho_connect(). */
struct attempts {
	const struct mqtt_settings *settings;
	const struct paho_options *options;
	const char *password;
	struct broker_addresses addresses;
	int codes[BROKER_ADDRESSES_MAX]; /* paho's codes of the failed attempts */
};

/** @return paho's code. */
static int connect_safely(struct paho_connection *c, const struct attempts *attempts,
                          const struct broker_address *address)
{
	struct tls_peer peer = { 0 };
	int rc;

	if (attempts->settings->tls && tls_peer_begin(attempts->settings, &peer) < 0)
		return MQTTCLIENT_FAILURE; /* the probe will find the unusable file */
	rc = paho_try_connect(c, attempts->settings, attempts->options, address,
	                      attempts->password);
	if (attempts->settings->tls)
		tls_peer_end(&peer);
	return rc;
}

/**
 * When it connects with callbacks, paho starts its thread unless that runs already, and gives up if
 * the thread has not started within 400 ms. On a busy machine it starts later. Another attempt
 * before that would start a second thread, and both would deliver the same message, the second
 * after it was freed.
 * @return whether the thread has started now, but had not before.
 */
static bool await_paho_thread(void)
{
	static const struct timespec step = { .tv_nsec = 1000000 };
	unsigned ms = 0;

	while (ms < THREAD_WAIT_MS && !paho_thread_runs()) {
		nanosleep(&step, NULL);
		ms++;
	}
	return ms > 0 && ms < THREAD_WAIT_MS;
}

/** @param ret_again set on failure: whether the only reason was paho's late thread. @return paho's
 *                  code. */
static int try_address(const struct attempts *attempts, const struct broker_address *address,
                       struct paho_connection **ret_connection, bool *ret_again)
{
	struct paho_connection *c = calloc(1, sizeof(*c));
	struct tcp_socket_set before = { 0 };
	bool known = tcp_socket_remember(&before) == 0;
	int rc = MQTTCLIENT_FAILURE;

	if (c) {
		c->callbacks = *attempts->options->callbacks;
		c->v5 = attempts->settings->protocol == 5;
		c->broker = (struct paho_broker){
			.receive_maximum = 65535, .max_qos = 2, .retain = true, .wildcards = true
		};
		c->socket = -1;
		snprintf(c->address, sizeof(c->address), "%s", address->text);
		pthread_mutex_init(&c->mutex, NULL);
		pthread_cond_init(&c->told_cond, NULL);
		rc = connect_safely(c, attempts, address);
	}
	if (rc == MQTTCLIENT_SUCCESS) {
		c->was_connected = true;
		c->socket = known ? tcp_socket_find(&before) : -1;
		tcp_socket_tune(c->socket, (unsigned)attempts->options->keepalive_s * 1000U);
		atomic_store(&c->handover, PAHO_SETTLING);
		*ret_connection = c;
	} else {
		/* If the broker accepted the connect, the thread must have handled that. */
		*ret_again = c && c->v5 && c->handle && !c->was_connected && await_paho_thread();
		paho_close(c);
	}
	tcp_socket_forget(&before);
	return rc;
}

/** @return paho's code. */
static int connect_address(const struct attempts *attempts, const struct broker_address *address,
                           struct paho_connection **ret_connection)
{
	bool again = false;
	int rc = try_address(attempts, address, ret_connection, &again);

	return again ? try_address(attempts, address, ret_connection, &again) : rc;
}

/** Write a sentence about the failed attempt at one address: the @p rc of paho says what failed,
 * or else a probe finds out. @return the errno of paho_connect(). */
static int tell_failure(const struct broker_probe *probe, int rc)
{
	bool v5 = probe->settings->protocol == 5;
	const char *where = probe->where;
	char *error = probe->error;
	size_t error_size = probe->error_size;

	if (rc == MQTT_REASON_NO_WINDOW || rc == MQTT_REASON_SMALL_PACKET) {
		snprintf(error, error_size, "%s: the broker accepts the connection, but its %s",
		         where, mqtt_reason_text(rc, v5));
		return -ECONNREFUSED;
	}
	if (mqtt_reason_is_version(rc, v5)) {
		snprintf(error, error_size,
		         "%s: the broker refused the connection: %s (%d); set \"protocol\": %s in "
		         "mqtt",
		         where, mqtt_reason_text(rc, v5), rc, v5 ? "\"3.1.1\"" : "5");
		return -ECONNREFUSED;
	}
	if (mqtt_reason_is_access(rc, v5)) {
		snprintf(error, error_size,
		         "%s: the broker refused the client: %s (%d); check mqtt.username, the "
		         "password and the broker's list of users",
		         where, mqtt_reason_text(rc, v5), rc);
		return -EACCES;
	}
	if (mqtt_reason_is_answer(rc, v5)) {
		snprintf(error, error_size, "%s: the broker refused the connection: %s (%d)", where,
		         mqtt_reason_text(rc, v5), rc);
		return -ECONNREFUSED;
	}
	switch (broker_probe(probe)) {
	case BROKER_FAULT_TLS:
		return -EPROTO;
	case BROKER_FAULT_SILENT:
		return -ENODATA;
	case BROKER_FAULT_NETWORK:
		break;
	}
	return -ECONNREFUSED;
}

/** Sort the indices by the addresses' texts: a name server may change the order with each answer,
 * and the same failure would then look different each time. */
static void sort_addresses(const struct broker_addresses *addresses,
                           size_t order[BROKER_ADDRESSES_MAX])
{
	for (size_t i = 0; i < addresses->n; i++) {
		size_t at = i;

		while (at > 0 &&
		       strcmp(addresses->items[order[at - 1]].text, addresses->items[i].text) > 0) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = i;
	}
}

static int worse(int a, int b)
{
	static const int order[] = { -EACCES, -EPROTO, -ECONNREFUSED, -ENODATA };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		if (a == order[i] || b == order[i])
			return order[i];
	}
	return b;
}

/** As tell_failure(), for all addresses. */
static int tell_failures(const struct attempts *attempts, char error[PAHO_ERROR_SIZE])
{
	const struct mqtt_settings *settings = attempts->settings;
	const struct broker_addresses *addresses = &attempts->addresses;
	size_t order[BROKER_ADDRESSES_MAX];
	char where[BROKER_ADDRESS_SIZE + 128];
	struct broker_probe probe = { .settings = settings,
		                      .address = addresses->items,
		                      .where = where,
		                      .timeout_ms = PROBE_TIMEOUT_MS,
		                      .error = error,
		                      .error_size = PAHO_ERROR_SIZE };
	int r = 0, len;

	if (broker_probe_files(settings, error, PAHO_ERROR_SIZE) < 0)
		return -EPROTO;
	if (addresses->n == 1) {
		snprintf(where, sizeof(where), "%.100s:%u", settings->host,
		         (unsigned)settings->port);
		return tell_failure(&probe, attempts->codes[0]);
	}
	len = snprintf(error, PAHO_ERROR_SIZE, "%.100s:%u: no address works, of %zu tried%s",
	               settings->host, (unsigned)settings->port, addresses->n,
	               addresses->left_out ? " (it has more)" : "");
	probe.timeout_ms = PROBE_EACH_TIMEOUT_MS;
	sort_addresses(addresses, order);
	for (size_t i = 0; i < addresses->n && (size_t)len + 3 < PAHO_ERROR_SIZE; i++) {
		snprintf(where, sizeof(where), "at %s", addresses->items[order[i]].text);
		len += snprintf(error + len, PAHO_ERROR_SIZE - (size_t)len, "; ");
		probe.address = &addresses->items[order[i]];
		probe.error = error + len;
		probe.error_size = PAHO_ERROR_SIZE - (size_t)len;
		r = worse(r, tell_failure(&probe, attempts->codes[order[i]]));
		len += (int)strlen(error + len);
	}
	return r;
}

void paho_ignore_proxies(void)
{
	(void)unsetenv("http_proxy");
	(void)unsetenv("https_proxy");
	(void)unsetenv("PAHO_C_CLIENT_USE_HTTP_PROXY");
}

int paho_connect(const struct mqtt_settings *settings, const struct paho_options *options,
                 struct paho_connection **ret_connection, int *ret_answer,
                 char error[PAHO_ERROR_SIZE])
{
	struct attempts attempts = { .settings = settings, .options = options };
	char *password = NULL;
	int r = password_read(settings, &password, error, PAHO_ERROR_SIZE), rc = 0;

	if (r < 0)
		return r == -ENOMEM ? r : -EIO;
	attempts.password = password;
	r = broker_resolve(settings, &attempts.addresses, error, PAHO_ERROR_SIZE);
	for (size_t i = 0; r == 0 && i < attempts.addresses.n; i++) {
		rc = connect_address(&attempts, &attempts.addresses.items[i], ret_connection);
		if (rc == MQTTCLIENT_SUCCESS)
			break;
		attempts.codes[i] = rc;
	}
	password_forget(password);
	if (ret_answer)
		*ret_answer = r == 0 && rc > 0 ? rc : 0;
	return r < 0 || rc == MQTTCLIENT_SUCCESS ? r : tell_failures(&attempts, error);
}
