/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jsonc_write.h
 * @brief Write a tree as compact JSON.
 */
#ifndef CUEBUS_JSONC_WRITE_H
#define CUEBUS_JSONC_WRITE_H

#include <cuebus/json_writer.h>

#include "jsonc.h"

enum jsonc_form {
	JSONC_PLAIN,
	/** "***" for every value under a key with password, secret or token in its name, and
	 * strings before substitution: safe to publish. */
	JSONC_MASKED,
};

void jsonc_write(struct cue_writer *w, const struct jsonc_node *node, enum jsonc_form form);

#endif
