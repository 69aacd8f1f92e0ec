/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

#include <stdio.h>
#include <string.h>

static void number(struct cue_writer *w, const char *key, uint64_t value)
{
	cue_writer_key(w, key);
	cue_writer_u64(w, value);
}

static void microseconds(struct cue_writer *w, const char *key, uint64_t ns)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%llu.%llu", (unsigned long long)(ns / 1000),
	                   (unsigned long long)(ns % 1000 / 100));

	cue_writer_key(w, key);
	cue_writer_raw(w, text, (size_t)len);
}

static void begin(struct cue_writer *w, const char *key)
{
	cue_writer_key(w, key);
	cue_writer_object_begin(w);
}

static void write_lateness(struct cue_writer *w, const struct lateness *lateness)
{
	begin(w, "lateness_us");
	number(w, "count", lateness->count);
	microseconds(w, "p50", lateness_percentile_ns(lateness, 500));
	microseconds(w, "p90", lateness_percentile_ns(lateness, 900));
	microseconds(w, "p95", lateness_percentile_ns(lateness, 950));
	microseconds(w, "p99", lateness_percentile_ns(lateness, 990));
	microseconds(w, "max", lateness->max_ns);
	cue_writer_object_end(w);
}

static void write_bus(struct cue_writer *w, struct engine *engine)
{
	struct cue_bus_stats s;

	cue_bus_get_stats(engine_bus(engine), &s);
	begin(w, "bus");
	number(w, "events", s.events);
	number(w, "handler_failures", s.handler_failures);
	number(w, "cascades_cut", s.cascades_cut);
	number(w, "backlogs_cut", s.backlogs_cut);
	number(w, "events_cut", s.events_cut);
	number(w, "queue_refused", s.queue_refused);
	number(w, "state_refused", s.state_refused);
	number(w, "types_refused", s.types_refused);
	number(w, "quotes_omitted", s.quotes_omitted);
	number(w, "timers_fired", s.timers_fired);
	number(w, "types", s.types);
	number(w, "state_entries", s.state_entries);
	number(w, "state_bytes", s.state_bytes);
	number(w, "queue_events", s.queue_events);
	number(w, "queue_bytes", s.queue_bytes);
	number(w, "queue_peak", s.queue_peak);
	number(w, "timers_armed", s.timers_armed);
	number(w, "subscriptions", s.subscriptions);
	cue_writer_object_end(w);
}

static void write_loop(struct cue_writer *w, const struct health *health)
{
	struct engine_wake_totals totals;

	engine_get_wake_totals(health->engine, &totals);
	begin(w, "loop");
	number(w, "unfinished", totals.unfinished);
	number(w, "overtaken", totals.overtaken);
	number(w, "overdue_us",
	       cue_bus_overdue(engine_bus(health->engine), health->now_ns) / CUE_NS_PER_US);
	cue_writer_object_end(w);
}

static void write_definitions(struct cue_writer *w, struct engine *engine)
{
	struct cue_playlists_stats p;
	struct cue_gestures_stats g;

	cue_playlists_get_stats(engine_playlists(engine), &p);
	begin(w, "playlists");
	number(w, "started", p.started);
	number(w, "completed", p.completed);
	number(w, "interrupted", p.interrupted);
	number(w, "cancelled", p.cancelled);
	number(w, "rejected", p.rejected);
	number(w, "restored", p.restored);
	number(w, "aborted", p.aborted);
	number(w, "overdue", p.overdue);
	number(w, "steered", p.steered);
	number(w, "steerings_ignored", p.steerings_ignored);
	number(w, "steps_emitted", p.steps_emitted);
	number(w, "steps_skipped", p.steps_skipped);
	number(w, "interrupts_redundant", p.interrupts_redundant);
	number(w, "interrupts_debounced", p.interrupts_debounced);
	number(w, "stops_redundant", p.stops_redundant);
	number(w, "triggers_dropped", p.triggers_dropped);
	number(w, "trigger_bytes", p.trigger_bytes);
	number(w, "definitions", p.definitions);
	number(w, "active_runs", p.active_runs);
	number(w, "paused_runs", p.paused_runs);
	cue_writer_object_end(w);
	cue_gestures_get_stats(engine_gestures(engine), &g);
	begin(w, "gestures");
	number(w, "fired", g.fired);
	number(w, "cooled_down", g.cooled_down);
	number(w, "near_misses", g.near_misses);
	number(w, "producers_forgotten", g.producers_forgotten);
	number(w, "kept_forgotten", g.kept_forgotten);
	number(w, "kept_bytes", g.kept_bytes);
	number(w, "taken_early", g.taken_early);
	number(w, "held_events", g.held_events);
	number(w, "held_bytes", g.held_bytes);
	number(w, "definitions", g.definitions);
	cue_writer_object_end(w);
}

