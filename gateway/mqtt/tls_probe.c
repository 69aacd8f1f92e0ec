/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "broker_probe.h"
#include "clock.h"
#include "tls_peer.h"

/* Time to wait for a certificate alert. */
#define ALERT_WAIT_MS 500
#define NAMES_SIZE    160U

__attribute__((format(printf, 2, 3))) static void tell(const struct tls_probe *probe,
                                                       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(probe->error, probe->error_size, format, args);
	va_end(args);
}

/** Write the error with the broker's address before it. */
__attribute__((format(printf, 2, 3))) static void tell_broker(const struct tls_probe *probe,
                                                              const char *format, ...)
{
	int len = snprintf(probe->error, probe->error_size, "%s: ", probe->where);
	va_list args;

	if (len < 0 || (size_t)len >= probe->error_size)
		return;
	va_start(args, format);
	vsnprintf(probe->error + len, probe->error_size - (size_t)len, format, args);
	va_end(args);
}

/* ---- the broker's certificate ---- */

/** The error in the broker's certificates; 0: none so far. */
struct verdict {
	int error; /* X509_V_ERR_… */
	int depth; /* 0: the broker's own */
	char names[NAMES_SIZE];
	char from[32], to[32];
};

/** List its names, or their replacement, separated by commas. */
static void list_names(X509 *certificate, char names[NAMES_SIZE])
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	char address[INET6_ADDRSTRLEN];
	size_t len = 0;

	names[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(all) && len < NAMES_SIZE; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
		const char *text = NULL;
		int n = 0;

		if (name->type == GEN_DNS) {
			text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
			n = ASN1_STRING_length(name->d.dNSName);
		} else if (name->type == GEN_IPADD) {
			int size = ASN1_STRING_length(name->d.iPAddress);

			/* The broker may send anything. */
			if (size == 4 || size == 16)
				text = inet_ntop(size == 4 ? AF_INET : AF_INET6,
				                 ASN1_STRING_get0_data(name->d.iPAddress), address,
				                 sizeof(address));
			n = text ? (int)strlen(text) : 0;
		}
		if (n > 0)
			len += (size_t)snprintf(names + len, NAMES_SIZE - len, "%s%.*s",
			                        len > 0 ? ", " : "", n, text);
	}
	GENERAL_NAMES_free(all);
	if (!names[0])
		(void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
		                                names, (int)NAMES_SIZE);
}

