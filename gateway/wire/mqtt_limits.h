/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mqtt_limits.h
 * @brief Limits of the connection to the broker that the configuration and the connection share.
 */
#ifndef CUEBUS_MQTT_LIMITS_H
#define CUEBUS_MQTT_LIMITS_H

/** Maximum of `mqtt.window`: unacknowledged QoS 1 messages. */
#define MQTT_WINDOW_MAX 100U

#endif
