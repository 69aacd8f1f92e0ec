/* SPDX-License-Identifier: Apache-2.0 */
/* An output's `map`: texts that stand for a level. */
#include "config_reader.h"

#include <string.h>

#include "config_model.h"

#define TEXT_MAX 256U

static bool read_level(struct config_reader *reader, const struct jsonc_node *node, bool *ret_level)
{
	char quoted[JSONC_QUOTE_SIZE];
	uint64_t number;

	if (node->type == JSONC_BOOL) {
		*ret_level = node->boolean;
		return true;
	}
	if (jsonc_u64(node, &number) == 0 && number <= 1) {
		*ret_level = number == 1;
		return true;
	}
	config_finding(reader, DIAG_ERROR, node, "value",
	               "%s stands for a level: true, false, 1 or 0",
	               jsonc_quote(quoted, node->key));
	return false;
}

static bool check_text(struct config_reader *reader, const struct jsonc_node *node)
{
	if (strlen(node->key) <= TEXT_MAX)
		return true;
	config_key_finding(reader, DIAG_ERROR, node, "range",
	                   "a text of %zu bytes; at most %u are allowed", strlen(node->key),
	                   TEXT_MAX);
	return false;
}

void config_read_levels(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node, void *object)
{
	struct config_output_text *texts;
	size_t n = 0;

	if (!config_expect_entries(reader, field, node))
		return;
	texts = config_alloc(reader, node->n, sizeof(*texts));
	for (const struct jsonc_node *child = node->first; texts && child; child = child->next) {
		if (child->broken) {
			reader->skipped++;
			continue;
		}
		if (!check_text(reader, child) || !read_level(reader, child, &texts[n].level))
			continue;
		texts[n++].text = child->key;
	}
	if (texts) {
		memcpy((char *)object + field->offset, &texts, sizeof(texts));
		memcpy((char *)object + field->count_offset, &n, sizeof(n));
	}
}
