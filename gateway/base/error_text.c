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
	case -EDQUOT:
		return "limits.queue_bytes is reached";
	case -ENOSPC:
		return if_full ? if_full : "a limit of the gateway is reached";
	default:
		text = strerrordesc_np(-error);
		return text ? text : "unknown error";
	}
}

const char *error_text_report(enum cue_report_code code, int error)
{
	if (error == 0)
		return NULL;
	if (code == CUE_REPORT_STATE_FULL)
		return error == -EDQUOT ? "limits.state_bytes is reached"
		                        : "limits.state_entries is reached";
	return error_text(error, "limits.event_types is reached");
}

void error_text_json(int error, const struct cue_json_error *fault, char *text, size_t size)
{
	snprintf(text, size, "byte %zu: %s%s", fault->offset, fault->text,
	         error == -E2BIG ? " (limits.json_depth)" : "");
}
