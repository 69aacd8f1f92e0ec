/* SPDX-License-Identifier: Apache-2.0 */
#include "json_value.h"

#include <string.h>

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

static bool same_length(const cJSON *a, const cJSON *b)
{
	for (a = a->child, b = b->child; a && b; a = a->next)
		b = b->next;
	return !a && !b;
}

static bool arrays_equal(const cJSON *a, const cJSON *b)
{
	for (a = a->child, b = b->child; a && b; a = a->next, b = b->next) {
		if (!cue_json_equal(a, b))
			return false;
	}
	return !a && !b;
}

static bool objects_equal(const cJSON *a, const cJSON *b)
{
	if (!same_length(a, b))
		return false;
	for (const cJSON *member = a->child; member; member = member->next) {
		const cJSON *other = cJSON_GetObjectItemCaseSensitive(b, member->string);

		if (!other || !cue_json_equal(member, other))
			return false;
	}
	return true;
}

bool cue_json_equal(const struct cJSON *a, const struct cJSON *b)
{
	if (cJSON_IsNumber(a))
		return cJSON_IsNumber(b) && a->valuedouble <= b->valuedouble &&
		       a->valuedouble >= b->valuedouble;
	if (cJSON_IsString(a))
		return cJSON_IsString(b) && strcmp(a->valuestring, b->valuestring) == 0;
	if (cJSON_IsArray(a))
		return cJSON_IsArray(b) && arrays_equal(a, b);
	if (cJSON_IsObject(a))
		return cJSON_IsObject(b) && objects_equal(a, b);
	return (cJSON_IsTrue(a) && cJSON_IsTrue(b)) || (cJSON_IsFalse(a) && cJSON_IsFalse(b)) ||
	       (cJSON_IsNull(a) && cJSON_IsNull(b));
}
