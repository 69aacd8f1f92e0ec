/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tls_peer.h
 * @brief Verify the peer of a TLS connection by name, although paho only knows the address.
 *
 * paho compares the broker's certificate with the host in its URI, which is an address here
 * (broker_address.h). It has no option for another name. OpenSSL has a callback for each context
 * that a thread creates, one for each attempt to connect. It sets the configured name, for the
 * certificate and for SNI.
 *
 * paho itself gets no authorities. They are set together with the name, so a connection that
 * bypasses this file trusts nobody.
 */
#ifndef CUEBUS_TLS_PEER_H
#define CUEBUS_TLS_PEER_H

#include <openssl/types.h>
#include <stdbool.h>

#include "mqtt_settings.h"

struct tls_peer {
	const char *host; /**< borrowed from the settings */
	X509_STORE *authorities;
	int security_level; /**< OpenSSL's, of this system */
};

/**
 * Until tls_peer_end() every connection that this thread makes with OpenSSL accepts only a
 * certificate for settings' host, signed by an authority of its ca_file, or without ca_file by one
 * of the system's; TLS 1.2 at least, and keys and signatures of the system's security level.
 * @param ret_peer must not move until tls_peer_end(). One at a time for each thread.
 * @return 0; -EIO the ca_file is unusable; -ENOMEM.
 */
int tls_peer_begin(const struct mqtt_settings *settings, struct tls_peer *ret_peer);

/** End it; connections made meanwhile keep their settings. Call it only after success. */
void tls_peer_end(struct tls_peer *peer);

/**
 * Let @p ssl accept only a certificate for @p host, a name or an address.
 * @return false: out of memory.
 */
bool tls_peer_set_host(SSL *ssl, const char *host);

/** Send @p host by SNI if it is a name; not an address (RFC 6066). @return false: out of memory. */
bool tls_peer_set_sni(SSL *ssl, const char *host);

#endif
