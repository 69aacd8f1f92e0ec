/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file schema_parts.h
 * @brief Parts of the configuration's JSON Schema that several fields refer to.
 */
#ifndef CUEBUS_SCHEMA_PARTS_H
#define CUEBUS_SCHEMA_PARTS_H

#include <cuebus/json_writer.h>

/** The members of `$defs` that are not tables: duration, event_type, filter, … */
void schema_write_parts(struct cue_writer *w);

#endif
