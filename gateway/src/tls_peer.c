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

/* OpenSSL's way to be told of each new SSL is one for the whole process, so what holds
 * for this thread's must be kept beside it. */
static pthread_once_t registered = PTHREAD_ONCE_INIT;
static int registered_index = -1;
static _Thread_local const struct tls_peer *expected;

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

/** paho has put the address there after the SSL was made: this comes later, before the first byte. */
static void on_info(const SSL *ssl, int where, int ret)
{
	(void)ret;
	if (expected && (where & SSL_CB_HANDSHAKE_START))
		(void)tls_peer_set_sni((SSL *)(uintptr_t)ssl, expected->host);
}

static void on_new_ssl(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	SSL *ssl = parent;

	(void)ptr, (void)data, (void)index, (void)argl, (void)argp;
	/* In this order: without the name nobody is trusted. */
	if (!expected || !tls_peer_set_host(ssl, expected->host))
		return;
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	(void)SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
	(void)SSL_ctrl(ssl, SSL_CTRL_SET_VERIFY_CERT_STORE, 1, expected->authorities);
	SSL_set_info_callback(ssl, on_info);
}

static void register_once(void)
{
	registered_index = SSL_get_ex_new_index(0, NULL, on_new_ssl, NULL, NULL);
}

int tls_peer_begin(const struct mqtt_settings *settings, struct tls_peer *ret_peer)
{
	struct tls_peer peer = { .host = settings->host };
	int r = 0;

	(void)pthread_once(&registered, register_once);
	if (registered_index < 0)
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
