/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mqtt_settings.h
 * @brief The settings of a connection: a copy independent of the configuration.
 *
 * The egress thread owns a copy, so a reload can free the configuration during a connect.
 * Immutable; any thread may read it.
 */
#ifndef CUEBUS_MQTT_SETTINGS_H
#define CUEBUS_MQTT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config_model.h"
#include "mqtt_limits.h"

struct mqtt_settings {
	char *uri; /**< mqtt://host:port or mqtts://host:port */
	char *client_id;
	char *username;      /**< NULL: none */
	char *password_file; /**< NULL: none */
	char *password_env;  /**< name of an environment variable; NULL: none */
	char *ca_file;
	char *cert_file;
	char *key_file;
	char *host; /**< as in the URL, an IPv6 address without brackets */
	uint16_t port;
	bool tls;
	int protocol; /**< 5 or 4 */
	int keepalive_s;
	unsigned window; /**< QoS 1 messages unacknowledged at most, 1 to MQTT_WINDOW_MAX */
	/** our Maximum Packet Size (MQTT 5): the broker sends no larger packets */
	uint32_t max_packet;
};

/**
 * @param client_id_suffix appended to the configured client id; NULL: nothing.
 * @param max_payload      limits.payload_bytes
 * @return 0; -EINVAL malformed URL; -ENOMEM.
 */
int mqtt_settings_new(const struct config_mqtt *mqtt, const char *client_id_suffix,
                      uint64_t max_payload, struct mqtt_settings **ret_settings);
struct mqtt_settings *mqtt_settings_free(struct mqtt_settings *settings);
bool mqtt_settings_equal(const struct mqtt_settings *a, const struct mqtt_settings *b);

#endif
