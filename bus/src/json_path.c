/* SPDX-License-Identifier: Apache-2.0 */
#include "json_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* Split "/a~1b/c" into "a/b\0c\0", in place. */
static int split(struct cue_path *path)
{
	const char *from = path->tokens + 1;
	char *to = path->tokens;

	for (; *from; from++) {
		char c = *from;

		if (c == '/') {
			path->n_tokens++;
			c = '\0';
		} else if (c == '~') {
			from++;
			if (*from != '0' && *from != '1')
				return -EINVAL;
			c = *from == '0' ? '~' : '/';
		}
		*to++ = c;
	}
	*to = '\0';
	return 0;
}

int cue_path_parse(const char *text, struct cue_path *ret_path)
{
	struct cue_path path = { .tokens = strdup(text),
		                 .n_tokens = 1,
		                 .is_pointer = text[0] == '/' };
	int r;

	if (!path.tokens)
		return -ENOMEM;
	r = path.is_pointer ? split(&path) : 0;
	if (r < 0) {
		cue_path_clear(&path);
		return r;
	}
	*ret_path = path;
	return 0;
}

void cue_path_clear(struct cue_path *path)
{
	free(path->tokens);
	*path = (struct cue_path){ 0 };
}

/* RFC 6901: digits without leading zeros. @return NULL when there is none. */
static const cJSON *array_item(const cJSON *array, const char *token)
{
	int index = 0;

	if (token[0] == '\0' || (token[0] == '0' && token[1] != '\0') || strlen(token) > 9)
		return NULL;
	for (; *token; token++) {
		if (*token < '0' || *token > '9')
			return NULL;
		index = index * 10 + (*token - '0');
	}
	return cJSON_GetArrayItem(array, index);
}

const cJSON *cue_path_find(const struct cue_path *path, const cJSON *data)
{
	const char *token = path->tokens;

	for (size_t i = 0; i < path->n_tokens && data; i++, token += strlen(token) + 1) {
		if (cJSON_IsObject(data))
			data = cJSON_GetObjectItemCaseSensitive(data, token);
		else if (cJSON_IsArray(data) && path->is_pointer)
			data = array_item(data, token);
		else
			data = NULL;
	}
	return data;
}
