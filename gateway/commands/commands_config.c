/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands_internal.h"
#include "config.h"
#include "version.h"

static void write_finding(struct cue_writer *w, const struct diag_finding *finding)
{
	cue_writer_object_begin(w);
	cue_writer_key(w, "severity");
	cue_writer_string(w, finding->severity == DIAG_ERROR ? "error" : "warning");
	cue_writer_key(w, "line");
	cue_writer_u64(w, finding->line);
	cue_writer_key(w, "column");
	cue_writer_u64(w, finding->column);
	cue_writer_key(w, "path");
	cue_writer_string(w, finding->path);
	cue_writer_key(w, "rule");
	cue_writer_string(w, finding->rule);
	cue_writer_key(w, "message");
	cue_writer_string(w, finding->message);
	cue_writer_object_end(w);
}

static void write_findings(struct cue_writer *w, const struct diag *diag)
{
	cue_writer_object_begin(w);
	cue_writer_key(w, "findings");
	cue_writer_array_begin(w);
	for (size_t i = 0; i < diag->n; i++)
		write_finding(w, &diag->findings[i]);
	cue_writer_array_end(w);
	cue_writer_object_end(w);
}

int command_config_check(struct commands *commands, const struct command_request *request,
                         const struct request *fields, struct cue_writer *result,
                         struct command_error *error)
{
	struct diag diag = { 0 };
	struct config *config = NULL;
	int r;

	(void)commands, (void)fields, (void)error;
	r = config_load_request(request->payload_len ? request->payload : "", request->payload_len,
	                        &diag, &config);
	config_free(config);
	write_findings(result, &diag);
	diag_clear(&diag);
	return r == -ENOMEM ? r : 0;
}

/** Report the first error with its place, and the number of further ones (the log has them all). */
static void refuse_reload(struct command_error *error, const struct diag *diag)
{
	for (size_t i = 0; i < diag->n; i++) {
		const struct diag_finding *f = &diag->findings[i];
		char more[64] = "";

		if (f->severity != DIAG_ERROR)
			continue;
		if (diag->n_errors > 1)
			snprintf(more, sizeof(more), "; %zu more: see the log, or `cuebus check`",
			         diag->n_errors - 1);
		command_fail(error, COMMAND_REFUSED, f->path, "%s:%u:%u: %.300s [%s]%s", f->file,
		             f->line, f->column, f->message, f->rule, more);
		return;
	}
	command_fail(error, COMMAND_REFUSED, "", "the configuration can't be put in force");
}

int command_config_reload(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error)
{
	struct diag diag = { 0 };
	int r;

	(void)request, (void)fields;
	if (!commands->config.reload)
		return command_fail(error, COMMAND_REFUSED, "", "there is nothing to reload here");
	r = commands->config.reload(commands->config.user, &diag);
	if (r == 0) {
		write_findings(result, &diag);
	} else if (r != -ENOMEM) {
		refuse_reload(error, &diag);
	}
	diag_clear(&diag);
	return r;
}

int command_config_get(struct commands *commands, const struct command_request *request,
                       const struct request *fields, struct cue_writer *result,
                       struct command_error *error)
{
	const struct config *config = engine_get_config(commands->config.engine);

	(void)request, (void)fields, (void)error;
	cue_writer_object_begin(result);
	cue_writer_key(result, "config");
	cue_writer_payload(result, config->masked);
	cue_writer_key(result, "hash");
	cue_writer_string(result, config->hash);
	cue_writer_object_end(result);
	return 0;
}

int command_ping(struct commands *commands, const struct command_request *request,
                 const struct request *fields, struct cue_writer *result,
                 struct command_error *error)
{
	uint64_t now_ns = request->now_ns;
	uint64_t start_ns = commands->config.start_ns;

	(void)fields, (void)error;
	cue_writer_object_begin(result);
	cue_writer_key(result, "boot_id");
	cue_writer_string(result, commands->config.boot_id);
	cue_writer_key(result, "uptime_s");
	cue_writer_u64(result, now_ns > start_ns ? (now_ns - start_ns) / CUE_NS_PER_S : 0);
	cue_writer_key(result, "version");
	cue_writer_string(result, version_text());
	cue_writer_object_end(result);
	return 0;
}
