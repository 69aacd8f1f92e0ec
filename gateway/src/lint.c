/* SPDX-License-Identifier: Apache-2.0 */
#include "lint.h"

void lint_config(struct config_reader *reader, const struct config *config,
                 const struct jsonc_node *root)
{
	(void)reader;
	(void)config;
	(void)root;
}

void lint_playlist(struct config_reader *reader, const struct config_playlist *playlist,
                   const struct jsonc_node *node)
{
	(void)reader;
	(void)playlist;
	(void)node;
}

void lint_gesture(struct config_reader *reader, const struct config_gesture *gesture,
                  const struct jsonc_node *node)
{
	(void)reader;
	(void)gesture;
	(void)node;
}
