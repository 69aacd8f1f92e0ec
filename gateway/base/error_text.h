/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file error_text.h
 * @brief Texts for errors of the bus.
 *
 * The bus reports its limits by errno, whose own texts ("Too many levels of symbolic links" for a
 * loop of events) would be misleading.
 */
#ifndef CUEBUS_ERROR_TEXT_H
#define CUEBUS_ERROR_TEXT_H

#include <cuebus/bus.h>
#include <stddef.h>

/**
 * @param error   negative errno
 * @param if_full text for -ENOSPC, which the bus uses for several limits: a sentence with the one
 *                that the failed call can reach; NULL: unknown
 * @return a static text (or @p if_full), the same in every locale.
 */
const char *error_text(int error, const char *if_full);

/** Text for a report's error, which names the limit that was reached; NULL for 0. */
const char *error_text_report(enum cue_report_code code, int error);

struct cue_json_error;

/** Text for an error of cue_payload_new() in a message: place, error, and for -E2BIG the limit. */
void error_text_json(int error, const struct cue_json_error *fault, char *text, size_t size);

#endif
