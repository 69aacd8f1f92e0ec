/* SPDX-License-Identifier: Apache-2.0 */
/* The lifecycle events of playlists: event.playlist.* and the completion event. All begin with the
 * same fields and have producer 0 and origin 0.
 *
 * Depth: `created`, `rejected` and the completion event count like any other event, so a loop of
 * playlists without delay is cut at them. `emitted` and `stopped` are only reports and are never
 * cut: their depth stops at the limit. */
#include "playlist_internal.h"

#include <string.h>

static const char *cause_name(enum cue_cause cause)
{
	switch (cause) {
	case CUE_CAUSE_TRIGGER:
		return "trigger";
	case CUE_CAUSE_COMMAND:
		return "command";
	case CUE_CAUSE_GESTURE:
		return "gesture";
	case CUE_CAUSE_RESTORE:
		return "restore";
	}
	return "command";
}

static const char *reason_name(enum cue_stop_reason reason)
{
	switch (reason) {
	case CUE_STOP_COMPLETED:
		return "completed";
	case CUE_STOP_INTERRUPTED:
		return "interrupted";
	case CUE_STOP_CANCELLED:
		return "cancelled";
	}
	return "cancelled";
}

static void write_id(struct cue_writer *w, const char *key, const struct cue_id *id)
{
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(id, text);
	cue_writer_key(w, key);
	cue_writer_string_n(w, text, CUE_ID_TEXT_SIZE - 1);
}

/** Data is quoted once for each run: by `created`, and that of an interrupt by `stopped`. All other
 * events only name the event: a run with a thousand steps a second would otherwise write its
 * trigger a thousand times. */
enum quote { NAMED, QUOTED };

static void write_event(struct cue_writer *w, const char *key, const struct told_event *event,
                        enum quote quote)
{
	if (!event->type)
		return;
	cue_writer_key(w, key);
	cue_writer_object_begin(w);
	cue_writer_key(w, "event_type");
	cue_writer_string(w, cue_type_name(event->type));
	cue_writer_key(w, "producer_id");
	cue_writer_u64(w, event->producer_id);
	if (quote == QUOTED) {
		cue_writer_key(w, "data");
		cue_writer_payload(w, event->data);
		if (event->omitted) {
			cue_writer_key(w, "data_omitted");
			cue_writer_string(w, cue_omitted_name(event->omitted));
		}
	}
	cue_writer_object_end(w);
}

/** Open the object and write the common beginning of all lifecycle payloads. */
static void write_common(struct cue_writer *w, const struct playlist_def *def,
                         const struct cue_id *id, const struct told_event *trigger,
                         enum quote quote)
{
	cue_writer_object_begin(w);
	write_id(w, "playlist_id", id);
	write_id(w, "definition_id", &def->id);
	cue_writer_key(w, "playlist_name");
	cue_writer_string(w, def->name);
	if (def->metadata) {
		cue_writer_key(w, "playlist_metadata");
		cue_writer_payload(w, def->metadata);
	}
	write_event(w, "trigger_event", trigger, quote);
}

static void write_cause(struct cue_writer *w, const struct run_request *request)
{
	cue_writer_key(w, "cause");
	cue_writer_string(w, cause_name(request->cause));
	if (request->request_id) {
		cue_writer_key(w, "request_id");
		cue_writer_raw(w, request->request_id, strlen(request->request_id));
	}
}

/** What leads to an event, and how deep in its cascade that one is. */
struct cause {
	uint64_t seq;
	unsigned depth;
};

/** Close the object and emit it. */
static int emit(struct cue_bus *bus, const char *type, struct cue_writer *w, struct cause cause,
                uint64_t *ret_seq)
{
	struct cue_payload *payload;
	int r;

	cue_writer_object_end(w);
	r = cue_writer_finish_payload(w, &payload);
	if (r < 0) {
		cue_bus_report(bus, &(struct cue_report){ .code = CUE_REPORT_NO_MEMORY,
		                                          .error = r,
		                                          .event_type = type,
		                                          .seq = cause.seq });
		return r;
	}
	r = cue_bus_emit_caused(
	        bus,
	        &(struct cue_emit){ .type = type, .payload = payload, .time_ns = CUE_TIME_NONE },
	        cause.seq, cause.depth, ret_seq);
	cue_payload_unref(payload);
	return r;
}

static unsigned never_cut(const struct cue_bus *bus, unsigned depth)
{
	unsigned limit = cue_bus_limits(bus)->cascade_depth;

	return depth < limit ? depth : limit;
}

