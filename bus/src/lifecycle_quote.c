/* SPDX-License-Identifier: Apache-2.0 */
/* `trigger_event` and `interrupt_event` quote another event's data. Where that
 * is itself a lifecycle or completion event, its own quotes are left out: a
 * playlist that is triggered by its own completion would otherwise carry its
 * whole history, growing with every run. The same chain through a gesture
 * can't be told from the outside; there a bound on the size ends it. Whoever
 * needs what is left out finds the event itself by `cause_seq`. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** As large as the largest payload that may come in (design section 7). */
#define QUOTE_MAX_BYTES 65536U

#define BEGIN "{\"playlist_id\":\""
#define GO_ON "\",\"definition_id\":\""

/** Written by write_common()? */
static bool is_lifecycle(const char *json, size_t len)
{
	size_t id_end = sizeof(BEGIN) - 1 + CUE_ID_TEXT_SIZE - 1;

	return len > id_end + sizeof(GO_ON) && memcmp(json, BEGIN, sizeof(BEGIN) - 1) == 0 &&
	       memcmp(json + id_end, GO_ON, sizeof(GO_ON) - 1) == 0;
}

/** The end of a member of compact, valid JSON: its comma or the object's brace. */
static const char *member_end(const char *p)
{
	unsigned depth = 0;
	bool in_string = false;

	for (;; p++) {
		if (in_string) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				in_string = false;
		} else if (*p == '"') {
			in_string = true;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (depth == 0 && (*p == ',' || *p == '}')) {
			return p;
		} else if (*p == '}' || *p == ']') {
			depth--;
		}
	}
}

static bool is_quote(const char *member)
{
	static const char trigger[] = "\"trigger_event\":", interrupt[] = "\"interrupt_event\":";

	return strncmp(member, trigger, sizeof(trigger) - 1) == 0 ||
	       strncmp(member, interrupt, sizeof(interrupt) - 1) == 0;
}

/** The object without its quotes. */
static int without_quotes(const char *json, size_t len, struct cue_payload **ret_payload)
{
	char *text = malloc(len + 1);
	size_t n = 0;
	int r;

	if (!text)
		return -ENOMEM;
	text[n++] = '{';
	for (const char *member = json + 1, *end;; member = end + 1) {
		end = member_end(member);
		if (!is_quote(member)) {
			if (n > 1)
				text[n++] = ',';
			memcpy(text + n, member, (size_t)(end - member));
			n += (size_t)(end - member);
		}
		if (*end == '}')
			break;
	}
	text[n++] = '}';
	text[n] = '\0';
	r = cue_payload_adopt(text, n, ret_payload);
	if (r < 0)
		free(text);
	return r;
}

int lifecycle_quote(struct cue_payload *data, struct cue_payload **ret_quote)
{
	struct cue_payload *quote = cue_payload_ref(data ? data : cue_payload_null());
	size_t len;
	const char *json = cue_payload_bytes(quote, &len);

	if (is_lifecycle(json, len)) {
		int r;

		cue_payload_unref(quote);
		r = without_quotes(json, len, &quote);
		if (r < 0)
			return r;
		cue_payload_bytes(quote, &len);
	}
	if (len > QUOTE_MAX_BYTES) {
		cue_payload_unref(quote);
		quote = cue_payload_null();
	}
	*ret_quote = quote;
	return 0;
}
