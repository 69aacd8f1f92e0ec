/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope.h"

/** Write an event's seq, or null for 0: the wire has no seq 0. */
static void write_seq(struct cue_writer *w, uint64_t seq)
{
	if (seq)
		cue_writer_u64(w, seq);
	else
		cue_writer_null(w);
}

void envelope_write(struct cue_writer *w, const struct envelope_context *context,
                    const struct cue_event *event)
{
	char timestamp[CUE_TIMESTAMP_SIZE];
	uint64_t since_base_ns = event->time_ns > context->monotonic_base_ns
	                                 ? event->time_ns - context->monotonic_base_ns
	                                 : 0;

	/* Unsigned addition: the sum may wrap with an extreme offset, but is never undefined. */
	cue_format_timestamp((int64_t)(event->time_ns + (uint64_t)context->wall_offset_ns),
	                     timestamp);
	cue_writer_object_begin(w);
	cue_writer_key(w, "event_type");
	cue_writer_string(w, cue_event_type_name(event));
	cue_writer_key(w, "producer_id");
	cue_writer_u64(w, event->producer_id);
	cue_writer_key(w, "timestamp");
	cue_writer_string(w, timestamp);
	cue_writer_key(w, "data");
	cue_writer_payload(w, event->payload);
	cue_writer_key(w, "boot_id");
	cue_writer_string(w, context->boot_id);
	cue_writer_key(w, "seq");
	write_seq(w, event->seq);
	cue_writer_key(w, "monotonic_us");
	cue_writer_u64(w, since_base_ns / CUE_NS_PER_US);
	cue_writer_key(w, "cause_seq");
	write_seq(w, event->cause_seq);
	cue_writer_object_end(w);
}
