/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_probe.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "tls_probe.h"

static int resolve(const struct mqtt_settings *settings, struct addrinfo **ret_list, char *error,
                   size_t error_size)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char service[8];
	int r;

	snprintf(service, sizeof(service), "%u", (unsigned)settings->port);
	r = getaddrinfo(settings->host, service, &hints, ret_list);
	if (r == 0)
		return 0;
	snprintf(error, error_size,
	         "the name '%.100s' can't be resolved: %s; check mqtt.url and the %s",
	         settings->host, r == EAI_SYSTEM ? strerrordesc_np(errno) : gai_strerror(r),
	         r == EAI_AGAIN ? "name server (DNS): it does not answer" : "name server (DNS)");
	return -EHOSTUNREACH;
}

int broker_resolve(const struct mqtt_settings *settings, char *error, size_t error_size)
{
	struct addrinfo *list = NULL;
	int r = resolve(settings, &list, error, error_size);

	if (r == 0)
		freeaddrinfo(list);
	return r;
}

/** @return a connected, non-blocking socket, or negative errno. */
static int connect_to(const struct addrinfo *address, int timeout_ms)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&poll_fd, 1, timeout_ms) == 1)
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

/** paho takes the first IPv4 address, or else the first: so must the probe. */
static const struct addrinfo *choose(const struct addrinfo *list)
{
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		if (a->ai_family == AF_INET)
			return a;
	}
	return list;
}

static void tell_unreached(const struct mqtt_settings *settings, int r, char *error,
                           size_t error_size)
{
	const char *remedy = "check mqtt.url and the network";

	if (r == -ECONNREFUSED)
		remedy = "is the broker running, and is this its port?";
	else if (r == -ETIMEDOUT)
		remedy = "is the address right, and does no firewall stand between?";
	snprintf(error, error_size, "%.100s:%u: %s; %s", settings->host, (unsigned)settings->port,
	         strerrordesc_np(-r), remedy);
}

static enum broker_fault probe_tls(const struct tls_probe *probe, SSL_CTX *context, int fd)
{
	const struct mqtt_settings *settings = probe->settings;

	if (tls_probe_handshake(probe, context, fd) < 0)
		return BROKER_FAULT_TLS;
	snprintf(probe->error, probe->error_size,
	         "%.100s:%u: TLS is well, but there was no answer to the MQTT connect; is this an "
	         "MQTT port, and is the broker healthy?",
	         settings->host, (unsigned)settings->port);
	return BROKER_FAULT_SILENT;
}

static enum broker_fault probe_plain(const struct mqtt_settings *settings, char *error,
                                     size_t error_size)
{
	snprintf(error, error_size,
	         "%.100s:%u: reached, but there was no answer to the MQTT connect; is this an MQTT "
	         "port without TLS (for TLS use mqtts://), and is the broker healthy?",
	         settings->host, (unsigned)settings->port);
	return BROKER_FAULT_SILENT;
}

enum broker_fault broker_probe(const struct mqtt_settings *settings, int timeout_ms, char *error,
                               size_t error_size)
{
	struct tls_probe tls = {
		.settings = settings,
		.error = error,
		.error_size = error_size,
	};
	enum broker_fault fault = BROKER_FAULT_NETWORK;
	SSL_CTX *context = NULL;
	struct addrinfo *list = NULL;
	int fd;

	if (settings->tls && tls_probe_context(&tls, &context) < 0)
		return BROKER_FAULT_TLS;
	if (resolve(settings, &list, error, error_size) == 0) {
		fd = connect_to(choose(list), timeout_ms);
		freeaddrinfo(list);
		tls.until_ns = loop_monotonic_ns() + (uint64_t)(unsigned)timeout_ms * CUE_NS_PER_MS;
		if (fd < 0)
			tell_unreached(settings, fd, error, error_size);
		else
			fault = settings->tls ? probe_tls(&tls, context, fd)
			                      : probe_plain(settings, error, error_size);
		if (fd >= 0)
			close(fd);
	}
	SSL_CTX_free(context);
	return fault;
}
