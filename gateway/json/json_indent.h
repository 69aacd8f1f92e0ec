/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json_indent.h
 * @brief Print compact JSON indented.
 */
#ifndef CUEBUS_JSON_INDENT_H
#define CUEBUS_JSON_INDENT_H

#include <stdio.h>

/** Write compact, valid JSON with two spaces for each level and a newline at the end. */
void json_indent(const char *compact, FILE *stream);

#endif
