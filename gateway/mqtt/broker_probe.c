/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_probe.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "mqtt_probe.h"
#include "tls_probe.h"

static uint64_t step_end_ns(const struct broker_probe *probe)
{
	return clock_monotonic_ns() + (uint64_t)(unsigned)probe->timeout_ms * CUE_NS_PER_MS;
}

static struct tls_probe tls_step(const struct broker_probe *probe)
{
	return (struct tls_probe){
		.settings = probe->settings,
		.where = probe->where,
		.until_ns = step_end_ns(probe),
		.error = probe->error,
		.error_size = probe->error_size,
	};
}

/** @return a connected, non-blocking socket, or negative errno. */
static int connect_to(const struct broker_probe *probe)
{
	const struct broker_address *address = probe->address;
	int fd = socket(address->peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address->peer, address->peer_len) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&poll_fd, 1, probe->timeout_ms) == 1)
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

static void tell_unreached(const struct broker_probe *probe, int r)
{
	const char *remedy = "check mqtt.url and the network";

	if (r == -ECONNREFUSED)
		remedy = "is the broker running, and is this its port?";
	else if (r == -ETIMEDOUT)
		remedy = "is the address right, and does no firewall stand between?";
	snprintf(probe->error, probe->error_size, "%s: %s; %s", probe->where, strerrordesc_np(-r),
	         remedy);
}

/* ---- MQTT ---- */

/** Connect again, with TLS if configured, and send a CONNECT. */
static enum mqtt_probe_answer ask(const struct broker_probe *probe, SSL_CTX *context, int protocol)
{
	enum mqtt_probe_answer answer = MQTT_PROBE_CLOSED;
	struct mqtt_probe mqtt = { .fd = connect_to(probe) };
	struct tls_probe tls = tls_step(probe);

	if (mqtt.fd < 0)
		return MQTT_PROBE_CLOSED;
	if (!context || tls_probe_open(&tls, context, mqtt.fd, &mqtt.ssl) == 0) {
		mqtt.until_ns = step_end_ns(probe);
		answer = mqtt_probe_ask(&mqtt, protocol);
	}
	SSL_free(mqtt.ssl);
	close(mqtt.fd);
	return answer;
}

/** Whether a peer that is silent without TLS speaks TLS. */
static bool speaks_tls(const struct broker_probe *probe)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int fd = context ? connect_to(probe) : -1;
	bool speaks = fd >= 0 && tls_probe_speaks(context, fd, step_end_ns(probe));

	if (fd >= 0)
		close(fd);
	SSL_CTX_free(context);
	return speaks;
}

static const char *version_name(int protocol)
{
	return protocol == 5 ? "MQTT 5" : "MQTT 3.1.1";
}

static void tell_other_version(const struct broker_probe *probe, int other)
{
	snprintf(probe->error, probe->error_size,
	         "%s: the broker answers %s only, not %s; set \"protocol\": %s in mqtt",
	         probe->where, version_name(other), version_name(probe->settings->protocol),
	         other == 5 ? "5" : "\"3.1.1\"");
}

static void tell_answer(const struct broker_probe *probe, enum mqtt_probe_answer answer)
{
	const char *text =
	        "reached, but it does not answer as an MQTT broker does; is this its MQTT "
	        "port, and is the broker healthy?";

	if (answer == MQTT_PROBE_SPEAKS)
		text = "the broker answers MQTT, but not this gateway's connect; its log says why";
	else if (answer == MQTT_PROBE_TLS)
		text = "this port speaks TLS; for TLS use mqtts://";
	else if (answer == MQTT_PROBE_HTTP)
		text = "this port speaks HTTP; use the broker's port for MQTT without WebSocket";
	else if (answer == MQTT_PROBE_SILENT)
		text = "reached, but there was no answer to the MQTT connect; is this an MQTT port,"
		       " and "
		       "is the broker healthy?";
	else if (answer == MQTT_PROBE_CLOSED)
		text = "reached, but it closed the connection at the MQTT connect; is this an MQTT "
		       "port? If so, the broker's log says why";
	snprintf(probe->error, probe->error_size, "%s: %s", probe->where, text);
}

static void probe_mqtt(const struct broker_probe *probe, SSL_CTX *context)
{
	int protocol = probe->settings->protocol, other = protocol == 5 ? 4 : 5;
	enum mqtt_probe_answer answer = ask(probe, context, protocol);

	if (answer == MQTT_PROBE_SILENT || answer == MQTT_PROBE_CLOSED ||
	    answer == MQTT_PROBE_VERSION) {
		if (ask(probe, context, other) == MQTT_PROBE_SPEAKS) {
			tell_other_version(probe, other);
			return;
		}
		if (!context && answer != MQTT_PROBE_VERSION && speaks_tls(probe))
			answer = MQTT_PROBE_TLS;
	}
	tell_answer(probe, answer);
}

/* ---- all steps ---- */

int broker_probe_files(const struct mqtt_settings *settings, char *error, size_t error_size)
{
	struct tls_probe tls = { .settings = settings, .error = error, .error_size = error_size };
	SSL_CTX *context = NULL;
	int r = settings->tls ? tls_probe_context(&tls, &context) : 0;

	SSL_CTX_free(context);
	return r == -ENOMEM ? r : r < 0 ? -EPROTO : 0;
}

/** Connect and do the handshake. @return 0; negative errno, with the sentence written. */
static int probe_way(const struct broker_probe *probe, SSL_CTX *context,
                     enum broker_fault *ret_fault)
{
	struct tls_probe tls;
	int fd = connect_to(probe), r = 0;

	if (fd < 0) {
		tell_unreached(probe, fd);
		*ret_fault = BROKER_FAULT_NETWORK;
		return fd;
	}
	tls = tls_step(probe);
	if (context && tls_probe_handshake(&tls, context, fd) < 0) {
		*ret_fault = BROKER_FAULT_TLS;
		r = -EPROTO;
	}
	close(fd);
	return r;
}

enum broker_fault broker_probe(const struct broker_probe *probe)
{
	struct tls_probe tls = tls_step(probe);
	enum broker_fault fault = BROKER_FAULT_SILENT;
	SSL_CTX *context = NULL;

	if (probe->settings->tls && tls_probe_context(&tls, &context) < 0)
		return BROKER_FAULT_TLS;
	if (probe_way(probe, context, &fault) == 0)
		probe_mqtt(probe, context);
	SSL_CTX_free(context);
	return fault;
}
