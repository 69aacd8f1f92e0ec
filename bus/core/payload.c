/* SPDX-License-Identifier: Apache-2.0 */
#include <cuebus/payload.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_validate.h"
#include "json_walk.h"
#include "payload_internal.h"

struct cue_payload {
	size_t refs; /* 0: static, never freed */
	size_t len;
	size_t keepers;
	const char *bytes; /* at `inline_bytes` or `adopted` */
	char *adopted;
	cJSON *tree; /* NULL until requested */
	char inline_bytes[];
};

/* Constant, so in read-only memory: nothing can change it, and any thread may use it. */
static const struct cue_payload null_payload = { .len = 4, .bytes = "null" };
static const cJSON null_tree = { .type = cJSON_NULL };

/* If compacting leaves more than this unused, the block is shrunk. */
#define SLACK_MAX 64U

int cue_payload_new(const char *json, size_t len, unsigned max_depth,
                    struct cue_payload **ret_payload, struct cue_json_error *ret_error)
{
	struct cue_payload *payload;
	size_t compact_len;
	int r;

	if (len == 0) {
		*ret_payload = cue_payload_null();
		return 0;
	}
	if (len > SIZE_MAX - sizeof(*payload) - 1)
		return -ENOMEM;
	payload = malloc(sizeof(*payload) + len + 1);
	if (!payload)
		return -ENOMEM;
	r = cue_json_compact((struct cue_json_text){ json, len }, max_depth, payload->inline_bytes,
	                     &compact_len, ret_error);
	if (r < 0) {
		free(payload);
		return r;
	}
	if (len - compact_len > SLACK_MAX) {
		struct cue_payload *smaller = realloc(payload, sizeof(*payload) + compact_len + 1);

		if (smaller)
			payload = smaller;
	}
	payload->inline_bytes[compact_len] = '\0';
	payload->refs = 1;
	payload->len = compact_len;
	payload->keepers = 0;
	payload->bytes = payload->inline_bytes;
	payload->adopted = NULL;
	payload->tree = NULL;
	*ret_payload = payload;
	return 0;
}

int cue_payload_adopt(char *json, size_t len, struct cue_payload **ret_payload)
{
	struct cue_payload *payload = malloc(sizeof(*payload));

	if (!payload)
		return -ENOMEM;
	*payload = (struct cue_payload){ .refs = 1, .len = len, .bytes = json, .adopted = json };
	*ret_payload = payload;
	return 0;
}

struct cue_payload *cue_payload_null(void)
{
	/* The cast through an integer removes const on purpose. */
	return (struct cue_payload *)(uintptr_t)&null_payload;
}

struct cue_payload *cue_payload_ref(struct cue_payload *payload)
{
	if (payload && payload->refs)
		payload->refs++;
	return payload;
}

struct cue_payload *cue_payload_unref(struct cue_payload *payload)
{
	if (!payload || payload->refs == 0 || --payload->refs)
		return NULL;
	cJSON_Delete(payload->tree);
	free(payload->adopted);
	free(payload);
	return NULL;
}

void cue_payload_unrefp(struct cue_payload **payload)
{
	*payload = cue_payload_unref(*payload);
}

const char *cue_payload_bytes(const struct cue_payload *payload, size_t *ret_len)
{
	if (ret_len)
		*ret_len = payload->len;
	return payload->bytes;
}

size_t cue_payload_size(const struct cue_payload *payload)
{
	return payload->refs ? sizeof(*payload) + payload->len + 1 : 0;
}

unsigned cue_payload_depth(const struct cue_payload *payload)
{
	unsigned depth = 0, deepest = 0;
	bool in_string = false;

	for (const char *p = payload->bytes; *p; p++) {
		if (in_string) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				in_string = false;
		} else if (*p == '"') {
			in_string = true;
		} else if (*p == '{' || *p == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if (*p == '}' || *p == ']') {
			depth--;
		}
	}
	return deepest;
}

/* The static payload is never written to; its bytes do not count. */
bool cue_payload_keep(struct cue_payload *payload)
{
	return payload->refs != 0 && payload->keepers++ == 0;
}

bool cue_payload_release(struct cue_payload *payload)
{
	return payload->refs != 0 && --payload->keepers == 0;
}

void cue_payload_drop_tree(struct cue_payload *payload)
{
	if (payload->refs == 0)
		return;
	cJSON_Delete(payload->tree);
	payload->tree = NULL;
}

const struct cJSON *cue_payload_json(struct cue_payload *payload)
{
	if (payload == &null_payload)
		return &null_tree;
	if (!payload->tree)
		payload->tree =
		        cJSON_ParseWithLengthOpts(payload->bytes, payload->len + 1, NULL, true);
	return payload->tree;
}

bool cue_payload_gate(const struct cue_payload *payload)
{
	static const char *const keys[] = { "pressed", "state", "enabled", "value" };
	size_t first = sizeof(keys) / sizeof(*keys); /* index of the first key that exists */
	struct cue_json_text value = { .text = payload->bytes, .len = payload->len };
	struct cue_json_member member;
	bool found = *payload->bytes == '{' && cue_json_first_member(payload->bytes, &member);

	for (; found && first > 0; found = cue_json_next_member(&member)) {
		for (size_t i = 0; i < first; i++) {
			if (!cue_json_key_is(&member, keys[i]))
				continue;
			first = i;
			value = member.value;
		}
	}
	return cue_json_text_truthy(value);
}
