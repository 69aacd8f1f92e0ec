/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <cuebus/json.h>

#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_text.h"
#include "utf8.h"

#define STRING_MAX     256U
#define REQUEST_ID_MAX 254U
/* 2^53 - 1: larger numbers are not exact in JSON. */
#define INT_MAX_JSON 9007199254740991.0
/* Bytes shown of an unknown field's name, which the client chose; escaping doubles it. */
#define FIELD_SHOWN_BYTES 140

/** @param field NULL: the error is in the whole request. */
static int fail(struct request_error *error, const char *field, const char *text)
{
	int shown = field ? utf8_fit(field, FIELD_SHOWN_BYTES) : 0;
	size_t len = 0;

	if (field)
		error->path[len++] = '/';
	for (int i = 0; i < shown; i++) {
		bool escaped = field[i] == '~' || field[i] == '/';

		if (escaped)
			error->path[len++] = '~';
		error->path[len++] = field[i] == '~' ? '0' : field[i] == '/' ? '1' : field[i];
	}
	error->path[len] = '\0';
	snprintf(error->text, sizeof(error->text), "%s", text);
	return -EINVAL;
}

static bool is_uint32(const cJSON *value)
{
	return cJSON_IsNumber(value) && value->valuedouble >= 0 &&
	       value->valuedouble <= (double)UINT32_MAX &&
	       value->valuedouble == (double)(uint32_t)value->valuedouble;
}

/** @return the error, or NULL. */
static const char *check_type(enum request_type type, const cJSON *value, struct request_value *ret)
{
	switch (type) {
	case REQUEST_ANY:
		return NULL;
	case REQUEST_STRING:
		if (!cJSON_IsString(value) || !*value->valuestring ||
		    strlen(value->valuestring) > STRING_MAX)
			return "must be a string of 1 to 256 bytes";
		ret->string = value->valuestring;
		return NULL;
	case REQUEST_UINT32:
		if (!is_uint32(value))
			return "must be a whole number from 0 to 4294967295";
		ret->number = (uint32_t)value->valuedouble;
		return NULL;
	case REQUEST_INT64:
		if (!cJSON_IsNumber(value) || value->valuedouble < -INT_MAX_JSON ||
		    value->valuedouble > INT_MAX_JSON ||
		    value->valuedouble != (double)(int64_t)value->valuedouble)
			return "must be a whole number";
		ret->integer = (int64_t)value->valuedouble;
		return NULL;
	case REQUEST_TRUE:
		return cJSON_IsTrue(value) ? NULL : "must be true";
	case REQUEST_LEVEL:
		if (!is_uint32(value) || value->valuedouble > 1)
			return "must be 0 or 1";
		ret->number = (uint32_t)value->valuedouble;
		return NULL;
	case REQUEST_OBJECT:
		return cJSON_IsObject(value) ? NULL : "must be an object";
	}
	return "is of an unknown type"; /* not reached: the switch is exhaustive */
}

static int take_request_id(struct request *request, const cJSON *value, struct cue_json_text raw,
                           struct request_error *error)
{
	if (!cJSON_IsString(value) && !cJSON_IsNumber(value))
		return fail(error, "request_id", "must be a string or a number");
	if (raw.len - (cJSON_IsString(value) ? 2 : 0) > REQUEST_ID_MAX)
		return fail(error, "request_id", "has 254 bytes at most, as it is written");
	request->request_id = strndup(raw.text, raw.len);
	return request->request_id ? 0 : -ENOMEM;
}

static int take_field(struct request *request, const struct request_field *fields,
                      const cJSON *value, struct cue_json_text raw, struct request_error *error)
{
	char known[200] = "";
	size_t used = 0;

	for (size_t i = 0; fields[i].name; i++) {
		const char *wrong;

		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s, ",
		                         fields[i].name);
		if (strcmp(fields[i].name, value->string) != 0)
			continue;
		wrong = check_type(fields[i].type, value, &request->values[i]);
		if (wrong)
			return fail(error, fields[i].name, wrong);
		request->values[i].present = true;
		request->values[i].raw = raw.text;
		request->values[i].raw_len = raw.len;
		return 0;
	}
	fail(error, value->string, "");
	snprintf(error->text, sizeof(error->text), "unknown field; this command takes %srequest_id",
	         known);
	return -EINVAL;
}

static int take_members(struct request *request, const struct request_field *fields,
                        const cJSON *object, struct request_error *error)
{
	struct cue_json_member member;
	bool found = cue_json_first_member(cue_payload_bytes(request->payload, NULL), &member);
	int first = 0;

	/* The tree has the values, the bytes their spelling; both have the same members in the
	 * same order. An error does not stop the walk, so that the reply can have a request_id
	 * that comes after it. */
	for (const cJSON *value = object->child; value && found;
	     value = value->next, found = cue_json_next_member(&member)) {
		int r = 0;

		if (strcmp(value->string, "request_id") == 0) {
			struct request_error ignored;

			r = take_request_id(request, value, member.value, first ? &ignored : error);
		} else if (!first) {
			r = take_field(request, fields, value, member.value, error);
		}
		if (r < 0 && !first)
			first = r;
	}
	return first;
}

int request_read(const struct request_text *text, const struct request_field *fields,
                 struct request *ret_request, struct request_error *ret_error)
{
	struct cue_json_error json_error = { 0 };
	const cJSON *object;
	int r;

	ret_error->invalid_json = ret_error->too_deep = false;
	r = text->len == 0 ? cue_payload_new("{}", 2, 0, &ret_request->payload, NULL)
	                   : cue_payload_new(text->payload, text->len, text->max_depth,
	                                     &ret_request->payload, &json_error);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		fail(ret_error, NULL, "");
		error_text_json(r, &json_error, ret_error->text, sizeof(ret_error->text));
		ret_error->invalid_json = r != -E2BIG;
		ret_error->too_deep = r == -E2BIG;
		return -EINVAL;
	}
	object = cue_payload_json(ret_request->payload);
	if (!object)
		return -ENOMEM;
	if (!cJSON_IsObject(object))
		return fail(ret_error, NULL, "a command's payload must be a JSON object");
	r = take_members(ret_request, fields, object, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; fields[i].name; i++) {
		if (fields[i].required && !ret_request->values[i].present)
			return fail(ret_error, fields[i].name, "is required");
	}
	return 0;
}

void request_clear(struct request *request)
{
	cue_payload_unref(request->payload);
	free(request->request_id);
	*request = (struct request){ 0 };
}
