/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <string.h>

#include "secret_name.h"

Test(secret_name, names_that_say_so)
{
	static const char *const secret[] = { "MQTT_PW",   "PASSWORD", "DB_PASSWD", "SECRETV",
		                              "my_secret", "API_KEY",  "APIKEY",    "TOKEN_1",
		                              "key",       "CRED",     "MQTT_PASS", "CREDENTIALS",
		                              "WIFI_PSK",  "x_pin_y",  "AUTH" };
	static const char *const plain[] = { "KEYBOARD", "GATEWAY_ID", "MQTT_URL", "HOME",
		                             "SPINDLE",  "PASSAGE",    "PWDX",     "",
		                             "_",        "AUTHOR" };

	for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
		cr_assert(secret_name_is_one(secret[i], strlen(secret[i])), "%s", secret[i]);
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		cr_assert_not(secret_name_is_one(plain[i], strlen(plain[i])), "%s", plain[i]);
	cr_assert_not(secret_name_is_one("GATE_KEY", 5)); /* only as far as it goes */
}
