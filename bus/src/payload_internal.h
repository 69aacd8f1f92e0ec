/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file payload_internal.h
 * @brief Private: what the bus does with payloads and nobody else.
 */
#ifndef CUEBUS_PAYLOAD_INTERNAL_H
#define CUEBUS_PAYLOAD_INTERNAL_H

#include <cuebus/payload.h>

/** Free the parsed tree, if there is one: whoever asks next parses anew. */
void payload_drop_tree(struct cue_payload *payload);

#endif
