/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mqtt_url.h
 * @brief The broker's address, as in `mqtt.url`.
 */
#ifndef CUEBUS_MQTT_URL_H
#define CUEBUS_MQTT_URL_H

#include <stdbool.h>
#include <stdint.h>

#define MQTT_URL_HOST_SIZE 256U

struct mqtt_url {
	bool tls;                      /**< mqtts */
	char host[MQTT_URL_HOST_SIZE]; /**< name or address; an IPv6 address without its brackets */
	bool ipv6;
	uint16_t port; /**< default 1883, with TLS 8883 */
};

/**
 * `mqtt://host[:port]` or `mqtts://host[:port]`, an IPv6 address in brackets, an optional "/" at
 * the end.
 * @param ret_reason optional; on -EINVAL a static text with the error and the remedy.
 * @return 0; -EINVAL.
 */
int mqtt_url_parse(const char *url, struct mqtt_url *ret_url, const char **ret_reason);

#endif
