/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_address.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_listed(const struct broker_addresses *addresses, const char *text)
{
	for (size_t i = 0; i < addresses->n; i++) {
		if (strcmp(addresses->items[i].text, text) == 0)
			return true;
	}
	return false;
}

static void add(struct broker_addresses *addresses, const struct addrinfo *info)
{
	struct broker_address address = { .peer_len = info->ai_addrlen };

	if ((info->ai_family != AF_INET && info->ai_family != AF_INET6) ||
	    info->ai_addrlen > sizeof(address.peer) ||
	    getnameinfo(info->ai_addr, info->ai_addrlen, address.text, sizeof(address.text), NULL,
	                0, NI_NUMERICHOST) != 0 ||
	    is_listed(addresses, address.text))
		return;
	memcpy(&address.peer, info->ai_addr, info->ai_addrlen);
	if (addresses->n < BROKER_ADDRESSES_MAX)
		addresses->items[addresses->n++] = address;
	else
		addresses->left_out++;
}

static void tell_unresolved(const struct mqtt_settings *settings, int r, char *error,
                            size_t error_size)
{
	const char *why = "it has no IPv4 or IPv6 address";

	if (r == EAI_SYSTEM)
		why = strerrordesc_np(errno);
	else if (r != 0)
		why = gai_strerror(r);
	snprintf(error, error_size,
	         "the name '%.100s' can't be resolved: %s; check mqtt.url and the %s",
	         settings->host, why,
	         r == EAI_AGAIN ? "name server (DNS): it does not answer" : "name server (DNS)");
}

int broker_resolve(const struct mqtt_settings *settings, struct broker_addresses *ret_addresses,
                   char *error, size_t error_size)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct broker_addresses addresses = { 0 };
	struct addrinfo *list = NULL;
	char service[8];
	int r;

	snprintf(service, sizeof(service), "%u", (unsigned)settings->port);
	r = getaddrinfo(settings->host, service, &hints, &list);
	for (const struct addrinfo *info = r == 0 ? list : NULL; info; info = info->ai_next)
		add(&addresses, info);
	if (addresses.n == 0)
		tell_unresolved(settings, r, error, error_size);
	if (r == 0)
		freeaddrinfo(list);
	if (addresses.n == 0)
		return -EHOSTUNREACH;
	*ret_addresses = addresses;
	return 0;
}

char *broker_address_uri(const struct mqtt_settings *settings, const struct broker_address *address)
{
	bool ipv6 = address->peer.ss_family == AF_INET6;
	char *uri;

	if (asprintf(&uri, "%s://%s%s%s:%u", settings->tls ? "mqtts" : "mqtt", ipv6 ? "[" : "",
	             address->text, ipv6 ? "]" : "", (unsigned)settings->port) < 0)
		return NULL;
	return uri;
}
