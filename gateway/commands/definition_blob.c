/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "definition_store_internal.h"

struct definition_blob *definition_blob_new(char *bytes, size_t len,
                                            const struct definition_text *text)
{
	struct definition_blob *blob = malloc(sizeof(*blob));

	if (blob)
		*blob = (struct definition_blob){
			.refs = 1, .len = len, .text = *text, .bytes = bytes
		};
	return blob;
}

void definition_blob_unref(struct definition_blob *blob)
{
	if (!blob || --blob->refs > 0)
		return;
	free(blob->bytes);
	free(blob);
}
