/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

/** Length of the match, 0 for none; an exact type beats every prefix. */
static size_t match_length(const char *pattern, const char *event_type)
{
	size_t len = strlen(pattern);

	if (len >= 2 && strcmp(pattern + len - 2, ".*") == 0)
		return strncmp(pattern, event_type, len - 1) == 0 ? len - 1 : 0;
	return strcmp(pattern, event_type) == 0 ? len + 1 : 0;
}

int config_qos(const struct config_mqtt *mqtt, const char *event_type)
{
	size_t best = 0;
	int qos = 1;

	for (size_t i = 0; i < mqtt->n_qos; i++) {
		size_t len = match_length(mqtt->qos[i].pattern, event_type);

		if (len > best) {
			best = len;
			qos = mqtt->qos[i].qos;
		}
	}
	return qos;
}
