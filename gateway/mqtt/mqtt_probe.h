/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mqtt_probe.h
 * @brief Probe the other end of a connection with a plain MQTT CONNECT and classify the answer.
 *
 * The CONNECT has no client id, user name or password: nothing secret is sent, and no session of
 * another client is disturbed.
 */
#ifndef CUEBUS_MQTT_PROBE_H
#define CUEBUS_MQTT_PROBE_H

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_probe_answer {
	MQTT_PROBE_SILENT, /**< no answer in time */
	MQTT_PROBE_CLOSED, /**< the connection ended */
	MQTT_PROBE_SPEAKS, /**< a CONNACK of this version, even a refusal */
	/** it refuses this version, or answers in another one */
	MQTT_PROBE_VERSION,
	MQTT_PROBE_TLS, /**< a TLS alert */
	MQTT_PROBE_HTTP,
	MQTT_PROBE_OTHER, /**< other bytes */
};

struct mqtt_probe {
	int fd;            /**< connected, non-blocking; borrowed */
	SSL *ssl;          /**< after its handshake, or NULL; borrowed */
	uint64_t until_ns; /**< CLOCK_MONOTONIC */
};

/** Send a CONNECT and wait for the answer or the timeout. @param protocol 5 or 4. */
enum mqtt_probe_answer mqtt_probe_ask(const struct mqtt_probe *probe, int protocol);

/** Classify the first bytes of an answer. @param n at least 1. */
enum mqtt_probe_answer mqtt_probe_read(const unsigned char *bytes, size_t n, int protocol);

#endif
