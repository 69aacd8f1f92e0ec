/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file schema_config.h
 * @brief Generate the configuration's JSON Schema and reference from the table.
 */
#ifndef CUEBUS_SCHEMA_CONFIG_H
#define CUEBUS_SCHEMA_CONFIG_H

#include <stdio.h>

/**
 * The JSON Schema (2020-12), indented.
 * @param ret_text malloc()ed; the caller frees it.
 * @return 0; -ENOMEM.
 */
int schema_config_text(char **ret_text);

/** The reference in Markdown: a table of keys for each object. */
void schema_config_markdown(FILE *stream);

/**
 * The reference for cuebus.json(5), in man(7): a subsection for each object.
 * @return 0; -ENOMEM.
 */
int schema_config_man(FILE *stream);

#endif
