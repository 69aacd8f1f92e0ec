/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file lint.h
 * @brief What is well-formed and still wrong: rules over the whole configuration.
 */
#ifndef CUEBUS_LINT_H
#define CUEBUS_LINT_H

#include "config_reader.h"

/**
 * Every rule over a configuration that was read without an error.
 * @param root the merged tree it was read from, for the places.
 */
void lint_config(struct config_reader *reader, const struct config *config,
                 const struct jsonc_node *root);

/** The rules that need nothing but one definition, for what comes by command too. */
void lint_playlist(struct config_reader *reader, const struct config_playlist *playlist,
                   const struct jsonc_node *node);
void lint_gesture(struct config_reader *reader, const struct config_gesture *gesture,
                  const struct jsonc_node *node);

#endif
