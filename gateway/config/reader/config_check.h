/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_check.h
 * @brief Checks between the fields of one object, called through the table.
 */
#ifndef CUEBUS_CONFIG_CHECK_H
#define CUEBUS_CONFIG_CHECK_H

#include "config_model.h"

struct config_reader;
struct jsonc_node;

void config_check_mqtt(struct config_reader *reader, const struct jsonc_node *node, void *object,
                       bool sound);
void config_check_input(struct config_reader *reader, const struct jsonc_node *node, void *object,
                        bool sound);
void config_check_output(struct config_reader *reader, const struct jsonc_node *node, void *object,
                         bool sound);
void config_check_gesture(struct config_reader *reader, const struct jsonc_node *node, void *object,
                          bool sound);
void config_check_step(struct config_reader *reader, const struct jsonc_node *node, void *object,
                       bool sound);
void config_check_playlist(struct config_reader *reader, const struct jsonc_node *node,
                           void *object, bool sound);

#endif
