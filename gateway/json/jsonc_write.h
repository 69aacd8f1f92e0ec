/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_json.h
 * @brief A tree back to compact JSON.
 */
#ifndef CUEBUS_CONFIG_JSON_H
#define CUEBUS_CONFIG_JSON_H

#include <cuebus/json_writer.h>

#include "jsonc.h"

enum config_json_form {
	CONFIG_JSON_PLAIN,
	/** "***" for what lies under a key with password, secret or token in it, and strings as
	 *  they were before a substitution: safe to publish. */
	CONFIG_JSON_MASKED,
};

void config_json_write(struct cue_writer *w, const struct jsonc_node *node,
                       enum config_json_form form);

#endif
