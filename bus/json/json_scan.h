/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_scan.h
 * @brief Private: the tokens of JSON text (strings, numbers, words).
 *
 * Each function begins at `pos`, moves `pos` behind the token on success and stores the fault in
 * `error` on failure.
 */
#ifndef CUEBUS_JSON_SCAN_H
#define CUEBUS_JSON_SCAN_H

#include <cuebus/payload.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** cJSON 1.7.15 cuts a number off after this many characters. */
#define CUE_JSON_NUMBER_MAX 63U

struct cue_json_scan {
	const char *begin;
	const char *pos;
	const char *end;
	struct cue_json_error error;
};

/** The text between the quotes of a scanned string; borrowed. */
struct cue_json_string {
	const char *text;
	size_t len;
	bool escaped; /**< a backslash in it begins an escape */
};

/** Store the fault. @return -EBADMSG, to be returned by the caller. */
int cue_json_scan_fail(struct cue_json_scan *scan, const char *at, const char *text);

/** `pos` is at the opening quote. @return 0; -EBADMSG. */
int cue_json_scan_string(struct cue_json_scan *scan, struct cue_json_string *ret_string);

/** Any value but a string, array or object; not at the end. @return 0; -EBADMSG. */
int cue_json_scan_scalar(struct cue_json_scan *scan);

/**
 * Order of two strings by code points, escapes resolved. A string with escapes must have been
 * scanned; one without may be any bytes, such as a name from an unchecked tree.
 */
int cue_json_string_compare(const struct cue_json_string *a, const struct cue_json_string *b);

/** The value of a hexadecimal digit in either case; -1: it is none. */
int cue_hex_digit(char c);

#endif
