/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file envelope.h
 * @brief The envelope: an event as JSON on the wire.
 */
#ifndef CUEBUS_ENVELOPE_H
#define CUEBUS_ENVELOPE_H

#include <cuebus/event.h>
#include <cuebus/json_writer.h>

struct envelope_context {
	const char *boot_id;        /**< 8 hex digits */
	int64_t wall_offset_ns;     /**< wall minus monotonic */
	uint64_t monotonic_base_ns; /**< subtracted for `monotonic_us`; 0 in the service */
};

/** Write `{"event_type":…,"cause_seq":…}`: fixed key order, no spaces. */
void envelope_write(struct cue_writer *w, const struct envelope_context *context,
                    const struct cue_event *event);

#endif
