/* SPDX-License-Identifier: Apache-2.0 */
#include <cuebus/pointer.h>

#include <errno.h>
#include <stdlib.h>

#include <cjson/cJSON.h>
#include <cuebus/payload.h>

#include "json_path.h"

struct cue_pointer {
	struct cue_path path;
};

int cue_pointer_new(const char *text, struct cue_pointer **ret_pointer)
{
	struct cue_pointer *pointer;
	int r;

	if (*text && *text != '/')
		return -EINVAL;
	pointer = calloc(1, sizeof(*pointer));
	if (!pointer)
		return -ENOMEM;
	r = *text ? cue_path_parse(text, &pointer->path) : 0;
	if (r < 0) {
		free(pointer);
		return r;
	}
	*ret_pointer = pointer;
	return 0;
}

struct cue_pointer *cue_pointer_free(struct cue_pointer *pointer)
{
	if (!pointer)
		return NULL;
	cue_path_clear(&pointer->path);
	free(pointer);
	return NULL;
}

int cue_pointer_get(const struct cue_pointer *pointer, struct cue_payload *payload,
                    const struct cJSON **ret_value)
{
	const cJSON *data = cue_payload_json(payload);
	const cJSON *value;

	if (!data)
		return -ENOMEM;
	value = cue_path_find(&pointer->path, data);
	if (!value)
		return -ENOENT;
	*ret_value = value;
	return 0;
}