/** A tempo as a decimal number. */
static void write_tempo(struct cue_writer *w, const char *key, uint32_t tempo)
{
	cue_writer_key(w, key);
	cue_writer_seconds(w, (uint64_t)tempo * (CUE_NS_PER_S / CUE_TEMPO_AS_WRITTEN));
}

/** What a consumer would else know from events of an earlier boot only. */
static void write_steered(struct cue_writer *w, const struct run *run)
{
	const struct run_line *line = run->line;

	if (!line)
		return;
	if (line->paused) {
		cue_writer_key(w, "paused");
		cue_writer_bool(w, true);
	}
	if (line->tempo != CUE_TEMPO_AS_WRITTEN)
		write_tempo(w, "tempo", line->tempo);
}

int cue_lifecycle_created(const struct run *run, uint64_t *ret_seq)
{
	const struct playlist_def *def = run->def;
	struct cue_writer w = { 0 };

	write_common(&w, def, &run->id, &run->request.trigger, QUOTED);
	cue_writer_key(&w, "steps");
	cue_writer_payload(&w, def->steps_json);
	cue_writer_key(&w, "expected_duration");
	cue_writer_seconds(&w, def->expected_duration_ns);
	write_cause(&w, &run->request);
	if (run->request.cause == CUE_CAUSE_RESTORE) {
		cue_writer_key(&w, "offset");
		cue_writer_seconds(&w, run->restored_at_ns);
		write_steered(&w, run);
	}
	return emit(run->set->bus, "event.playlist.created", &w,
	            (struct cause){ run->cause_seq, run->depth }, ret_seq);
}

int cue_lifecycle_emitted(const struct run *run, const struct occurrence *occurrence,
                          uint64_t late_us, uint64_t cause_seq, unsigned depth)
{
	const struct playlist_step *step = &run->def->steps[occurrence->step];
	struct cue_writer w = { 0 };

	write_common(&w, run->def, &run->id, &run->request.trigger, NAMED);
	cue_writer_key(&w, "step_index");
	cue_writer_u64(&w, occurrence->step);
	cue_writer_key(&w, "repeat_index");
	cue_writer_u64(&w, occurrence->repeat);
	cue_writer_key(&w, "event_type");
	cue_writer_string(&w, cue_type_name(step->type));
	cue_writer_key(&w, "producer_id");
	cue_writer_u64(&w, step->producer_id);
	cue_writer_key(&w, "offset");
	cue_writer_seconds(&w, occurrence->at_ns);
	cue_writer_key(&w, "late_us");
	cue_writer_u64(&w, late_us);
	cue_writer_key(&w, "data");
	cue_writer_payload(&w, step->data);
	return emit(run->set->bus, "event.playlist.emitted", &w,
	            (struct cause){ cause_seq, never_cut(run->set->bus, depth) }, NULL);
}

/** The events of a steering count in its cascade: see run_steer.c. */
static int emit_steered(const struct run *run, const char *type, struct cue_writer *w)
{
	struct cause cause;

	cue_bus_current_cause(run->set->bus, &cause.seq, &cause.depth);
	if (cause.seq == 0)
		cause.seq = run->cause_seq;
	return emit(run->set->bus, type, w, cause, NULL);
}

static void write_position(struct cue_writer *w, const struct run *run, uint64_t at_ns)
{
	write_common(w, run->def, &run->id, &run->request.trigger, NAMED);
	cue_writer_key(w, "offset");
	cue_writer_seconds(w, at_ns);
}

int cue_lifecycle_paused(const struct run *run, const struct run_steered *steered)
{
	struct cue_writer w = { 0 };

	write_position(&w, run, steered->from_ns);
	return emit_steered(run, "event.playlist.paused", &w);
}

int cue_lifecycle_resumed(const struct run *run, const struct run_steered *steered)
{
	struct cue_writer w = { 0 };

	write_position(&w, run, steered->from_ns);
	return emit_steered(run, "event.playlist.resumed", &w);
}

int cue_lifecycle_seeked(const struct run *run, const struct run_steered *steered)
{
	struct cue_writer w = { 0 };

	write_position(&w, run, steered->to_ns);
	cue_writer_key(&w, "from");
	cue_writer_seconds(&w, steered->from_ns);
	cue_writer_key(&w, "skipped_count");
	cue_writer_u64(&w, steered->skipped);
	return emit_steered(run, "event.playlist.seeked", &w);
}

int cue_lifecycle_tempo_changed(const struct run *run, const struct run_steered *steered)
{
	struct cue_writer w = { 0 };

	write_position(&w, run, steered->from_ns);
	write_tempo(&w, "factor", steered->tempo);
	write_tempo(&w, "from", steered->tempo_before);
	return emit_steered(run, "event.playlist.tempo_changed", &w);
}

