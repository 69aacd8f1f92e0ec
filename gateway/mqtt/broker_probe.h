/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file broker_probe.h
 * @brief Find out why the connection to the broker fails: one sentence with the remedy.
 *
 * paho says little more than "it failed". After a failure repeat connect, TLS handshake (with the
 * same files, suites and checks) and a bare MQTT CONNECT, to find the step that fails. No password
 * is sent. Blocks: not for the loop's thread.
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

/** The step at which a connection failed. */
enum broker_fault {
	BROKER_FAULT_NETWORK, /**< the broker was not reached */
	BROKER_FAULT_TLS,     /**< the TLS handshake failed */
	/** connection and handshake succeeded, but there was no answer of an MQTT broker */
	BROKER_FAULT_SILENT,
};

/**
 * Check ca_file, cert_file and key_file of @p settings.
 * @return 0; -EPROTO a file is unusable, @p error names it; -ENOMEM.
 */
int broker_probe_files(const struct mqtt_settings *settings, char *error, size_t error_size);

/** One address to examine. */
struct broker_probe {
	const struct mqtt_settings *settings;
	const struct broker_address *address;
	const char *where; /**< beginning of the sentence: the broker, as configured */
	int timeout_ms;    /**< for each of up to five steps */
	char *error;       /**< where to write the sentence */
	size_t error_size;
};

/** Find the error at one address, and write the sentence about it. */
enum broker_fault broker_probe(const struct broker_probe *probe);

#endif
