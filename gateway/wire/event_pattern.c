/* SPDX-License-Identifier: Apache-2.0 */
#include "event_pattern.h"

#include <cuebus/event.h>
#include <string.h>

static bool is_prefix(const char *pattern, size_t len)
{
	return len > 2 && strcmp(pattern + len - 2, ".*") == 0;
}

bool event_pattern_is_valid(const char *pattern, const char **ret_reason)
{
	size_t len = strlen(pattern);

	return cue_type_is_valid(pattern, is_prefix(pattern, len) ? len - 2 : len, ret_reason);
}

size_t event_pattern_match(const char *pattern, const char *event_type)
{
	size_t len = strlen(pattern);

	if (is_prefix(pattern, len))
		return strncmp(pattern, event_type, len - 1) == 0 ? len - 1 : 0;
	return strcmp(pattern, event_type) == 0 ? len + 1 : 0;
}
