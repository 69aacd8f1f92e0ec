/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tls_peer.h
 * @brief Whom a TLS connection must find, when paho only knows the address.
 *
 * paho compares the broker's certificate with the host in the URI that it is
 * given, and that is an address here (broker_address.h). It has no option for
 * another name. OpenSSL tells of each context that a thread makes, one for each
 * attempt to connect: there the configured name is set, for the certificate and
 * for SNI.
 *
 * paho itself is given no authority at all. They are set with the name, so a
 * connection that did not come by here trusts nobody.
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
 * From now until tls_peer_end() every connection that this thread makes with
 * OpenSSL accepts only a certificate for settings' host, signed by an authority
 * of its ca_file, or without one of the system's; TLS 1.2 at least, and keys and signatures
 * of the system's security level.
 * @param ret_peer must stay where it is until tls_peer_end(). One at a time for each thread.
 * @return 0; -EIO the ca_file is no good; -ENOMEM.
 */
int tls_peer_begin(const struct mqtt_settings *settings, struct tls_peer *ret_peer);

/** Connections that were made meanwhile keep what was set. To be called after success only. */
void tls_peer_end(struct tls_peer *peer);

/**
 * Have @p ssl accept only a certificate for @p host, a name or an address.
 * @return false: out of memory.
 */
bool tls_peer_set_host(SSL *ssl, const char *host);

/** Ask for @p host by SNI, where it is a name; not for an address (RFC 6066).
 *  @return false: out of memory. */
bool tls_peer_set_sni(SSL *ssl, const char *host);

#endif
