/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file schema_text.h
 * @brief Parts of the configuration's reference, in Markdown, common to both of its forms (the
 *        document's tables and the man page).
 */
#ifndef CUEBUS_SCHEMA_TEXT_H
#define CUEBUS_SCHEMA_TEXT_H

#include <stdio.h>

#include "config_table.h"

/** Type and range: "duration, 0s to 10s". */
void schema_text_type(FILE *out, const struct config_field *field);

/** The field's description and its relation to other fields, as sentences. */
void schema_text_doc(FILE *out, const struct config_table *table, const struct config_field *field);

#endif
