/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file broker_address.h
 * @brief The addresses of the broker's name.
 *
 * paho resolves a name itself, but tries only one address. So the gateway resolves the name and
 * passes the addresses to paho one by one.
 */
#ifndef CUEBUS_BROKER_ADDRESS_H
#define CUEBUS_BROKER_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#include "mqtt_settings.h"

/** Further addresses are ignored: each one can take seconds. */
#define BROKER_ADDRESSES_MAX 8U
/** An IPv6 address with a scope, `fe80::1%eth0`, and its NUL. */
#define BROKER_ADDRESS_SIZE 64U

struct broker_address {
	struct sockaddr_storage peer;
	socklen_t peer_len;
	char text[BROKER_ADDRESS_SIZE]; /**< numeric, without brackets and port */
};

struct broker_addresses {
	/** in the system's order of preference */
	struct broker_address items[BROKER_ADDRESSES_MAX];
	size_t n;
	size_t left_out;
};

/**
 * Resolve the host of @p settings to its IPv4 and IPv6 addresses, without duplicates. Blocks as
 * long as the name server takes: not for the loop's thread.
 * @return 0, with at least one address; -EHOSTUNREACH, @p error has the reason.
 */
int broker_resolve(const struct mqtt_settings *settings, struct broker_addresses *ret_addresses,
                   char *error, size_t error_size);

/** @return `mqtt://` or `mqtts://` with the address and the port,
 *  malloc()ed; NULL: out of memory. */
char *broker_address_uri(const struct mqtt_settings *settings,
                         const struct broker_address *address);

#endif
