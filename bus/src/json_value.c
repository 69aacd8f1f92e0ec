/* SPDX-License-Identifier: Apache-2.0 */
#include "json_value.h"

#include <cjson/cJSON.h>

bool cue_json_truthy(const struct cJSON *value)
{
	if (cJSON_IsTrue(value))
		return true;
	if (cJSON_IsNumber(value))
		return value->valuedouble < 0 || value->valuedouble > 0;
	if (cJSON_IsString(value))
		return value->valuestring[0] != '\0';
	if (cJSON_IsArray(value) || cJSON_IsObject(value))
		return value->child != NULL;
	return false;
}
