/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file payload_internal.h
 * @brief Private: operations on payloads that only the bus needs.
 */
#ifndef CUEBUS_PAYLOAD_INTERNAL_H
#define CUEBUS_PAYLOAD_INTERNAL_H

#include <cuebus/payload.h>

/** Free the parsed tree, if there is one. The next request parses again. */
void cue_payload_drop_tree(struct cue_payload *payload);

/**
 * Count the keepers of a shared payload, so that its bytes count once. Call cue_payload_release()
 * as often as cue_payload_keep(). Neither takes or drops a reference.
 * @return keep: whether this is the first keeper; release: whether it was the last.
 */
bool cue_payload_keep(struct cue_payload *payload);
bool cue_payload_release(struct cue_payload *payload);

#endif
