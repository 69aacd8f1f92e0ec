/* SPDX-License-Identifier: Apache-2.0 */
/* Checks between the fields of `mqtt`: TLS and secrets. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config_check.h"
#include "config_reader.h"
#include "mqtt_url.h"
#include "utf8.h"

/** The member of @p node, or @p node itself, to place a finding on. */
static const struct jsonc_node *at(const struct jsonc_node *node, const char *key)
{
	const struct jsonc_node *child = jsonc_get(node, key);

	return child ? child : node;
}

static bool is_loopback(const struct mqtt_url *url)
{
	struct in_addr address;
	struct in6_addr address6;

	if (url->ipv6)
		return inet_pton(AF_INET6, url->host, &address6) == 1 &&
		       IN6_IS_ADDR_LOOPBACK(&address6);
	if (inet_pton(AF_INET, url->host, &address) == 1)
		return ntohl(address.s_addr) >> 24 == 127;
	return strcmp(url->host, "localhost") == 0;
}

/** Warn of settings that need TLS. */
static void check_plain(struct config_reader *reader, const struct jsonc_node *node,
                        const struct config_mqtt *mqtt, const struct mqtt_url *url)
{
	static const char *const tls_keys[] = { "ca_file", "cert_file", "key_file" };

	for (size_t i = 0; i < sizeof(tls_keys) / sizeof(*tls_keys); i++) {
		const struct jsonc_node *key = jsonc_get(node, tls_keys[i]);

		if (key)
			config_key_finding(reader, DIAG_WARNING, key, "unused-key",
			                   "key \"%s\" has no effect without TLS; use mqtts://",
			                   tls_keys[i]);
	}
	if ((mqtt->password_file || mqtt->password_env) && !is_loopback(url))
		config_finding(reader, DIAG_WARNING, at(node, "url"), "plain-password",
		               "without TLS the password can be read on the network; use mqtts://");
}

static void check_password(struct config_reader *reader, const struct jsonc_node *node,
                           const struct config_mqtt *mqtt)
{
	const struct jsonc_node *env = jsonc_get(node, "password_env");

	if (mqtt->password_file && mqtt->password_env)
		config_key_finding(reader, DIAG_ERROR, env, "password",
		                   "give either \"password_file\" or \"password_env\"");
	if ((mqtt->password_file || mqtt->password_env) && !jsonc_get(node, "username") &&
	    mqtt->protocol == 4)
		config_key_finding(reader, DIAG_ERROR,
		                   at(node, mqtt->password_file ? "password_file" : "password_env"),
		                   "missing-key",
		                   "MQTT 3.1.1 has no password without \"username\"");
	/* The sender of a configuration must not learn about the environment. */
	if (mqtt->password_env && !reader->foreign && !secure_getenv(mqtt->password_env))
		config_finding(reader, DIAG_ERROR, env, "environment",
		               "environment variable %.*s is not set",
		               utf8_fit(mqtt->password_env, 64), mqtt->password_env);
}

static void check_mode(struct config_reader *reader, const struct jsonc_node *node, const char *key,
                       const char *path)
{
	struct stat st;

	/* A missing file is reported when it is needed: the service may provide it. */
	if (!path || stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IROTH) == 0)
		return;
	config_finding(reader, DIAG_WARNING, at(node, key), "secret-readable",
	               "everybody on this machine can read %.*s (mode %03o); let only the "
	               "gateway's user read it, e.g. chmod 600",
	               utf8_fit(path, 200), path, (unsigned)st.st_mode & 0777U);
}

void config_check_mqtt(struct config_reader *reader, const struct jsonc_node *node, void *object,
                       bool sound)
{
	const struct config_mqtt *mqtt = object;
	struct mqtt_url url;

	if (!jsonc_get(node, "cert_file") != !jsonc_get(node, "key_file"))
		config_key_finding(
		        reader, DIAG_ERROR,
		        at(node, jsonc_get(node, "cert_file") ? "cert_file" : "key_file"),
		        "missing-key", "\"cert_file\" and \"key_file\" need each other");
	check_password(reader, node, mqtt);
	/* A configuration from the network must not reveal anything about files. */
	if (reader->local) {
		check_mode(reader, node, "password_file", mqtt->password_file);
		check_mode(reader, node, "key_file", mqtt->key_file);
	}
	if (sound && mqtt_url_parse(mqtt->url, &url, NULL) == 0 && !url.tls)
		check_plain(reader, node, mqtt, &url);
}
