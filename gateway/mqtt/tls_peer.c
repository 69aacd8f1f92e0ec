/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL's callback for each new SSL_CTX is global for the process, so the settings of this
 * thread are stored separately. The callback for each new SSL is not usable: from OpenSSL 3.2 on
 * it runs before the SSL is initialised. */
static pthread_once_t registered = PTHREAD_ONCE_INIT;
static int registered_index = -1;
static _Thread_local const struct tls_peer *expected;

/* A number of no extension (reserved by RFC 8701): it is never sent, but OpenSSL calls its
 * callback. */
#define NO_EXTENSION 0x0A0A

/** Data of a context, which may outlive the attempt. */
struct kept {
	int security_level;
	char host[];
};

static bool is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

bool tls_peer_set_host(SSL *ssl, const char *host)
{
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1;
}

bool tls_peer_set_sni(SSL *ssl, const char *host)
{
	/* SSL_set_tlsext_host_name() without the macro's cast, which clang warns of. */
	return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
	                is_address(host) ? NULL : (void *)(uintptr_t)host) == 1;
}

/** Correct the settings of an SSL: after its creation paho sets the address as its name, and up to
 * 1.3.12 also security level 1 instead of the system's, which accepts keys of 1,024 bits. This
 * callback runs later, while the first message is built, but before OpenSSL adds its own
 * extensions. @return 0: add nothing. */
static int on_hello(SSL *ssl, unsigned type, unsigned context, const unsigned char **ret_bytes,
                    size_t *ret_len, X509 *certificate, size_t chain_index, int *ret_alert,
                    void *user)
{
	struct kept *kept = user;

	(void)type, (void)context, (void)ret_bytes, (void)ret_len, (void)certificate;
	(void)chain_index, (void)ret_alert;
	SSL_set_security_level(ssl, kept->security_level);
	(void)tls_peer_set_sni(ssl, kept->host);
	return 0;
}

/** Set the expected peer of a context; each SSL created from it inherits this. After a failure it
 * trusts nobody. */
static void set_expected(SSL_CTX *context, struct kept *kept)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	const char *host = kept->host;

	/* Set the name first: without it no authority must be trusted. */
	if ((is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
	                      : X509_VERIFY_PARAM_set1_host(param, host, 0)) != 1)
		return;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_add_custom_ext(context, NO_EXTENSION, SSL_EXT_CLIENT_HELLO, on_hello, NULL,
	                           kept, NULL, NULL) != 1)
		return;
	SSL_CTX_set1_cert_store(context, expected->authorities);
}

static void on_new_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                           void *argp)
{
	size_t size = expected ? strlen(expected->host) + 1 : 0;
	struct kept *kept = expected ? malloc(sizeof(*kept) + size) : NULL;

	(void)ptr, (void)argl, (void)argp;
	if (!kept)
		return;
	kept->security_level = expected->security_level;
	memcpy(kept->host, expected->host, size);
	if (CRYPTO_set_ex_data(data, index, kept) == 1)
		set_expected(parent, kept);
	else
		free(kept);
}

static void on_free_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                            void *argp)
{
	(void)parent, (void)data, (void)index, (void)argl, (void)argp;
	free(ptr);
}

static void register_once(void)
{
	registered_index = SSL_CTX_get_ex_new_index(0, NULL, on_new_context, NULL, on_free_context);
}

/** @return the security level of a new context, from OpenSSL's configuration; negative: out of
 *         memory. */
static int system_security_level(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int level = context ? SSL_CTX_get_security_level(context) : -1;

	SSL_CTX_free(context);
	return level;
}

int tls_peer_begin(const struct mqtt_settings *settings, struct tls_peer *ret_peer)
{
	struct tls_peer peer = { .host = settings->host,
		                 .security_level = system_security_level() };
	int r = 0;

	(void)pthread_once(&registered, register_once);
	if (registered_index < 0 || peer.security_level < 0)
		return -ENOMEM;
	peer.authorities = X509_STORE_new();
	if (!peer.authorities)
		return -ENOMEM;
	ERR_clear_error();
	if (!settings->ca_file)
		(void)X509_STORE_set_default_paths(peer.authorities);
	else if (X509_STORE_load_file(peer.authorities, settings->ca_file) != 1)
		r = -EIO;
	ERR_clear_error();
	if (r < 0) {
		X509_STORE_free(peer.authorities);
		return r;
	}
	*ret_peer = peer;
	expected = ret_peer;
	return 0;
}

void tls_peer_end(struct tls_peer *peer)
{
	expected = NULL;
	X509_STORE_free(peer->authorities);
	*peer = (struct tls_peer){ 0 };
}
