/* SPDX-License-Identifier: Apache-2.0 */
#include "error_text.h"

#include <cuebus/payload.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *error_text(int error, const char *if_full)
{
	const char *text;

	switch (error) {
	case -ELOOP:
		return "limits.cascade_depth is reached";
	case -ENOBUFS:
		return "limits.queue_events is reached";
	case -ENOSPC:
		return if_full ? if_full : "a limit of the gateway is reached";
	default:
		text = strerrordesc_np(-error);
		return text ? text : "unknown error";
	}
}

void error_text_json(int error, const struct cue_json_error *fault, char *text, size_t size)
{
	snprintf(text, size, "byte %zu: %s%s", fault->offset, fault->text,
	         error == -E2BIG ? " (limits.json_depth)" : "");
}
