/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the engine emit and report. */
#include <errno.h>
#include <stdlib.h>

#include "engine_internal.h"
#include "hide.h"

void engine_report(struct engine *engine, const struct cue_report *report)
{
	/* NULL while the engine is being created. */
	if (engine->faults)
		faults_report(engine->faults, report);
	if (engine->config.report)
		engine->config.report(engine->config.user, report);
}

uint64_t engine_now(const struct engine *engine)
{
	uint64_t now_ns = cue_bus_now(engine->bus);

	if (engine->config.clock_ns) {
		uint64_t clock_ns = engine->config.clock_ns(engine->config.user);

		if (clock_ns > now_ns)
			now_ns = clock_ns;
	}
	return now_ns;
}

static void emit_payload(struct engine *engine, struct cue_emit *emit, struct cue_payload *payload,
                         uint64_t cause_seq)
{
	if (!payload) {
		engine_report(engine, &(struct cue_report){ .code = CUE_REPORT_NO_MEMORY,
		                                            .error = -ENOMEM,
		                                            .event_type = emit->type });
		return;
	}
	emit->payload = payload;
	/* A refusal is counted and reported by the bus. */
	(void)cue_bus_emit_caused(engine->bus, emit, cause_seq, 0, NULL);
	cue_payload_unref(payload);
}

void engine_write_reason(struct cue_writer *w, const struct engine *engine, const char *reason)
{
	char *safe = NULL;

	(void)hide_text(engine->config.config->hide, reason, &safe);
	cue_writer_string(w, safe ? safe : "out of memory");
	free(safe);
}

void engine_emit(struct engine *engine, const char *type, uint32_t producer_id,
                 struct cue_payload *payload, uint64_t time_ns)
{
	struct cue_emit emit = { .type = type, .producer_id = producer_id, .time_ns = time_ns };

	emit_payload(engine, &emit, payload, 0);
}

void engine_emit_caused(struct engine *engine, const char *type, struct cue_payload *payload,
                        uint64_t cause_seq)
{
	struct cue_emit emit = { .type = type, .time_ns = CUE_TIME_NONE };

	emit_payload(engine, &emit, payload, cause_seq);
}

void engine_playlist_changed(struct engine *engine, const char *name)
{
	if (engine->config.playlist_changed)
		engine->config.playlist_changed(engine->config.user, name);
}
