/* SPDX-License-Identifier: Apache-2.0 */
#include "version_print.h"

#include <MQTTClient.h>
#include <cjson/cJSON.h>
#include <drivers/driver.h>
#include <sqlite3.h>
#include <string.h>
#include <uv.h>

#include "version.h"

/** paho tells its version as name and value pairs. */
static const char *paho_version(void)
{
	const MQTTClient_nameValue *info = MQTTClient_getVersionInfo();

	for (; info && info->name; info++) {
		if (strcmp(info->name, "Version") == 0)
			return info->value;
	}
	return "unknown";
}

void version_print(FILE *stream)
{
	fprintf(stream, "cuebus %s\n", version_text());
	fprintf(stream, "cJSON %s\n", cJSON_Version());
	fprintf(stream, "%s\n", driver_gpio_version());
	fprintf(stream, "libuv %s\n", uv_version_string());
	fprintf(stream, "paho-mqtt3cs %s\n", paho_version());
	fprintf(stream, "SQLite %s\n", sqlite3_libversion());
}
