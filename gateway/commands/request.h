/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file request.h
 * @brief A command's JSON object, read by its table of fields.
 */
#ifndef CUEBUS_REQUEST_H
#define CUEBUS_REQUEST_H

#include <cuebus/payload.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_FIELDS_MAX 4U

enum request_type {
	REQUEST_ANY,    /**< any JSON value */
	REQUEST_STRING, /**< not empty, 256 bytes at most */
	REQUEST_UINT32, /**< an integer, 0 to 4294967295 */
	REQUEST_INT64,  /**< an integer that a double holds, at most 2^53 - 1 without its sign */
	REQUEST_TRUE,   /**< the literal true */
	REQUEST_LEVEL,  /**< 0 or 1 */
	REQUEST_OBJECT,
};

struct request_field {
	const char *name;
	enum request_type type;
	bool required;
};

struct request_value {
	bool present;
	const char *raw; /**< the value's own bytes in the payload, spelling kept */
	size_t raw_len;
	const char *string; /**< REQUEST_STRING: unescaped */
	uint32_t number;    /**< REQUEST_UINT32, REQUEST_LEVEL */
	int64_t integer;    /**< REQUEST_INT64 */
};

/** A parsed request. Pointers are valid as long as `payload`. */
struct request {
	struct cue_payload *payload; /**< a reference; NULL if it could not be created */
	char *request_id;            /**< JSON text as given, malloc()ed; NULL: none */
	struct request_value values[REQUEST_FIELDS_MAX]; /**< in the order of the table */
};

struct request_error {
	bool invalid_json; /**< not JSON … */
	/** … or nested too deeply; otherwise well-formed but not a valid request */
	bool too_deep;
	char path[300]; /**< JSON Pointer; "" the whole */
	char text[300];
};

struct request_text {
	const void *payload; /**< untrusted */
	size_t len;
	unsigned max_depth; /**< nesting of arrays and objects */
};

/**
 * Read an untrusted payload; empty text is `{}`. Every command also accepts `request_id` (a string
 * or a number of at most 254 bytes as it is written, without the quotes). Unknown fields are
 * errors.
 * @param fields at most REQUEST_FIELDS_MAX, ended by a NULL name.
 * @param ret_request zero-initialised by the caller. After a failure it has the parts that could be
 *                    read (the request_id, for the reply). Release it with request_clear() in any
 *                    case.
 * @return 0; -EINVAL (@p ret_error filled); -ENOMEM.
 */
int request_read(const struct request_text *text, const struct request_field *fields,
                 struct request *ret_request, struct request_error *ret_error);
void request_clear(struct request *request);

#endif
