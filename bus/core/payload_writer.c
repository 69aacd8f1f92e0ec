/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer and payloads: one written into a text, a text made into one. */
#include <cuebus/json_writer.h>
#include <cuebus/payload.h>

#include <stdlib.h>

void cue_writer_payload(struct cue_writer *w, const struct cue_payload *payload)
{
	size_t len;
	const char *bytes;

	if (!payload) {
		cue_writer_null(w);
		return;
	}
	bytes = cue_payload_bytes(payload, &len);
	cue_writer_raw(w, bytes, len);
}

int cue_writer_finish_payload(struct cue_writer *w, struct cue_payload **ret_payload)
{
	char *text;
	size_t len;
	int r = cue_writer_finish(w, &text, &len);

	if (r < 0)
		return r;
	if (len == 0) {
		free(text);
		*ret_payload = cue_payload_null();
		return 0;
	}
	r = cue_payload_adopt(text, len, ret_payload);
	if (r < 0)
		free(text);
	return r;
}
