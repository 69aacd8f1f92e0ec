/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file broker_probe.h
 * @brief Why no connection to the broker comes about, in one sentence with the remedy.
 *
 * paho says little more than "it failed". After a failure repeat connect, TLS
 * handshake (with the same files, suites and checks) and a bare MQTT CONNECT, to
 * find the step that fails. No password is sent. Blocks: not for the loop's thread.
 *
 *   found                                      | hint
 *   not connected                              | the network's error
 *   TLS handshake failed                       | tls_probe.h
 *   CONNACK in the configured version          | the broker's log
 *   CONNACK in the other version only          | mqtt.protocol
 *   configured without TLS, and TLS is spoken  | mqtts://
 *   HTTP                                       | another port
 *   anything else, or nothing                  | is this an MQTT port
 */
#ifndef CUEBUS_BROKER_PROBE_H
#define CUEBUS_BROKER_PROBE_H

#include <stddef.h>

#include "broker_address.h"
#include "mqtt_settings.h"

/* Only suites that TLS 1.2 brought, so nothing older can be negotiated (paho
 * can't set a lowest version); those of TLS 1.3 are not affected. */
#define BROKER_TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"

/** What stood in the way of a connection just now. */
enum broker_fault {
	BROKER_FAULT_NETWORK, /**< not reached */
	BROKER_FAULT_TLS,     /**< reached, and the handshake failed */
	BROKER_FAULT_SILENT,  /**< all of that is fine: it did not answer as an MQTT broker would */
};

/**
 * Check ca_file, cert_file and key_file of @p settings.
 * @return 0; -EPROTO one is no good, @p error says which; -ENOMEM.
 */
int broker_probe_files(const struct mqtt_settings *settings, char *error, size_t error_size);

/**
 * Find what is wrong at one address.
 * @param where      what the sentence begins with: the broker, as the user knows it.
 * @param timeout_ms for each step, of which there are up to five.
 */
enum broker_fault broker_probe(const struct mqtt_settings *settings,
                               const struct broker_address *address, const char *where,
                               int timeout_ms, char *error, size_t error_size);

#endif
