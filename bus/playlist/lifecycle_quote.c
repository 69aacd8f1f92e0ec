/* SPDX-License-Identifier: Apache-2.0 */
/* `trigger_event` and `interrupt_event` quote another event's data. If that is a lifecycle event,
 * by its type, its own quotes are omitted: otherwise the events of a playlist that triggers itself
 * would contain its whole history and grow with every run. The same chain through a gesture can't
 * be recognised; there the bounds on size and depth end it. A consumer that needs the omitted data
 * finds the event itself by `cause_seq`. */
#include "playlist_internal.h"

#include <string.h>

#include "json_walk.h"

/** The types are reserved, so only playlists emit them. Completion events quote no data. */
static bool is_lifecycle(const struct cue_type *type)
{
	static const char prefix[] = "event.playlist.";

	return strncmp(cue_type_name(type), prefix, sizeof(prefix) - 1) == 0;
}

/** Copy the object without its quotes. @return 0; -ENOMEM. */
static int without_quotes(const char *json, struct cue_payload **ret_payload)
{
	static const char *const quotes[] = { "trigger_event", "interrupt_event" };
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_json_copy_members(&w, json, quotes, sizeof(quotes) / sizeof(*quotes));
	cue_writer_object_end(&w);
	return cue_writer_finish_payload(&w, ret_payload);
}

const char *cue_omitted_name(enum cue_omitted omitted)
{
	switch (omitted) {
	case CUE_OMITTED_NOT:
		return NULL;
	case CUE_OMITTED_SIZE:
		return "size";
	case CUE_OMITTED_DEPTH:
		return "depth";
	case CUE_OMITTED_LIMIT:
		return "limit";
	}
	return NULL; /* not reached: the switch is exhaustive */
}

static struct told_event omit(struct cue_bus *bus, struct told_event quote, enum cue_omitted why)
{
	bus->stats.quotes_omitted++;
	quote.data = cue_payload_unref(quote.data);
	quote.omitted = why;
	return quote;
}

struct told_event cue_lifecycle_quote(struct cue_bus *bus, const struct told_event *event)
{
	struct told_event quote = *event;
	size_t len;

	if (!event->type)
		return (struct told_event){ 0 };
	if (!event->data)
		return quote;
	cue_payload_ref(quote.data);
	if (is_lifecycle(event->type)) {
		struct cue_payload *stripped;

		if (without_quotes(cue_payload_bytes(quote.data, NULL), &stripped) < 0)
			return omit(bus, quote, CUE_OMITTED_LIMIT);
		cue_payload_unref(quote.data);
		quote.data = stripped;
	}
	cue_payload_bytes(quote.data, &len);
	if (len > bus->limits.quote_bytes)
		return omit(bus, quote, CUE_OMITTED_SIZE);
	if (cue_payload_depth(quote.data) > bus->limits.json_depth)
		return omit(bus, quote, CUE_OMITTED_DEPTH);
	return quote;
}
