/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_probe.h"

#include <cuebus/event.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "clock.h"

#define CONNACK            0x20
#define TLS_ALERT          0x15
#define UNACCEPTABLE_3_1_1 0x01 /* "unacceptable protocol version" */
#define UNSUPPORTED_5      0x84 /* "unsupported protocol version" */

/* Clean start, keepalive 10 s, empty client id. */
static const char connect_3_1_1[] = "\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00";
static const char connect_5[] = "\x10\x0d\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x00";
static const char goodbye[] = "\xe0\x00";

enum mqtt_probe_answer mqtt_probe_read(const unsigned char *bytes, size_t n, int protocol)
{
	if (bytes[0] == CONNACK && n >= 4) {
		bool other_form = (bytes[1] == 2) != (protocol == 4);

		if (other_form || bytes[3] == UNSUPPORTED_5 ||
		    (protocol == 4 && bytes[3] == UNACCEPTABLE_3_1_1))
			return MQTT_PROBE_VERSION;
		return MQTT_PROBE_SPEAKS;
	}
	if (bytes[0] == TLS_ALERT && n >= 2 && bytes[1] == 0x03)
		return MQTT_PROBE_TLS;
	if (n >= 4 && memcmp(bytes, "HTTP", 4) == 0)
		return MQTT_PROBE_HTTP;
	return MQTT_PROBE_OTHER;
}

static int remaining_ms(const struct mqtt_probe *probe)
{
	uint64_t now_ns = clock_monotonic_ns();

	return now_ns >= probe->until_ns ? 0 : (int)((probe->until_ns - now_ns) / CUE_NS_PER_MS);
}

/** Send a small packet: it fits into an empty send buffer. */
static bool send_all(const struct mqtt_probe *probe, const char *bytes, size_t n)
{
	if (probe->ssl)
		return SSL_write(probe->ssl, bytes, (int)n) == (int)n;
	return send(probe->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/** @return number of bytes read; 0 at the end; -EAGAIN wait for more. */
static ssize_t receive_some(const struct mqtt_probe *probe, unsigned char *bytes, size_t n)
{
	ssize_t got;
	int r;

	if (probe->ssl) {
		r = SSL_read(probe->ssl, bytes, (int)n);
		if (r > 0)
			return r;
		r = SSL_get_error(probe->ssl, r);
		return r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE ? -EAGAIN : 0;
	}
	got = recv(probe->fd, bytes, n, 0);
	if (got >= 0)
		return got;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0;
}

enum mqtt_probe_answer mqtt_probe_ask(const struct mqtt_probe *probe, int protocol)
{
	const char *packet = protocol == 5 ? connect_5 : connect_3_1_1;
	size_t size = protocol == 5 ? sizeof(connect_5) : sizeof(connect_3_1_1);
	enum mqtt_probe_answer answer;
	unsigned char bytes[4];
	size_t n = 0;

	ERR_clear_error();
	if (!send_all(probe, packet, size - 1))
		return MQTT_PROBE_CLOSED;
	while (n < sizeof(bytes)) {
		struct pollfd fd = { .fd = probe->fd, .events = POLLIN };
		ssize_t got = receive_some(probe, bytes + n, sizeof(bytes) - n);

		if (got > 0)
			n += (size_t)got;
		else if (got == 0)
			break;
		else if (poll(&fd, 1, remaining_ms(probe)) != 1)
			return n > 0 ? mqtt_probe_read(bytes, n, protocol) : MQTT_PROBE_SILENT;
	}
	answer = n > 0 ? mqtt_probe_read(bytes, n, protocol) : MQTT_PROBE_CLOSED;
	if (answer == MQTT_PROBE_SPEAKS)
		(void)send_all(probe, goodbye, sizeof(goodbye) - 1);
	return answer;
}
