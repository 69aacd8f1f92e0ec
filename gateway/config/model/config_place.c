/* SPDX-License-Identifier: Apache-2.0 */
#include "config_model.h"

#include <string.h>

#include "jsonc.h"

static const struct jsonc_node *member(const struct jsonc_node *object, const char *key, size_t len)
{
	for (const struct jsonc_node *n = object->first; n; n = n->next) {
		if (n->key && strlen(n->key) == len && memcmp(n->key, key, len) == 0)
			return n;
	}
	return NULL;
}

struct config_place config_place_of(const struct config *config, const char *path)
{
	const struct jsonc_node *node = config->root;

	while (*path == '/') {
		size_t len = strcspn(++path, "/");
		const struct jsonc_node *next = member(node, path, len);

		if (!next)
			break;
		node = next;
		path += len;
	}
	return (struct config_place){ .file = node->file,
		                      .line = node->place.line,
		                      .column = node->place.column };
}
