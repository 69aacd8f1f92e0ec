/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonc_write.h"

#include <string.h>

static bool is_secret(const char *key)
{
	static const char *const words[] = { "password", "secret", "token" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasestr(key, words[i]))
			return true;
	}
	return false;
}

static void write_children(struct cue_writer *w, const struct jsonc_node *node,
                           enum jsonc_form form)
{
	for (const struct jsonc_node *child = node->first; child; child = child->next) {
		if (child->key)
			cue_writer_key(w, child->key);
		if (child->key && form == JSONC_MASKED && is_secret(child->key))
			cue_writer_string(w, "***");
		else
			jsonc_write(w, child, form);
	}
}

void jsonc_write(struct cue_writer *w, const struct jsonc_node *node, enum jsonc_form form)
{
	switch (node->type) {
	case JSONC_NULL:
		cue_writer_null(w);
		break;
	case JSONC_BOOL:
		cue_writer_bool(w, node->boolean);
		break;
	case JSONC_NUMBER:
		cue_writer_raw(w, node->text, node->text_len);
		break;
	case JSONC_STRING:
		cue_writer_string(w, form == JSONC_MASKED && node->written ? node->written
		                                                           : node->text);
		break;
	case JSONC_ARRAY:
		cue_writer_array_begin(w);
		write_children(w, node, form);
		cue_writer_array_end(w);
		break;
	case JSONC_OBJECT:
		cue_writer_object_begin(w);
		write_children(w, node, form);
		cue_writer_object_end(w);
		break;
	}
}
