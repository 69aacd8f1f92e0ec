/* SPDX-License-Identifier: Apache-2.0 */
#include "error_text.h"

#include <errno.h>
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
