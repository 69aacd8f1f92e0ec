/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file schema_files.h
 * @brief The files of schemas/, embedded at build time, in order of name.
 */
#ifndef CUEBUS_SCHEMA_FILES_H
#define CUEBUS_SCHEMA_FILES_H

#include <stddef.h>

struct schema_file {
	const char *name; /**< without .schema.json, .json, .yaml */
	const unsigned char *bytes;
	size_t len;
};

extern const struct schema_file schema_files[];
extern const size_t n_schema_files;

#endif
