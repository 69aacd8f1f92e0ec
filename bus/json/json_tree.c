/* SPDX-License-Identifier: Apache-2.0 */
#include "json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static void write_number(struct cue_writer *w, double number)
{
	/* Fewest digits that parse to the same double; 17 always do. */
	static const int digits[] = { 15, 16, 17 };
	char text[32];

	if (isinf(number)) {
		/* The original digits are lost; any number out of range parses to infinity. */
		snprintf(text, sizeof(text), "%s1e999", number < 0 ? "-" : "");
		cue_writer_raw(w, text, strlen(text));
		return;
	}
	for (size_t i = 0; i < sizeof(digits) / sizeof(*digits); i++) {
		double again;

		snprintf(text, sizeof(text), "%.*g", digits[i], number);
		again = strtod(text, NULL);
		if (again >= number && again <= number)
			break;
	}
	cue_writer_raw(w, text, strlen(text));
}

void cue_json_tree_write(struct cue_writer *w, const struct cJSON *tree)
{
	if (cJSON_IsObject(tree)) {
		cue_writer_object_begin(w);
		for (const cJSON *member = tree->child; member; member = member->next) {
			cue_writer_key(w, member->string);
			cue_json_tree_write(w, member);
		}
		cue_writer_object_end(w);
	} else if (cJSON_IsArray(tree)) {
		cue_writer_array_begin(w);
		for (const cJSON *item = tree->child; item; item = item->next)
			cue_json_tree_write(w, item);
		cue_writer_array_end(w);
	} else if (cJSON_IsString(tree)) {
		cue_writer_string(w, tree->valuestring);
	} else if (cJSON_IsNumber(tree)) {
		write_number(w, tree->valuedouble);
	} else if (cJSON_IsBool(tree)) {
		cue_writer_bool(w, cJSON_IsTrue(tree));
	} else {
		cue_writer_null(w);
	}
}
