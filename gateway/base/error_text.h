/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file error_text.h
 * @brief What an error of the bus means to the gateway's user.
 *
 * The bus tells its limits by errno, whose own texts ("Too many levels of
 * symbolic links" for a loop of events) are about something else.
 */
#ifndef CUEBUS_ERROR_TEXT_H
#define CUEBUS_ERROR_TEXT_H

#include <cuebus/bus.h>
#include <stddef.h>

/**
 * @param error   negative errno
 * @param if_full for -ENOSPC, which the bus has for several limits: a sentence with the
 *                one that the failed call can reach; NULL: not known
 * @return a static text (or @p if_full), the same in every locale.
 */
const char *error_text(int error, const char *if_full);

/** What a report's error means, with the limit that was reached by name; NULL for 0. */
const char *error_text_report(enum cue_report_code code, int error);

struct cue_json_error;

/** What cue_payload_new() found in a message: where, what, and which limit for -E2BIG. */
void error_text_json(int error, const struct cue_json_error *fault, char *text, size_t size);

#endif
