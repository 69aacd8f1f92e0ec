/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file input_event.h
 * @brief The data of an input's event, from a decoded change.
 */
#ifndef CUEBUS_INPUT_EVENT_H
#define CUEBUS_INPUT_EVENT_H

#include <stdbool.h>

#include <cuebus/payload.h>
#include <drivers/decoder.h>

/**
 * Write the members of the configured `data` object that may be merged in, as `"key":value,…` in
 * their original spelling. Keys that the input's kind writes itself are omitted.
 * @param data an object, or NULL.
 * @param ret_extra malloc()ed, may be the empty string.
 * @return 0; -EINVAL not an object; -ENOMEM.
 */
int input_event_extra(enum decoder_kind kind, struct cue_payload *data, char **ret_extra);

/** Whether an input of @p kind writes @p key itself (for lint). */
bool input_event_owns_key(enum decoder_kind kind, const char *key);

/**
 * @param extra from input_event_extra().
 * @param ret_data a new reference.
 * @return 0; -ENOMEM.
 */
int input_event_data(const char *input, const struct decoder_change *change, const char *extra,
                     struct cue_payload **ret_data);

#endif
