/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_file.h
 * @brief One definition made by command, as a file.
 *
 *   cuebus-definition 1 <checksum> <kind> <bytes of name> <bytes of definition>\n
 *   <name>\n
 *   <definition, as it was given>\n
 *
 * The checksum (FNV-1a, 64 bit, 16 hex digits) covers everything that follows it, so damage is
 * detected. Pure functions; any thread.
 */
#ifndef CUEBUS_DEFINITION_FILE_H
#define CUEBUS_DEFINITION_FILE_H

#include <stddef.h>
#include <stdint.h>

enum definition_kind { DEFINITION_PLAYLIST, DEFINITION_GESTURE };

/** Maximum size of a file without name and definition, in bytes. */
#define DEFINITION_FILE_OVERHEAD  128U
#define DEFINITION_NAME_BYTES_MAX 1024U

struct definition_text {
	enum definition_kind kind;
	const char *name; /**< not NUL-terminated */
	size_t name_len;
	const char *json; /**< not NUL-terminated */
	size_t json_len;
};

/** "playlist", "gesture". */
const char *definition_kind_name(enum definition_kind kind);

/** Bytes of the file. */
uint64_t definition_file_size(const struct definition_text *text);

/** @param ret_bytes malloc()ed. @return 0; -ENOMEM. */
int definition_file_encode(const struct definition_text *text, char **ret_bytes, size_t *ret_len);

/**
 * @param ret_text points into @p bytes.
 * @return 0; -EPROTONOSUPPORT written by a newer version; -EBADMSG not written by
 *         definition_file_encode(), or damaged, or its definition is not JSON; -ENOMEM.
 */
int definition_file_decode(const char *bytes, size_t len, struct definition_text *ret_text);

#endif
