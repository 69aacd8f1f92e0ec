/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tls_probe.h
 * @brief A TLS handshake that says what went wrong; a part of broker_probe().
 */
#ifndef CUEBUS_TLS_PROBE_H
#define CUEBUS_TLS_PROBE_H

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt_settings.h"

struct tls_probe {
	const struct mqtt_settings *settings; /**< borrowed */
	uint64_t until_ns;                    /**< CLOCK_MONOTONIC */
	char *error;                          /**< one sentence, written on failure */
	size_t error_size;
};

/** Read ca_file, cert_file and key_file. @return 0; -EIO one is no good; -ENOMEM. */
int tls_probe_context(const struct tls_probe *probe, SSL_CTX **ret_context);

/**
 * The handshake on the connected, non-blocking socket @p fd, and what a broker
 * that wants another certificate says right after it.
 * @return 0 all is well; -EPROTO.
 */
int tls_probe_handshake(const struct tls_probe *probe, SSL_CTX *context, int fd);

#endif
