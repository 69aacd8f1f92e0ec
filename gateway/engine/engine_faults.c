/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of the bus become events. These and the events of devices are the reserved types that the
 * engine itself emits; `data` of each:
 *
 *   gateway.cascade  {"event_type":string,"depth":n,"cause_seq":n|null,"suppressed":n}
 *                    a loop of events was cut: the event of this type, which
 *                    would have had this depth, was not emitted
 *   gateway.fault    {"fault":"handler_failed|queue_full|state_full|backlog_cut|types_full|
 *                              no_memory",
 *                     "event_type":string|null,"what":string|null,"error":string|null,
 *                     "cause_seq":n|null,"suppressed":n}
 *                    what: the subscriber or definition concerned
 *   input.resync     {"input":string,"line":n,"level":bool,"lost":null}
 *                    edges were lost; the level was read again
 *   input.failed     {"input":string,"error":string}
 *   input.restored   {"input":string,"attempts":n}
 *   gateway.output_failed    {"output":string,"error":string}
 *   gateway.output_restored  {"output":string,"attempts":n}
 *   gateway.output_ignored   {"output":string,"error":string}
 *
 * Producer: 0 for gateway.…, the input's own for input.…. `suppressed`: number of further reports
 * of the same kind since the last announcement. There is at most one announcement a second (of bus
 * time).
 *
 * A notice is not emitted in the report itself but by a timer that is due at once: outside of any
 * dispatch, at depth 0, so that it comes after its cause and can neither be cut with the cascade
 * nor recurse. Failures of a notice are not announced: that would cause the next notice, without
 * end.
 *
 *   state | a report comes              | the timer fires
 *   IDLE  | keep it, arm at now -> DUE  | impossible
 *   DUE   | count it                    | emit, arm in 1 s -> QUIET
 *   QUIET | keep the first, count       | none kept: -> IDLE; else emit, arm in 1 s
 */
#include "engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error_text.h"

#define NOTICE_INTERVAL_NS CUE_NS_PER_S
#define FAULT_TYPE         "gateway.fault"
#define CASCADE_TYPE       "gateway.cascade"
#define NOTICES            (CUE_REPORT_NO_MEMORY + 1)

struct notice {
	struct engine *engine;
	struct cue_timer *timer;
	enum cue_report_code code;
	uint64_t pending; /**< reports since the last announcement */
	/* the first of them: */
	int error;
	char event_type[CUE_TYPE_MAX_LEN + 1];
	char *what; /**< owned, may be NULL */
	uint64_t cause_seq;
};

struct faults {
	struct notice notices[NOTICES];
};

static const char *fault_name(enum cue_report_code code)
{
	switch (code) {
	case CUE_REPORT_HANDLER_FAILED:
		return "handler_failed";
	case CUE_REPORT_CASCADE_CUT:
		return "cascade_cut";
	case CUE_REPORT_QUEUE_FULL:
		return "queue_full";
	case CUE_REPORT_STATE_FULL:
		return "state_full";
	case CUE_REPORT_BACKLOG_CUT:
		return "backlog_cut";
	case CUE_REPORT_TYPES_FULL:
		return "types_full";
	case CUE_REPORT_NO_MEMORY:
		return "no_memory";
	}
	return "unknown";
}

static void write_text(struct cue_writer *w, const char *key, const char *text)
{
	cue_writer_key(w, key);
	cue_writer_string(w, text && *text ? text : NULL);
}

static void write_tail(struct cue_writer *w, const struct notice *notice)
{
	cue_writer_key(w, "cause_seq");
	if (notice->cause_seq)
		cue_writer_u64(w, notice->cause_seq);
	else
		cue_writer_null(w);
	cue_writer_key(w, "suppressed");
	cue_writer_u64(w, notice->pending - 1);
}

/** Not by engine_emit_caused(): that reports to here. Takes over @p payload's reference. */
static void emit(const struct engine *engine, const char *type, struct cue_payload *payload,
                 uint64_t cause_seq)
{
	struct cue_emit notice = { .type = type, .time_ns = CUE_TIME_NONE, .payload = payload };

	if (payload)
		(void)cue_bus_emit_caused(engine->bus, &notice, cause_seq, 0, NULL);
	else if (engine->config.report)
		engine->config.report(engine->config.user,
		                      &(struct cue_report){ .code = CUE_REPORT_NO_MEMORY,
		                                            .error = -ENOMEM,
		                                            .event_type = type });
	cue_payload_unref(payload);
}

static void announce(struct notice *notice)
{
	bool cascade = notice->code == CUE_REPORT_CASCADE_CUT;
	struct cue_payload *payload = NULL;
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	if (cascade) {
		write_text(&w, "event_type", notice->event_type);
		cue_writer_key(&w, "depth");
		cue_writer_u64(&w, cue_bus_limits(notice->engine->bus)->cascade_depth + 1ULL);
	} else {
		write_text(&w, "fault", fault_name(notice->code));
		write_text(&w, "event_type", notice->event_type);
		write_text(&w, "what", notice->what);
		write_text(&w, "error", error_text_report(notice->code, notice->error));
	}
	write_tail(&w, notice);
	cue_writer_object_end(&w);
	(void)cue_writer_finish_payload(&w, &payload);
	notice->pending = 0;
	emit(notice->engine, cascade ? CASCADE_TYPE : FAULT_TYPE, payload, notice->cause_seq);
}

static void on_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct notice *notice = user;

	(void)deadline_ns;
	if (notice->pending == 0)
		return; /* no further report for a second */
	announce(notice);
	/* Further reports wait from now on. */
	cue_timer_arm(notice->timer, cue_bus_now(bus) + NOTICE_INTERVAL_NS);
}

static void keep(struct notice *notice, const struct cue_report *report)
{
	notice->error = report->error;
	notice->cause_seq = report->seq;
	notice->event_type[0] = '\0';
	if (report->event_type)
		strncat(notice->event_type, report->event_type, CUE_TYPE_MAX_LEN);
	free(notice->what);
	notice->what = report->what ? strdup(report->what) : NULL;
}

static bool is_about_a_notice(const struct cue_report *report)
{
	return report->event_type && (strcmp(report->event_type, FAULT_TYPE) == 0 ||
	                              strcmp(report->event_type, CASCADE_TYPE) == 0);
}

void faults_report(struct faults *faults, const struct cue_report *report)
{
	struct notice *notice = &faults->notices[report->code];

	if (is_about_a_notice(report))
		return;
	if (notice->pending++ == 0)
		keep(notice, report);
	if (!cue_timer_is_armed(notice->timer))
		cue_timer_arm(notice->timer, cue_bus_now(notice->engine->bus));
}

int faults_new(struct engine *engine, struct faults **ret_faults)
{
	struct faults *faults = calloc(1, sizeof(*faults));

	if (!faults)
		return -ENOMEM;
	for (size_t i = 0; i < NOTICES; i++) {
		struct notice *notice = &faults->notices[i];
		int r;

		notice->engine = engine;
		notice->code = (enum cue_report_code)i;
		r = cue_timer_new(engine->bus, on_timer, notice, &notice->timer);
		if (r < 0) {
			faults_free(faults);
			return r;
		}
	}
	*ret_faults = faults;
	return 0;
}

struct faults *faults_free(struct faults *faults)
{
	if (!faults)
		return NULL;
	for (size_t i = 0; i < NOTICES; i++) {
		cue_timer_free(faults->notices[i].timer);
		free(faults->notices[i].what);
	}
	free(faults);
	return NULL;
}
