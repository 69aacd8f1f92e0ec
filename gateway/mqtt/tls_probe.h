/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tls_probe.h
 * @brief A TLS handshake with an error text; a part of broker_probe().
 */
#ifndef CUEBUS_TLS_PROBE_H
#define CUEBUS_TLS_PROBE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt_settings.h"

struct tls_probe {
	const struct mqtt_settings *settings; /**< borrowed */
	const char *where; /**< beginning of a sentence about the broker; borrowed */
	uint64_t until_ns; /**< CLOCK_MONOTONIC */
	char *error;       /**< one sentence, written on failure */
	size_t error_size;
};

/** Read ca_file, cert_file and key_file. @return 0; -EIO a file is unusable; -ENOMEM. */
int tls_probe_context(const struct tls_probe *probe, SSL_CTX **ret_context);

/**
 * Do the handshake on the connected, non-blocking socket @p fd, and wait for the alert of a broker
 * that wants another certificate.
 * @return 0; -EPROTO.
 */
int tls_probe_handshake(const struct tls_probe *probe, SSL_CTX *context, int fd);

/**
 * Do the handshake to send data afterwards. No sentence is written.
 * @param ret_ssl free it with SSL_free(); it does not own @p fd.
 * @return 0; -EPROTO; -ENOMEM.
 */
int tls_probe_open(const struct tls_probe *probe, SSL_CTX *context, int fd, SSL **ret_ssl);

/** Whether the peer of @p fd, connected and non-blocking, answers a TLS handshake, with any
 * certificate or alert. */
bool tls_probe_speaks(SSL_CTX *context, int fd, uint64_t until_ns);

#endif
