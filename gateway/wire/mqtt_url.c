/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static int refuse(const char *reason, const char **ret_reason)
{
	if (ret_reason)
		*ret_reason = reason;
	return -EINVAL;
}

static const char *parse_scheme(const char *url, struct mqtt_url *parsed)
{
	static const char plain[] = "mqtt://", tls[] = "mqtts://";

	if (strncmp(url, plain, strlen(plain)) == 0) {
		parsed->port = 1883;
		return url + strlen(plain);
	}
	if (strncmp(url, tls, strlen(tls)) == 0) {
		parsed->tls = true;
		parsed->port = 8883;
		return url + strlen(tls);
	}
	return NULL;
}

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

/** Parse the host. @return the text after it, or NULL. */
static const char *parse_host(const char *s, struct mqtt_url *parsed)
{
	struct in6_addr address;
	size_t len;

	parsed->ipv6 = *s == '[';
	if (parsed->ipv6) {
		s++;
		len = strcspn(s, "]");
		if (s[len] != ']' || len >= sizeof(parsed->host))
			return NULL;
		memcpy(parsed->host, s, len);
		return inet_pton(AF_INET6, parsed->host, &address) == 1 ? s + len + 1 : NULL;
	}
	for (len = 0; is_host_char(s[len]); len++)
		;
	if (len == 0 || len >= sizeof(parsed->host))
		return NULL;
	memcpy(parsed->host, s, len);
	return s + len;
}

static const char *parse_port(const char *s, struct mqtt_url *parsed)
{
	unsigned port = 0;

	if (*s != ':')
		return s;
	for (s++; *s >= '0' && *s <= '9'; s++) {
		port = port * 10 + (unsigned)(*s - '0');
		if (port > UINT16_MAX)
			return NULL;
	}
	if (port == 0)
		return NULL;
	parsed->port = (uint16_t)port;
	return s;
}

/** Refuse text after the host or the port. */
static int refuse_rest(const char *rest, const char *otherwise, const char **ret_reason)
{
	bool ended = *rest == '/' || *rest == '?' || *rest == '#';

	return refuse(ended ? "nothing may follow host and port" : otherwise, ret_reason);
}

int mqtt_url_parse(const char *url, struct mqtt_url *ret_url, const char **ret_reason)
{
	static const char bad_port[] = "the port must be a number from 1 to 65535";
	struct mqtt_url parsed = { 0 };
	const char *s = parse_scheme(url, &parsed);

	if (!s)
		return refuse("it must begin with mqtt:// or, for TLS, mqtts://", ret_reason);
	if (strchr(s, '@'))
		return refuse("user name and password don't belong into it; use \"username\" and "
		              "\"password_file\"",
		              ret_reason);
	s = parse_host(s, &parsed);
	if (!s)
		return refuse("after the scheme it needs a host name, an IPv4 address, or an IPv6 "
		              "address in brackets",
		              ret_reason);
	if (*s && *s != ':' && strcmp(s, "/") != 0)
		return refuse_rest(s,
		                   parsed.ipv6 ? "after an IPv6 address only a port may follow"
		                               : "the host has a character other than a-z, A-Z, "
		                                 "0-9, \".\", \"-\" and \"_\"",
		                   ret_reason);
	s = parse_port(s, &parsed);
	if (!s)
		return refuse(bad_port, ret_reason);
	if (*s && strcmp(s, "/") != 0)
		return refuse_rest(s, bad_port, ret_reason);
	*ret_url = parsed;
	return 0;
}
