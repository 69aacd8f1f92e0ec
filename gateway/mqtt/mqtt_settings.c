/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt_url.h"
#include "same_text.h"

/** Copy a text; NULL copies to NULL. @return false if memory runs out. */
static bool copy_text(char **ret, const char *text)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

static char *make_uri(const struct mqtt_url *url)
{
	char *uri;

	if (asprintf(&uri, "%s://%s%s%s:%u", url->tls ? "mqtts" : "mqtt", url->ipv6 ? "[" : "",
	             url->host, url->ipv6 ? "]" : "", (unsigned)url->port) < 0)
		return NULL;
	return uri;
}

static uint32_t packet_limit(uint64_t max_payload)
{
	/* Larger than the accepted payload, so that a slightly oversized message is refused by
	 * name; a far larger one must never take memory. */
	uint64_t limit = 4 * max_payload + 65536;

	return limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
}

int mqtt_settings_new(const struct config_mqtt *mqtt, const char *client_id_suffix,
                      uint64_t max_payload, struct mqtt_settings **ret_settings)
{
	uint64_t keepalive_s = mqtt->keepalive_ns / CUE_NS_PER_S;
	struct mqtt_settings *settings;
	struct mqtt_url url;

	if (mqtt_url_parse(mqtt->url, &url, NULL) < 0)
		return -EINVAL;
	settings = calloc(1, sizeof(*settings));
	if (!settings)
		return -ENOMEM;
	settings->tls = url.tls;
	settings->protocol = mqtt->protocol;
	settings->keepalive_s = keepalive_s < 1       ? 1
	                        : keepalive_s > 65535 ? 65535
	                                              : (int)keepalive_s;
	settings->max_packet = packet_limit(max_payload);
	settings->window = mqtt->window < 1                 ? 1
	                   : mqtt->window > MQTT_WINDOW_MAX ? MQTT_WINDOW_MAX
	                                                    : mqtt->window;
	settings->port = url.port;
	settings->uri = make_uri(&url);
	if (!settings->uri ||
	    asprintf(&settings->client_id, "%s%s", mqtt->client_id,
	             client_id_suffix ? client_id_suffix : "") < 0 ||
	    !copy_text(&settings->host, url.host) ||
	    !copy_text(&settings->username, mqtt->username) ||
	    !copy_text(&settings->password_file, mqtt->password_file) ||
	    !copy_text(&settings->password_env, mqtt->password_env) ||
	    !copy_text(&settings->ca_file, mqtt->ca_file) ||
	    !copy_text(&settings->cert_file, mqtt->cert_file) ||
	    !copy_text(&settings->key_file, mqtt->key_file)) {
		mqtt_settings_free(settings);
		return -ENOMEM;
	}
	*ret_settings = settings;
	return 0;
}

struct mqtt_settings *mqtt_settings_free(struct mqtt_settings *settings)
{
	if (!settings)
		return NULL;
	free(settings->uri);
	free(settings->client_id);
	free(settings->username);
	free(settings->password_file);
	free(settings->password_env);
	free(settings->host);
	free(settings->ca_file);
	free(settings->cert_file);
	free(settings->key_file);
	free(settings);
	return NULL;
}

bool mqtt_settings_equal(const struct mqtt_settings *a, const struct mqtt_settings *b)
{
	return same_text(a->uri, b->uri) && same_text(a->client_id, b->client_id) &&
	       same_text(a->username, b->username) &&
	       same_text(a->password_file, b->password_file) &&
	       same_text(a->password_env, b->password_env) && same_text(a->ca_file, b->ca_file) &&
	       same_text(a->cert_file, b->cert_file) && same_text(a->key_file, b->key_file) &&
	       a->tls == b->tls && a->protocol == b->protocol && a->keepalive_s == b->keepalive_s &&
	       a->max_packet == b->max_packet && a->window == b->window;
}
