/* SPDX-License-Identifier: Apache-2.0 */
#include "version_print.h"

#include <cjson/cJSON.h>
#include <drivers/driver.h>

#include "loop.h"
#include "outbox.h"
#include "paho_connection.h"
#include "version.h"

void version_print(FILE *stream)
{
	fprintf(stream, "cuebus %s\n", version_text());
	fprintf(stream, "cJSON %s\n", cJSON_Version());
	fprintf(stream, "%s\n", driver_gpio_version());
	fprintf(stream, "libuv %s\n", loop_library_version());
	fprintf(stream, "paho-mqtt3cs %s\n", paho_version());
	fprintf(stream, "SQLite %s\n", outbox_library_version());
}