int cue_lifecycle_overdue(const struct run *run, uint64_t overdue_by_ns)
{
	struct cue_bus *bus = run->set->bus;
	struct cue_writer w = { 0 };

	write_common(&w, run->def, &run->id, &run->request.trigger, NAMED);
	cue_writer_key(&w, "expected_duration");
	cue_writer_seconds(&w, run->def->expected_duration_ns);
	cue_writer_key(&w, "overdue_by");
	cue_writer_seconds(&w, overdue_by_ns);
	cue_writer_key(&w, "emitted_count");
	cue_writer_u64(&w, run->emitted_count);
	return emit(bus, "event.playlist.overdue", &w, (struct cause){ run->cause_seq, 0 }, NULL);
}

int cue_lifecycle_stopped(const struct run *run, uint64_t *ret_seq)
{
	const struct run_end *end = &run->end;
	struct cue_writer w = { 0 };

	write_common(&w, run->def, &run->id, &run->request.trigger, NAMED);
	cue_writer_key(&w, "reason");
	cue_writer_string(&w, reason_name(end->reason));
	cue_writer_key(&w, "detail");
	cue_writer_string(&w, end->detail);
	cue_writer_key(&w, "emitted_count");
	cue_writer_u64(&w, run->emitted_count);
	write_event(&w, "interrupt_event", &end->interrupt, QUOTED);
	if (run->skipped_count > 0) {
		cue_writer_key(&w, "skipped_count");
		cue_writer_u64(&w, run->skipped_count);
	}
	return emit(run->set->bus, "event.playlist.stopped", &w,
	            (struct cause){ end->cause_seq, never_cut(run->set->bus, end->depth) },
	            ret_seq);
}

int cue_lifecycle_completion(const struct run *run, uint64_t stopped_seq)
{
	struct cue_writer w = { 0 };

	write_common(&w, run->def, &run->id, &run->request.trigger, NAMED);
	return emit(run->set->bus, cue_type_name(run->def->completion), &w,
	            (struct cause){ stopped_seq ? stopped_seq : run->end.cause_seq,
	                            run->end.depth + 1 },
	            NULL);
}

int cue_lifecycle_rejected(const struct playlist_def *def, const struct cue_id *id,
                           const struct run_request *request, const char *reason,
                           const char *detail)
{
	struct cue_bus *bus = def->playlist->set->bus;
	struct cue_writer w = { 0 };
	struct cause cause;

	write_common(&w, def, id, &request->trigger, NAMED);
	cue_writer_key(&w, "reason");
	cue_writer_string(&w, reason);
	cue_writer_key(&w, "detail");
	cue_writer_string(&w, detail);
	write_cause(&w, request);
	cue_bus_current_cause(bus, &cause.seq, &cause.depth);
	return emit(bus, "event.playlist.rejected", &w, cause, NULL);
}

/* ---- the observer ---- */

static struct cue_run_line line_record(const struct run *run)
{
	const struct run_line *line = run->line;

	if (!line)
		return (struct cue_run_line){ 0 };
	return (struct cue_run_line){
		.steered = true,
		.paused = line->paused,
		.tempo = line->tempo,
		.since_ns = line->since_ns,
		.offset_ns = line->at.at_ns,
		.fraction = line->at.fraction,
		.pending_ns = line->pending_ns,
		.emitted_count = line->emitted_count,
		.skipped_count = line->skipped_count,
	};
}

void cue_run_observe_active(const struct run *run)
{
	const struct cue_run_observer *observer = &run->set->observer;
	bool running = run->phase == RUN_RUNNING;
	const struct told_event *trigger = &run->request.trigger;
	struct cue_run_record record = {
		.run = run->id,
		.playlist = run->def->name,
		.definition = run->def->json,
		.state = running ? CUE_RUN_RUNNING : CUE_RUN_QUEUED,
		.start_ns = running ? run->steps.start_ns : run->asked_ns,
		.skipped_count = run->skipped_count,
		.passed_ns = run->request.cause == CUE_CAUSE_RESTORE && !run->line
		                     ? run->restored_passed_ns
		                     : CUE_TIME_NONE,
		.line = line_record(run),
		.trigger_type = trigger->type ? cue_type_name(trigger->type) : NULL,
		.trigger_producer_id = trigger->producer_id,
		.trigger_data = trigger->data,
		.trigger_omitted = trigger->omitted,
	};

	if (observer->active)
		observer->active(observer->user, &record);
}