struct input_sum {
	uint64_t edges, bounces, gaps, limited, failed;
};

static int add_input(void *user, const struct engine_input_info *info)
{
	struct input_sum *sum = user;

	sum->edges += info->edges;
	sum->bounces += info->bounces;
	sum->gaps += info->gaps;
	sum->limited += info->limited;
	sum->failed += info->failed;
	return 0;
}

static void write_inputs(struct cue_writer *w, struct engine *engine)
{
	struct input_sum sum = { 0 };

	(void)engine_input_foreach(engine, add_input, &sum);
	begin(w, "inputs");
	number(w, "edges", sum.edges);
	number(w, "bounces", sum.bounces);
	number(w, "gaps", sum.gaps);
	number(w, "limited", sum.limited);
	number(w, "failed", sum.failed);
	cue_writer_object_end(w);
}

struct output_sum {
	struct cue_writer *w; /* of the levels */
	uint64_t failed;
};

static int add_output(void *user, const struct engine_output_info *info)
{
	struct output_sum *sum = user;

	sum->failed += info->failed;
	cue_writer_key(sum->w, info->name);
	if (info->failed)
		cue_writer_null(sum->w);
	else
		cue_writer_u64(sum->w, info->level);
	return 0;
}

static void write_outputs(struct cue_writer *w, struct engine *engine)
{
	struct engine_output_totals totals;
	struct output_sum sum = { .w = w };

	engine_get_output_totals(engine, &totals);
	begin(w, "outputs");
	number(w, "set", totals.set);
	number(w, "ignored", totals.ignored);
	number(w, "failures", totals.failures);
	begin(w, "levels");
	(void)engine_output_foreach(engine, add_output, &sum);
	cue_writer_object_end(w);
	number(w, "failed", sum.failed);
	cue_writer_object_end(w);
}

static void write_commands(struct cue_writer *w, const struct commands *commands)
{
	struct commands_stats s;

	commands_get_stats(commands, &s);
	begin(w, "commands");
	number(w, "ok", s.ok);
	number(w, "failed", s.failed);
	number(w, "repeated", s.repeated);
	number(w, "rate_limited", s.rate_limited);
	number(w, "emits_limited", s.emits_limited);
	number(w, "emit_bytes_limited", s.emit_bytes_limited);
	cue_writer_key(w, "store_error");
	if (s.store_error < 0)
		cue_writer_string(w, strerrordesc_np(-s.store_error));
	else
		cue_writer_null(w);
	cue_writer_object_end(w);
}

static void write_kept_definitions(struct cue_writer *w, const struct commands *commands)
{
	struct commands_stats s;

	commands_get_stats(commands, &s);
	begin(w, "kept_definitions");
	number(w, "count", s.kept.definitions);
	number(w, "bytes", s.kept.bytes);
	number(w, "refused", s.kept.refused);
	number(w, "passed_over", s.kept.passed_over);
	number(w, "set_aside", s.kept.set_aside);
	cue_writer_object_end(w);
}

