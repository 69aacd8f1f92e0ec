/* SPDX-License-Identifier: Apache-2.0 */
/* Rights in mqtt.remote that another part of the configuration revokes. */
#include "lint.h"

#include <string.h>

/** The input whose events have this type, or NULL. */
static const struct config_input *input_of(const struct config *config, const char *type)
{
	for (size_t i = 0; i < config->n_inputs; i++) {
		const struct config_input *input = &config->inputs[i];

		if ((input->event && strcmp(input->event, type) == 0) ||
		    (input->release_event && strcmp(input->release_event, type) == 0))
			return input;
	}
	return NULL;
}

void lint_remote(struct lint *lint)
{
	const struct jsonc_node *mqtt = jsonc_get(lint->root, "mqtt");
	const struct jsonc_node *remote = mqtt ? jsonc_get(mqtt, "remote") : NULL;
	const struct jsonc_node *emit = remote ? jsonc_get(remote, "emit") : NULL;

	if (!emit || emit->type != JSONC_ARRAY || lint->config->mqtt.remote.inputs)
		return;
	/* A prefix may be meant for the other types below it. */
	for (const struct jsonc_node *node = emit->first; node; node = node->next) {
		const struct config_input *input =
		        node->type == JSONC_STRING ? input_of(lint->config, node->text) : NULL;
		char quoted[JSONC_QUOTE_SIZE];

		if (input)
			config_finding(lint->reader, DIAG_WARNING, node, "remote-input",
			               "%s stays refused: it is an event of input \"%s\", and "
			               "mqtt.remote.inputs is false",
			               config_quote(quoted, node), input->name);
	}
}
