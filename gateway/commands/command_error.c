/* SPDX-License-Identifier: Apache-2.0 */
/* How a command fails: the error of its reply. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "commands_internal.h"
#include "error_text.h"

const char *command_code_name(enum command_code code)
{
	switch (code) {
	case COMMAND_INVALID_JSON:
		return "invalid_json";
	case COMMAND_INVALID_REQUEST:
		return "invalid_request";
	case COMMAND_UNKNOWN:
		return "unknown_command";
	case COMMAND_NOT_FOUND:
		return "not_found";
	case COMMAND_BUSY:
		return "busy";
	case COMMAND_LIMIT:
		return "limit";
	case COMMAND_REFUSED:
		return "refused";
	case COMMAND_STALE:
		return "stale";
	}
	return "refused"; /* not reached: the switch is exhaustive */
}

int command_fail(struct command_error *error, enum command_code code, const char *path,
                 const char *format, ...)
{
	va_list args;

	error->code = code;
	snprintf(error->path, sizeof(error->path), "%s", path);
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return -EINVAL;
}

int command_fail_errno(struct command_error *error, int r, const char *path, const char *what,
                       const char *name, const char *if_full)
{
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		command_fail(error, COMMAND_NOT_FOUND, path, "there is no %s '%s'", what, name);
	else if (r == -EBUSY)
		command_fail(error, COMMAND_BUSY, path,
		             "%s '%s' is running and its mode or max_runs allows no more runs",
		             what, name);
	else if (r == -ENOSPC || r == -ENOBUFS || r == -EDQUOT || r == -ELOOP)
		command_fail(error, COMMAND_LIMIT, path, "%s '%s': %s", what, name,
		             error_text(r, if_full));
	else
		command_fail(error, COMMAND_REFUSED, path, "%s '%s': %s", what, name, strerror(-r));
	return r;
}

int command_fail_diag(struct command_error *error, const struct diag *diag, const char *prefix)
{
	char path[300];

	for (size_t i = 0; i < diag->n; i++) {
		const struct diag_finding *finding = &diag->findings[i];

		if (finding->severity != DIAG_ERROR)
			continue;
		if (strcmp(finding->file, "name") == 0)
			snprintf(path, sizeof(path), "/name");
		else
			snprintf(path, sizeof(path), "%s%s", prefix, finding->path);
		return command_fail(error, COMMAND_INVALID_REQUEST, path, "%s [%s]",
		                    finding->message, finding->rule);
	}
	return command_fail(error, COMMAND_INVALID_REQUEST, prefix, "the definition is not valid");
}
