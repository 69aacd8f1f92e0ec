/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "mqtt_url.h"

#include <errno.h>
#include <string.h>

Test(mqtt_url, forms_and_default_ports)
{
	static const struct {
		const char *url, *host;
		unsigned port;
		bool tls, ipv6;
	} cases[] = {
		{ "mqtt://broker", "broker", 1883, false, false },
		{ "mqtts://broker", "broker", 8883, true, false },
		{ "mqtt://broker/", "broker", 1883, false, false },
		{ "mqtt://192.0.2.1:1884", "192.0.2.1", 1884, false, false },
		{ "mqtts://a-b.example_x.org:65535/", "a-b.example_x.org", 65535, true, false },
		{ "mqtt://[2001:db8::1]", "2001:db8::1", 1883, false, true },
		{ "mqtts://[::1]:8884", "::1", 8884, true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mqtt_url url;

		cr_assert_eq(mqtt_url_parse(cases[i].url, &url, NULL), 0, "%s", cases[i].url);
		cr_assert_str_eq(url.host, cases[i].host);
		cr_assert_eq(url.port, cases[i].port);
		cr_assert_eq(url.tls, cases[i].tls);
		cr_assert_eq(url.ipv6, cases[i].ipv6);
	}
}

Test(mqtt_url, faults_say_what_would_be_right)
{
	static const struct {
		const char *url, *part;
	} cases[] = {
		{ "", "mqtt://" },
		{ "broker", "mqtt://" },
		{ "tcp://broker", "mqtt://" },
		{ "MQTT://broker", "mqtt://" },
		{ "mqtt://", "host name" },
		{ "mqtt://:1883", "host name" },
		{ "mqtt://[::1", "host name" },
		{ "mqtt://[nonsense]", "host name" },
		{ "mqtt://u@broker", "password_file" },
		{ "mqtt://u:p@broker", "password_file" },
		{ "mqtt://broker:", "port" },
		{ "mqtt://broker:0", "port" },
		{ "mqtt://broker:65536", "port" },
		{ "mqtt://broker:99999999999999999999", "port" },
		{ "mqtt://broker:18x", "the port must be a number" },
		{ "mqtt://broker:x", "the port must be a number" },
		{ "mqtt://broker:18 ", "the port must be a number" },
		{ "mqtt://broker/path", "nothing may follow" },
		{ "mqtt://broker:18/path", "nothing may follow" },
		{ "mqtt://broker?query", "nothing may follow" },
		{ "mqtt://broker:18#x", "nothing may follow" },
		{ "mqtt://bro ker", "the host has a character" },
		{ "mqtt://bro ker:18", "the host has a character" },
		{ "mqtt://br\xc3\xb6ker", "the host has a character" },
		{ "mqtt://[::1]x", "after an IPv6 address" },
		{ "mqtt://[::1]/x", "nothing may follow" },
		{ "mqtt://::1", "host name" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mqtt_url url = { .port = 7 };
		const char *reason = NULL;

		cr_assert_eq(mqtt_url_parse(cases[i].url, &url, &reason), -EINVAL, "%s",
		             cases[i].url);
		cr_assert(strstr(reason, cases[i].part), "%s: %s", cases[i].url, reason);
		cr_assert_eq(url.port, 7);
	}
}

Test(mqtt_url, overlong_host_is_refused)
{
	char url[400] = "mqtt://";
	struct mqtt_url parsed;

	memset(url + 7, 'a', 256);
	cr_assert_eq(mqtt_url_parse(url, &parsed, NULL), -EINVAL);
	url[7 + 255] = '\0';
	cr_assert_eq(mqtt_url_parse(url, &parsed, NULL), 0);
	cr_assert_eq(strlen(parsed.host), 255);
}