static void format_date(const ASN1_TIME *time, char date[32])
{
	struct tm tm = { 0 };

	snprintf(date, 32, "?");
	if (time && ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(date, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/** Record OpenSSL's verdict on the broker's certificates without changing it. */
static int on_verified(int good, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct verdict *verdict = SSL_get_app_data(ssl);
	X509 *faulty = X509_STORE_CTX_get_current_cert(store);

	if (good || !verdict)
		return good;
	verdict->error = X509_STORE_CTX_get_error(store);
	verdict->depth = X509_STORE_CTX_get_error_depth(store);
	if (X509_STORE_CTX_get0_cert(store))
		list_names(X509_STORE_CTX_get0_cert(store), verdict->names);
	format_date(faulty ? X509_get0_notBefore(faulty) : NULL, verdict->from);
	format_date(faulty ? X509_get0_notAfter(faulty) : NULL, verdict->to);
	return 0;
}

static void tell_verdict(const struct tls_probe *probe, const struct verdict *verdict)
{
	const struct mqtt_settings *s = probe->settings;
	const char *which = verdict->depth > 0
	                            ? "the certificate of the authority behind the broker's"
	                            : "the broker's certificate";

	switch (verdict->error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		tell_broker(probe, "%s expired at %s; renew it, or correct this machine's clock",
		            which, verdict->to);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		tell_broker(
		        probe,
		        "%s is valid only from %s on; correct this machine's clock, or renew it",
		        which, verdict->from);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		tell_broker(probe,
		            "the broker's certificate is for '%s', not for '%.100s'; name the "
		            "broker so "
		            "in mqtt.url, or give it a certificate for this name",
		            verdict->names, s->host);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		tell_broker(
		        probe,
		        "the broker's certificate is not signed by an authority of %s%.150s%s; set "
		        "mqtt.ca_file to the certificate of the authority that signed it",
		        s->ca_file ? "mqtt.ca_file '" : "this system", s->ca_file ? s->ca_file : "",
		        s->ca_file ? "'" : "");
		break;
	default:
		tell_broker(probe, "%s is refused: %s", which,
		            X509_verify_cert_error_string(verdict->error));
		break;
	}
}

/* ---- our own files ---- */

/** OpenSSL's error for an unusable file. */
static const char *file_fault(const char *path)
{
	unsigned long code = ERR_peek_error();
	unsigned long last = ERR_peek_last_error();
	struct stat status;

	/* OpenSSL opens a directory, reads nothing, and treats it as an empty file. */
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return "it is a directory; a PEM file is expected";
	if (ERR_SYSTEM_ERROR(code))
		return strerrordesc_np((int)ERR_GET_REASON(code));
	if (ERR_GET_REASON(last) == PEM_R_NO_START_LINE ||
	    ERR_GET_REASON(last) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND)
		return "nothing of that kind is in it; PEM is expected";
	return ERR_reason_error_string(last) ? ERR_reason_error_string(last) : "it can't be used";
}

/** Return no passphrase: otherwise OpenSSL would ask for it on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *asked)
{
	(void)buffer, (void)size, (void)writing;
	*(bool *)asked = true;
	return -1;
}

static int load_client(const struct tls_probe *probe, SSL_CTX *context)
{
	const struct mqtt_settings *s = probe->settings;
	bool asked = false;

	if (!s->cert_file)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(context, s->cert_file) != 1) {
		tell(probe, "mqtt.cert_file '%.150s': %s", s->cert_file, file_fault(s->cert_file));
		return -EIO;
	}
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
	ERR_clear_error();
	if (SSL_CTX_use_PrivateKey_file(context, s->key_file, SSL_FILETYPE_PEM) != 1) {
		bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;

		tell(probe, "mqtt.key_file '%.150s': %s", s->key_file,
		     asked   ? "it is encrypted; the gateway needs it without a passphrase"
		     : other ? "it does not belong to the certificate in mqtt.cert_file"
		             : file_fault(s->key_file));
		return -EIO;
	}
	SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
	return 0;
}

int tls_probe_context(const struct tls_probe *probe, SSL_CTX **ret_context)
{
	const struct mqtt_settings *s = probe->settings;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int r = 0;

	if (!context) {
		tell(probe, "out of memory");
		return -ENOMEM;
	}
	ERR_clear_error();
	(void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	(void)SSL_CTX_set_cipher_list(context, BROKER_TLS_CIPHERS);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verified);
	if (!s->ca_file) {
		(void)SSL_CTX_set_default_verify_paths(context);
	} else if (SSL_CTX_load_verify_locations(context, s->ca_file, NULL) != 1) {
		tell(probe, "mqtt.ca_file '%.150s': %s", s->ca_file, file_fault(s->ca_file));
		r = -EIO;
	}
	if (r == 0)
		r = load_client(probe, context);
	ERR_clear_error();
	if (r < 0)
		SSL_CTX_free(context);
	else
		*ret_context = context;
	return r;
}

/* ---- the handshake ---- */

static void tell_client_certificate(const struct tls_probe *probe, const char *said)
{
	if (probe->settings->cert_file)
		tell_broker(
		        probe,
		        "the broker refused the certificate in mqtt.cert_file (%s); it needs one "
		        "signed by an authority that the broker knows, and not expired",
		        said);
	else
		tell_broker(probe,
		            "the broker wants a client certificate (%s); set mqtt.cert_file and "
		            "mqtt.key_file",
		            said);
}

/** Describe a closed connection: a broker that expects plain MQTT closes it on a handshake. */
static void tell_closed(const struct tls_probe *probe)
{
	tell_broker(probe, "the broker closed the connection in the TLS handshake; is this its TLS "
	                   "port (mqtt:// is for one without)?");
}

/** Describe the first error in OpenSSL's queue. */
static void tell_reason(const struct tls_probe *probe)
{
	unsigned long code = ERR_peek_error();
	const char *said = ERR_reason_error_string(code);

	switch (ERR_GET_REASON(code)) {
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
		tell_client_certificate(probe, said);
		break;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
	case SSL_R_VERSION_TOO_LOW:
		tell_broker(probe,
		            "the broker offers no TLS 1.2 or newer (%s); enable it at the broker",
		            said);
		break;
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_RECORD_LENGTH_MISMATCH:
		tell_broker(probe,
		            "the broker does not speak TLS on this port (%s); use its TLS port, or "
		            "mqtt:// for one without",
		            said);
		break;
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		tell_closed(probe);
		break;
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		/* TLS 1.2's only alert for a missing certificate, and for many other errors. */
		tell_broker(probe, "the broker ended the TLS handshake (%s); %s", said,
		            probe->settings->cert_file
		                    ? "does it know the authority of mqtt.cert_file, and does "
		                      "it allow TLS 1.2 suites with forward secrecy?"
		                    : "if it wants a client certificate, set mqtt.cert_file "
		                      "and mqtt.key_file");
		break;
	default:
		if (said)
			tell_broker(probe, "TLS handshake with the broker failed: %s", said);
		else
			tell_closed(probe); /* by a reset, which OpenSSL does not report */
		break;
	}
}

static int remaining_ms(const struct tls_probe *probe)
{
	uint64_t now_ns = clock_monotonic_ns();

	return now_ns >= probe->until_ns ? 0 : (int)((probe->until_ns - now_ns) / 1000000ULL);
}

/** Wait for the direction that OpenSSL wants. @return false if it wants none, or after the
 * timeout. */
static bool wait_for(SSL *ssl, int r, int timeout_ms)
{
	struct pollfd fd = { .fd = SSL_get_fd(ssl) };

	switch (SSL_get_error(ssl, r)) {
	case SSL_ERROR_WANT_READ:
		fd.events = POLLIN;
		break;
	case SSL_ERROR_WANT_WRITE:
		fd.events = POLLOUT;
		break;
	default:
		return false;
	}
	return poll(&fd, 1, timeout_ms) == 1;
}

static int handshake(const struct tls_probe *probe, SSL *ssl, const struct verdict *verdict)
{
	char byte;
	int r;

	while ((r = SSL_connect(ssl)) != 1) {
		if (wait_for(ssl, r, remaining_ms(probe)))
			continue;
		if (verdict->error)
			tell_verdict(probe, verdict);
		else if (ERR_peek_error() == 0 && remaining_ms(probe) == 0)
			tell_broker(probe, "the broker does not answer the TLS handshake; is this "
			                   "a TLS port?");
		else
			tell_reason(probe);
		return -EPROTO;
	}
	/* TLS 1.3: the verdict on our certificate comes after our handshake is complete. */
	r = SSL_read(ssl, &byte, 1);
	if (r <= 0 && wait_for(ssl, r, ALERT_WAIT_MS))
		r = SSL_read(ssl, &byte, 1);
	if (r <= 0 && SSL_get_error(ssl, r) == SSL_ERROR_SSL) {
		tell_reason(probe);
		return -EPROTO;
	}
	return 0;
}

static SSL *new_ssl(const struct tls_probe *probe, SSL_CTX *context, int fd,
                    struct verdict *verdict)
{
	SSL *ssl = SSL_new(context);

	ERR_clear_error();
	if (!ssl)
		return NULL;
	SSL_set_app_data(ssl, verdict);
	if (SSL_set_fd(ssl, fd) == 1 && tls_peer_set_host(ssl, probe->settings->host) &&
	    tls_peer_set_sni(ssl, probe->settings->host))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

int tls_probe_handshake(const struct tls_probe *probe, SSL_CTX *context, int fd)
{
	struct verdict verdict = { 0 };
	SSL *ssl = new_ssl(probe, context, fd, &verdict);
	int r = -EPROTO;

	if (ssl)
		r = handshake(probe, ssl, &verdict);
	else
		tell(probe, "out of memory");
	SSL_free(ssl);
	ERR_clear_error();
	return r;
}

int tls_probe_open(const struct tls_probe *probe, SSL_CTX *context, int fd, SSL **ret_ssl)
{
	struct verdict verdict = { 0 };
	SSL *ssl = new_ssl(probe, context, fd, &verdict);
	int r;

	if (!ssl)
		return -ENOMEM;
	while ((r = SSL_connect(ssl)) != 1) {
		if (wait_for(ssl, r, remaining_ms(probe)))
			continue;
		SSL_free(ssl);
		ERR_clear_error();
		return -EPROTO;
	}
	SSL_set_app_data(ssl, NULL);
	*ret_ssl = ssl;
	return 0;
}

bool tls_probe_speaks(SSL_CTX *context, int fd, uint64_t until_ns)
{
	const struct tls_probe probe = { .until_ns = until_ns };
	SSL *ssl = SSL_new(context);
	bool speaks = false;
	int r;

	ERR_clear_error();
	if (ssl && SSL_set_fd(ssl, fd) == 1) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		while ((r = SSL_connect(ssl)) != 1 && wait_for(ssl, r, remaining_ms(&probe)))
			;
		/* A server's hello has chosen the suite, or there was an alert. */
		speaks = r == 1 || SSL_get_pending_cipher(ssl) ||
		         ERR_GET_REASON(ERR_peek_error()) > SSL_AD_REASON_OFFSET;
	}
	SSL_free(ssl);
	ERR_clear_error();
	return speaks;
}
