/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "broker_address.h"

static void expect_uri(char *host, bool tls, uint16_t port, const char *uri)
{
	struct mqtt_settings settings = { .host = host, .tls = tls, .port = port };
	struct broker_addresses addresses;
	char error[256] = "", *got;

	cr_assert_eq(broker_resolve(&settings, &addresses, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(addresses.n, 1);
	cr_assert_eq(addresses.left_out, 0);
	got = broker_address_uri(&settings, &addresses.items[0]);
	cr_assert_str_eq(got, uri);
	free(got);
}

Test(broker_address, of_an_address)
{
	char ipv4[] = "127.0.0.1", ipv6[] = "::1", long_ipv6[] = "2001:0db8:0000::0001";

	expect_uri(ipv4, false, 1883, "mqtt://127.0.0.1:1883");
	expect_uri(ipv4, true, 8883, "mqtts://127.0.0.1:8883");
	expect_uri(ipv6, true, 1, "mqtts://[::1]:1");
	expect_uri(long_ipv6, false, 65535, "mqtt://[2001:db8::1]:65535");
}

Test(broker_address, has_its_port)
{
	char host[] = "127.0.0.1";
	struct mqtt_settings settings = { .host = host, .port = 4242 };
	struct broker_addresses addresses;
	struct sockaddr_in peer;
	char error[256] = "";

	cr_assert_eq(broker_resolve(&settings, &addresses, error, sizeof(error)), 0);
	cr_assert_eq(addresses.items[0].peer_len, sizeof(peer));
	memcpy(&peer, &addresses.items[0].peer, sizeof(peer));
	cr_assert_eq(ntohs(peer.sin_port), 4242);
	cr_assert_eq(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

Test(broker_address, a_name_that_is_none)
{
	/* Too long for a name: no name server is asked. */
	char host[300];
	struct mqtt_settings settings = { .host = host, .port = 1883 };
	struct broker_addresses addresses = { .n = 77 };
	char error[256] = "";

	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	cr_assert_eq(broker_resolve(&settings, &addresses, error, sizeof(error)), -EHOSTUNREACH);
	cr_assert(strstr(error, "can't be resolved"), "%s", error);
	cr_assert_eq(addresses.n, 77);
}
