/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <string.h>

#include "mqtt_settings.h"

static struct config_mqtt make(const char *url)
{
	static char text[128], id[] = "cuebus-t";

	strncpy(text, url, sizeof(text) - 1);
	return (struct config_mqtt){
		.url = text, .client_id = id, .protocol = 5, .keepalive_ns = 30 * CUE_NS_PER_S
	};
}

static void expect_uri(const char *url, const char *uri, bool tls)
{
	struct config_mqtt mqtt = make(url);
	struct mqtt_settings *settings = NULL;

	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 65536, &settings), 0);
	cr_assert_str_eq(settings->uri, uri);
	cr_assert_eq(settings->tls, tls);
	cr_assert_eq(settings->window, 1, "at least");
	mqtt_settings_free(settings);
}

Test(mqtt_settings, uris_are_as_paho_takes_them)
{
	expect_uri("mqtt://broker", "mqtt://broker:1883", false);
	expect_uri("mqtt://broker:2883", "mqtt://broker:2883", false);
	expect_uri("mqtts://broker", "mqtts://broker:8883", true);
	expect_uri("mqtt://[::1]:1884", "mqtt://[::1]:1884", false);
}

Test(mqtt_settings, refuses_what_is_no_url)
{
	struct config_mqtt mqtt = make("http://broker");
	struct mqtt_settings *settings = NULL;

	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 65536, &settings), -EINVAL);
	cr_assert_null(settings);
}

Test(mqtt_settings, bounds)
{
	struct config_mqtt mqtt = make("mqtt://broker");
	struct mqtt_settings *settings = NULL;

	mqtt.keepalive_ns = 1;
	cr_assert_eq(mqtt_settings_new(&mqtt, "-x", UINT32_MAX, &settings), 0);
	cr_assert_eq(settings->keepalive_s, 1);
	cr_assert_str_eq(settings->client_id, "cuebus-t-x");
	cr_assert_eq(settings->max_packet, UINT32_MAX);
	settings = mqtt_settings_free(settings);
	mqtt.keepalive_ns = 100000 * CUE_NS_PER_S;
	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1000, &settings), 0);
	cr_assert_eq(settings->keepalive_s, 65535);
	cr_assert_eq(settings->max_packet, 4000 + 65536);
	mqtt_settings_free(settings);
}

Test(mqtt_settings, know_a_change)
{
	struct config_mqtt mqtt = make("mqtt://broker");
	struct mqtt_settings *a = NULL, *b = NULL;
	char user[] = "u";

	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1, &a), 0);
	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1, &b), 0);
	cr_assert(mqtt_settings_equal(a, b));
	b = mqtt_settings_free(b);
	mqtt.username = user;
	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1, &b), 0);
	cr_assert_not(mqtt_settings_equal(a, b));
	b = mqtt_settings_free(b);
	mqtt.username = NULL;
	mqtt.protocol = 4;
	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1, &b), 0);
	cr_assert_not(mqtt_settings_equal(a, b));
	mqtt_settings_free(b);
	mqtt_settings_free(a);
}

Test(mqtt_settings, keep_what_a_probe_needs)
{
	struct config_mqtt mqtt = make("mqtts://[::1]:1884");
	struct mqtt_settings *a = NULL, *b = NULL;
	char name[] = "PASSWORD";

	mqtt.window = 7;
	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1, &a), 0);
	cr_assert_str_eq(a->host, "::1");
	cr_assert_eq(a->port, 1884);
	cr_assert_eq(a->window, 7);
	mqtt.window = 8;
	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1, &b), 0);
	cr_assert_not(mqtt_settings_equal(a, b));
	b = mqtt_settings_free(b);
	mqtt.window = 7;
	mqtt.password_env = name;
	cr_assert_eq(mqtt_settings_new(&mqtt, NULL, 1, &b), 0);
	cr_assert_not(mqtt_settings_equal(a, b));
	cr_assert_str_eq(b->password_env, "PASSWORD");
	mqtt_settings_free(b);
	mqtt_settings_free(a);
}