static void write_outbox(struct cue_writer *w, const struct health *health)
{
	struct outbox_stats s;

	outbox_get_stats(health->outbox, &s);
	begin(w, "outbox");
	number(w, "events", s.events);
	number(w, "bytes", s.bytes);
	number(w, "peak_events", s.peak_events);
	number(w, "put", s.put);
	number(w, "released", s.released);
	number(w, "dropped", s.dropped);
	number(w, "dropped_memory", s.dropped_memory);
	number(w, "resent", s.resent);
	number(w, "restored", s.restored);
	number(w, "memory_events", s.memory_events);
	number(w, "memory_bytes", s.memory_bytes);
	number(w, "unwritten_events", s.unwritten_events);
	cue_writer_key(w, "disk");
	cue_writer_string(w, !s.on_disk ? "memory" : s.idle ? "idle" : "ok");
	cue_writer_key(w, "disk_reason");
	if (s.on_disk)
		cue_writer_null(w);
	else
		engine_write_reason(w, health->engine, s.reason);
	number(w, "disk_failures", s.disk_failures);
	number(w, "commits", s.commits);
	number(w, "syncs", s.syncs);
	cue_writer_object_end(w);
}

static void write_mqtt(struct cue_writer *w, const struct health *health)
{
	struct egress_stats egress;
	struct inbox_stats inbox;
	struct bridge_stats bridge;
	struct retained_stats retained;
	struct outbox_stats outbox;

	egress_get_stats(health->egress, &egress);
	inbox_get_stats(health->inbox, &inbox);
	bridge_get_stats(health->bridge, &bridge);
	retained_get_stats(health->retained, &retained);
	outbox_get_stats(health->outbox, &outbox);
	begin(w, "mqtt");
	cue_writer_key(w, "connected");
	cue_writer_bool(w, egress.connected);
	number(w, "connects", egress.connects);
	number(w, "disconnects", egress.disconnects);
	number(w, "connect_failures", egress.failures);
	number(w, "published", egress.published);
	number(w, "acknowledged", egress.acknowledged);
	number(w, "in_flight", egress.in_flight);
	number(w, "publish_refused", egress.refused);
	number(w, "publish_rejected", egress.rejected);
	number(w, "gaps_refused", egress.news_refused);
	number(w, "subscriptions_refused", egress.subscriptions_refused);
	number(w, "status_corrected", egress.status_corrected);
	number(w, "retained_cleared", egress.retained_cleared);
	number(w, "received", inbox.received);
	number(w, "refused", bridge.refused);
	number(w, "replies_dropped", outbox.dropped_replies);
	number(w, "inbox_messages", inbox.messages);
	number(w, "inbox_peak", inbox.peak_messages);
	number(w, "inbox_dropped", inbox.dropped);
	number(w, "inbox_dropped_emits", inbox.dropped_emits);
	number(w, "retained_topics", retained.topics);
	number(w, "retained_pending", retained.pending);
	cue_writer_object_end(w);
}

void health_write(struct cue_writer *w, const struct health *health)
{
	int64_t wall_offset_ns = cue_bus_wall_offset(engine_bus(health->engine));
	char timestamp[CUE_TIMESTAMP_SIZE];

	cue_format_timestamp((int64_t)(health->now_ns + (uint64_t)wall_offset_ns), timestamp);
	cue_writer_object_begin(w);
	cue_writer_key(w, "timestamp");
	cue_writer_string(w, timestamp);
	cue_writer_key(w, "boot_id");
	cue_writer_string(w, health->boot_id);
	number(w, "uptime_s", (health->now_ns - health->start_ns) / CUE_NS_PER_S);
	write_lateness(w, health->lateness);
	write_loop(w, health);
	write_bus(w, health->engine);
	write_definitions(w, health->engine);
	write_inputs(w, health->engine);
	write_outputs(w, health->engine);
	write_commands(w, health->commands);
	write_kept_definitions(w, health->commands);
	write_outbox(w, health);
	write_mqtt(w, health);
	number(w, "log_suppressed", log_suppressed(health->log));
	cue_writer_object_end(w);
}
