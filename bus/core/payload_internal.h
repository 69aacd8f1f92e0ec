/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file payload_internal.h
 * @brief Private: what the bus does with payloads and nobody else.
 */
#ifndef CUEBUS_PAYLOAD_INTERNAL_H
#define CUEBUS_PAYLOAD_INTERNAL_H

#include <cuebus/payload.h>

/** Free the parsed tree, if there is one: whoever asks next parses anew. */
void cue_payload_drop_tree(struct cue_payload *payload);

/**
 * Several may keep one payload, and its bytes are to count once. Call
 * cue_payload_release() as often as cue_payload_keep(); neither takes or drops a
 * reference.
 * @return keep: whether nobody kept it before; release: whether nobody does now.
 */
bool cue_payload_keep(struct cue_payload *payload);
bool cue_payload_release(struct cue_payload *payload);

#endif
