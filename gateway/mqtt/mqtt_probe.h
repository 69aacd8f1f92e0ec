/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mqtt_probe.h
 * @brief What is at the other end of a connection: a bare MQTT CONNECT, and what comes back.
 *
 * The CONNECT has no client id, user name or password: nothing secret is sent,
 * and no session of another client is disturbed.
 */
#ifndef CUEBUS_MQTT_PROBE_H
#define CUEBUS_MQTT_PROBE_H

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_probe_answer {
	MQTT_PROBE_SILENT, /**< nothing in time */
	MQTT_PROBE_CLOSED, /**< the connection ended */
	MQTT_PROBE_SPEAKS, /**< a CONNACK of this version, be it a refusal */
	/** it says that it does not speak this version, or answers in another */
	MQTT_PROBE_VERSION,
	MQTT_PROBE_TLS, /**< a TLS alert */
	MQTT_PROBE_HTTP,
	MQTT_PROBE_OTHER, /**< bytes that are neither */
};

struct mqtt_probe {
	int fd;            /**< connected, non-blocking; borrowed */
	SSL *ssl;          /**< after its handshake, or NULL; borrowed */
	uint64_t until_ns; /**< CLOCK_MONOTONIC */
};

/** @param protocol 5 or 4. Blocks until there is an answer or the time is up. */
enum mqtt_probe_answer mqtt_probe_ask(const struct mqtt_probe *probe, int protocol);

/** What the first bytes of an answer mean. @param n at least 1. */
enum mqtt_probe_answer mqtt_probe_read(const unsigned char *bytes, size_t n, int protocol);

#endif
