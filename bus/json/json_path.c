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

/** RFC 6901: digits without leading zeros. @return false: no index. */
static bool parse_index(const char *token, size_t *ret_index)
{
	size_t index = 0;

	if (token[0] == '\0' || (token[0] == '0' && token[1] != '\0') || strlen(token) > 9)
		return false;
	for (; *token; token++) {
		if (*token < '0' || *token > '9')
			return false;
		index = index * 10 + (size_t)(*token - '0');
	}
	*ret_index = index;
	return true;
}

const cJSON *cue_path_find(const struct cue_path *path, const cJSON *data)
{
	const char *token = path->tokens;
	size_t index;

	for (size_t i = 0; i < path->n_tokens && data; i++, token += strlen(token) + 1) {
		if (cJSON_IsObject(data))
			data = cJSON_GetObjectItemCaseSensitive(data, token);
		else if (cJSON_IsArray(data) && path->is_pointer && parse_index(token, &index))
			data = cJSON_GetArrayItem(data, (int)index);
		else
			data = NULL;
	}
	return data;
}

static bool find_member(const char *object, const char *name, struct cue_json_text *ret_value)
{
	struct cue_json_member member;
	bool found;

	for (found = cue_json_first_member(object, &member); found;
	     found = cue_json_next_member(&member)) {
		if (cue_json_key_is(&member, name)) {
			*ret_value = member.value;
			return true;
		}
	}
	return false;
}

bool cue_path_find_text(const struct cue_path *path, struct cue_json_text data,
                        struct cue_json_text *ret_value)
{
	const char *token = path->tokens;
	bool found = true;
	size_t index;

	for (size_t i = 0; i < path->n_tokens && found; i++, token += strlen(token) + 1) {
		if (*data.text == '{')
			found = find_member(data.text, token, &data);
		else if (*data.text == '[' && path->is_pointer && parse_index(token, &index))
			found = cue_json_item(data.text, index, &data);
		else
			found = false;
	}
	if (found)
		*ret_value = data;
	return found;
}
