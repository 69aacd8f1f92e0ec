/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file broker_probe.h
 * @brief Why no connection to the broker comes about, in one sentence with the remedy.
 *
 * paho says little more than "it failed". So the name is resolved beforehand,
 * and after a failure the same way is gone once more, step by step: connect,
 * and with TLS the handshake with the same files, suites and checks. Nothing of
 * MQTT is sent, so no password either. Blocks: not for the loop's thread.
 */
#ifndef CUEBUS_BROKER_PROBE_H
#define CUEBUS_BROKER_PROBE_H

#include <stddef.h>

#include "mqtt_settings.h"

/* Only suites that TLS 1.2 brought, so nothing older can be negotiated (paho
 * can't set a lowest version); those of TLS 1.3 are not affected. */
#define BROKER_TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"

/** @return 0 the host's name can be resolved; -EHOSTUNREACH, @p error says why not. */
int broker_resolve(const struct mqtt_settings *settings, char *error, size_t error_size);

/** What stood in the way of a connection just now. */
enum broker_fault {
	BROKER_FAULT_NETWORK, /**< not resolved, not reached */
	BROKER_FAULT_TLS,    /**< reached, and the handshake failed; or a file of ours is no good */
	BROKER_FAULT_SILENT, /**< all of that is fine: it did not answer as an MQTT broker would */
};

/** @p error gets the sentence; takes up to about twice @p timeout_ms. */
enum broker_fault broker_probe(const struct mqtt_settings *settings, int timeout_ms, char *error,
                               size_t error_size);

#endif
