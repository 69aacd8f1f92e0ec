/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a server's answer to our TLS ClientHello: the probe ends, and on failure gives the
 * reason in one line. The seeds have alerts, what is no TLS, and the first flight of TLS 1.2
 * servers, in which the certificates are in clear and come before anything that depends on our
 * random numbers.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tls_probe.h"

#define TIMEOUT_NS 1000000000ULL
#define UNTOUCHED  "untouched"

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/** @return our end of a connection whose other end has sent this and no more. */
static int answer(const uint8_t *data, size_t size, int *ret_peer)
{
	int fds[2];

	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	FUZZ_CHECK(size == 0 || write(fds[1], data, size) == (ssize_t)size);
	FUZZ_CHECK(shutdown(fds[1], SHUT_WR) == 0);
	*ret_peer = fds[1];
	return fds[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char host[] = "localhost", address[] = "127.0.0.1";
	static SSL_CTX *context;
	struct mqtt_settings settings = { .host = size % 2 ? address : host, .tls = true };
	char error[256] = UNTOUCHED;
	struct tls_probe probe = { .settings = &settings,
		                   .where = "broker.example:8883",
		                   .error = error,
		                   .error_size = sizeof(error) };
	int fd, peer, r;

	if (!context) {
		signal(SIGPIPE, SIG_IGN);
		FUZZ_CHECK(tls_probe_context(&probe, &context) == 0);
	}
	fd = answer(data, size, &peer);
	probe.until_ns = now_ns() + TIMEOUT_NS;
	r = tls_probe_handshake(&probe, context, fd);
	/* A server can't answer random numbers that it has not seen. */
	FUZZ_CHECK(r == -EPROTO);
	FUZZ_CHECK(strcmp(error, UNTOUCHED) != 0 && error[0] && strlen(error) < sizeof(error));
	close(fd);
	close(peer);
	return 0;
}
