/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "config.h"
#include "event_pattern.h"

bool config_allows_event(const struct config_allow *allow, const char *event_type)
{
	for (size_t i = 0; i < allow->n; i++) {
		if (event_pattern_match(allow->patterns[i], event_type) > 0)
			return true;
	}
	return !allow->limited;
}

bool config_allows_command(const struct config_allow *allow, const char *name)
{
	for (size_t i = 0; i < allow->n; i++) {
		size_t len = strlen(allow->patterns[i]);

		if (strncmp(name, allow->patterns[i], len) == 0 &&
		    (name[len] == '\0' || name[len] == '/'))
			return true;
	}
	return !allow->limited;
}
