/* SPDX-License-Identifier: Apache-2.0 */
#include "output_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "jsonc.h"

static int level_of_number(double number, bool *ret_level)
{
	/* Exact comparison on purpose, in a form without a warning: 0.5 is neither. */
	if (number >= 0 && number <= 0)
		*ret_level = false;
	else if (number >= 1 && number <= 1)
		*ret_level = true;
	else
		return -EINVAL;
	return 0;
}

static int level_of_text(const struct config_output *output, const char *text, bool *ret_level)
{
	for (size_t i = 0; i < output->n_map; i++) {
		if (strcmp(output->map[i].text, text) == 0) {
			*ret_level = output->map[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

int output_value_level(const struct config_output *output, const struct cJSON *value,
                       bool *ret_level)
{
	if (cJSON_IsBool(value)) {
		*ret_level = cJSON_IsTrue(value);
		return 0;
	}
	if (cJSON_IsNumber(value))
		return level_of_number(value->valuedouble, ret_level);
	if (cJSON_IsString(value))
		return level_of_text(output, value->valuestring, ret_level);
	return -EINVAL;
}

static const char *name_of(const struct cJSON *value, char buf[JSONC_QUOTE_SIZE])
{
	if (cJSON_IsString(value))
		return jsonc_quote(buf, value->valuestring);
	if (cJSON_IsNumber(value)) {
		snprintf(buf, JSONC_QUOTE_SIZE, "%.17g", value->valuedouble);
		return buf;
	}
	if (cJSON_IsObject(value))
		return jsonc_type_name(JSONC_OBJECT);
	return jsonc_type_name(cJSON_IsArray(value) ? JSONC_ARRAY : JSONC_NULL);
}

const char *output_value_describe(const struct config_output *output, const struct cJSON *value,
                                  char buf[OUTPUT_VALUE_TEXT_SIZE])
{
	const char *wanted = output->n_map > 0 ? "true, false, 1, 0 nor a key of \"map\""
	                                       : "true, false, 1 nor 0";
	char name[JSONC_QUOTE_SIZE];

	if (!value)
		snprintf(buf, OUTPUT_VALUE_TEXT_SIZE, "the data has no \"%.100s\"", output->value);
	else
		snprintf(buf, OUTPUT_VALUE_TEXT_SIZE, "%s is neither %s", name_of(value, name),
		         wanted);
	return buf;
}
